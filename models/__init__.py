"""Every table, in one place, so that importing this package fills the metadata."""

from models.access import Connection
from models.action import Action, ActionArgument, ActionInvariant
from models.mcp import McpServer, McpTool
from models.notification import Notification, NotificationRead, NotificationRecipient
from models.proposal import ActionProposal, WorkflowProposal
from models.run import Payload, RunLog, StepRun, Worker, WorkflowRun
from models.task import Task
from models.token import ApiToken
from models.trigger import (
    Event,
    EventDelivery,
    EventSubscription,
    Schedule,
    ScheduleFire,
    Webhook,
    WebhookDelivery,
    WebhookSeen,
)
from models.workflow import Workflow, WorkflowStep, WorkflowVersion

__all__ = [
    "Action",
    "ActionArgument",
    "ActionInvariant",
    "ActionProposal",
    "ApiToken",
    "Connection",
    "Event",
    "EventDelivery",
    "EventSubscription",
    "McpServer",
    "McpTool",
    "Notification",
    "NotificationRead",
    "NotificationRecipient",
    "Payload",
    "RunLog",
    "Schedule",
    "ScheduleFire",
    "StepRun",
    "Task",
    "Webhook",
    "WebhookDelivery",
    "WebhookSeen",
    "Worker",
    "Workflow",
    "WorkflowProposal",
    "WorkflowRun",
    "WorkflowStep",
    "WorkflowVersion",
]
