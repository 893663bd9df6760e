"""Every table, in one place, so that importing this package fills the metadata."""

from models.access import Connection
from models.action import Action, ActionArgument, ActionInvariant
from models.notification import Notification
from models.run import Payload, RunLog, StepRun, Worker, WorkflowRun
from models.token import ApiToken
from models.trigger import EventSubscription, Schedule, ScheduleFire, Webhook
from models.workflow import Workflow, WorkflowStep, WorkflowVersion

__all__ = [
    "Action",
    "ActionArgument",
    "ActionInvariant",
    "ApiToken",
    "Connection",
    "EventSubscription",
    "Notification",
    "Payload",
    "RunLog",
    "Schedule",
    "ScheduleFire",
    "StepRun",
    "Webhook",
    "Worker",
    "Workflow",
    "WorkflowRun",
    "WorkflowStep",
    "WorkflowVersion",
]
