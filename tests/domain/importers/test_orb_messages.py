"""Orb's actions for people arrive as ours, with arguments that ours understand."""

from typing import Any

import pytest

from canvas.actions.registry import registry
from canvas.domain.importers import import_document


def imported(action_type: str, **config: Any) -> tuple[dict[str, Any], list[str]]:
    """Import one action; give its parameters and the codes of what had to be interpreted."""
    step = {"name": "a", "type": "ACTION", "config": {"actionType": action_type, **config}}
    result = import_document({"name": "w", "steps": [step]})
    return result.document["steps"][0]["parameters"], [warning.code for warning in result.warnings]


@pytest.mark.parametrize(
    ("action_type", "config", "expected"),
    [
        (
            "POST_TO_SOCIAL",
            {
                "platform": "mastodon",
                "accountId": "Company account",
                "content": "Hello",
                "mediaUrls": ["https://example.com/a.png", "https://example.com/b.png"],
            },
            {
                "text": "Hello",
                "connection": "company_account",
                "media": [{"url": "https://example.com/a.png"}, {"url": "https://example.com/b.png"}],
            },
        ),
        ("POST_TO_SOCIAL", {"platform": "bluesky", "content": "Hello"}, {"text": "Hello", "connection": "bluesky"}),
        ("POST_TO_SOCIAL", {"accountId": "4711", "text": "Hi"}, {"text": "Hi", "connection": "account_4711"}),
        (
            "SCHEDULE_POST",
            {"platform": "mastodon", "content": "Later", "scheduledAt": "2030-01-01T09:00:00Z"},
            {"text": "Later", "at": "2030-01-01T09:00:00Z", "connection": "mastodon"},
        ),
        (
            "REPLY_TO_COMMENT",
            {"platform": "mastodon", "commentId": "7", "message": "Thanks"},
            {"text": "Thanks", "reply_to": "7", "connection": "mastodon"},
        ),
        (
            "SEND_EMAIL",
            {"to": "ada@example.com", "subject": "Hello", "body": "How are you?"},
            {"to": ["ada@example.com"], "subject": "Hello", "text": "How are you?", "connection": "mail"},
        ),
        (
            "SEND_EMAIL",
            {"to": ["a@example.com"], "cc": "b@example.com; c@example.com", "subject": "x", "body": "<p>Hi</p>"},
            {
                "to": ["a@example.com"],
                "cc": ["b@example.com", "c@example.com"],
                "subject": "x",
                "html": "<p>Hi</p>",
                "connection": "mail",
            },
        ),
        (
            "SEND_EMAIL",
            {"recipients": "a@example.com", "subject": "x", "htmlBody": "<b>x</b>", "body": "x", "connection": "own"},
            {"to": ["a@example.com"], "subject": "x", "html": "<b>x</b>", "text": "x", "connection": "own"},
        ),
        (
            "SEND_SLACK_MESSAGE",
            {"channelId": "C1", "message": "Hi", "threadTs": "1.2"},
            {"channel": "C1", "text": "Hi", "thread": "1.2", "connection": "slack"},
        ),
        (
            "CREATE_NOTIFICATION",
            {"userId": "ada", "title": "t", "message": "m", "type": "SUCCESS"},
            {"to": ["ada"], "title": "t", "body": "m", "level": "info"},
        ),
        ("CREATE_NOTIFICATION", {"message": "m", "severity": "critical"}, {"title": "m", "level": "error"}),
    ],
)
def test_arguments_arrive_under_our_names(action_type, config, expected):
    """Without a warning, and so that the action takes them."""
    parameters, warnings = imported(action_type, **config)
    names = {"POST_TO_SOCIAL": "social/post", "SCHEDULE_POST": "social/schedule", "REPLY_TO_COMMENT": "social/reply"}
    names |= {"SEND_EMAIL": "email/send", "SEND_SLACK_MESSAGE": "slack/send", "CREATE_NOTIFICATION": "notify/create"}

    assert (expected, []) == (parameters, warnings)
    assert registry()[names[action_type]].arguments.model_validate(parameters)


def test_templates_stay_templates():
    """A whole template may give one or several; a list of addresses becomes a list of media."""
    mail, _ = imported("SEND_EMAIL", to="{{trigger.data.email}}", subject="s", body="{{trigger.data.text}}")
    post, _ = imported("POST_TO_SOCIAL", platform="mastodon", content="x", mediaUrls="{{trigger.data.images}}")

    assert ("{{trigger.data.email}}", "{{trigger.data.text}}") == (mail["to"], mail["text"])
    assert "{{ (trigger.data.images).map(address, {'url': address}) }}" == post["media"]


@pytest.mark.parametrize(
    ("action_type", "config", "code", "gone"),
    [
        ("POST_TO_SOCIAL", {"platform": "twitter", "content": "x"}, "platform_not_offered", "platform"),
        ("SEND_EMAIL", {"to": "a@b.example", "templateId": "t1", "body": "x"}, "argument_left_out", "template_id"),
        ("SEND_EMAIL", {"to": "a@b.example", "from": "c@b.example", "body": "x"}, "argument_left_out", "from"),
        ("SEND_SLACK_MESSAGE", {"webhookUrl": "https://x.example", "text": "x"}, "argument_left_out", "webhook_url"),
        ("CREATE_NOTIFICATION", {"title": "x", "type": "push"}, "argument_left_out", "level"),
    ],
)
def test_what_cannot_be_carried_over_is_told(action_type, config, code, gone):
    """Each has a warning of its own; a secret does not stay in the workflow."""
    parameters, warnings = imported(action_type, **config)

    assert ([code], False) == (warnings, gone in parameters)
    assert "x.example" not in str(parameters)


def test_what_is_not_known_stays():
    """An argument without a name here is kept, so that the validator tells about it."""
    assert "a_key" in imported("SEND_EMAIL", to="a@b.example", subject="x", aKey=1)[0]
