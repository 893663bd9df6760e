"""What other systems call our actions."""

FOREIGN_ACTIONS = {
    "POST_TO_SOCIAL": "social/post",
    "SCHEDULE_POST": "social/schedule",
    "REPLY_TO_COMMENT": "social/reply",
    "SEND_EMAIL": "email/send",
    "SEND_SLACK_MESSAGE": "slack/send",
    "CREATE_NOTIFICATION": "notify/create",
    "GENERATE_CONTENT": "ai/generate",
    "ANALYZE_SENTIMENT": "ai/sentiment",
    "MODERATE_CONTENT": "ai/moderate",
    "UPDATE_DATABASE": "database/execute",
    "LOG_EVENT": "log/event",
    "TRIGGER_WEBHOOK": "webhook/send",
}
