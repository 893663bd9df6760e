"""The types of events: those Canvas tells by itself, and those that programs which run social accounts usually send."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

MAX_CHAIN = 10
"So many runs may start each other by events; then it stops, because it would not end by itself."
DEFAULT_TIME_TO_LIVE = timedelta(hours=1)
MAX_TIME_TO_LIVE = timedelta(days=30)
OWN_TIME_TO_LIVE = timedelta(days=1)
"Of the events that Canvas tells by itself."
MAX_TYPE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event that is known beforehand; any other can be sent too."""

    name: str
    description: str
    example: Mapping[str, Any] = field(default_factory=dict)
    "What its `data` looks like."
    constant: str = ""
    "How older documents call it: the same in capitals, which is how the importer finds it."
    is_own: bool = False
    "Whether Canvas tells it by itself."


_RUN = {"run_id": "01JAZ3F5R3W8Q6S2V4X7Y9Z1AB", "workflow": "backup", "version": 3, "status": "completed"}
_FAILED = {
    **_RUN,
    "status": "failed",
    "error": {"code": "http_status", "message": "The server answered 500.", "step": "upload"},
}
_TASK = {"task_id": "01JAZ3F5R3W8Q6S2V4X7Y9Z1AB", "outcome": "APPROVED", "priority": 2, "ended_by": "ada"}
_POST = {"id": "42", "platform": "mastodon", "text": "Hello"}

KNOWN_EVENTS: tuple[EventType, ...] = (
    EventType("run.completed", "A run ended well.", _RUN, is_own=True),
    EventType("run.failed", "A run failed.", _FAILED, is_own=True),
    EventType("run.cancelled", "A run was cancelled.", {**_RUN, "status": "cancelled"}, is_own=True),
    EventType("task.completed", "Somebody completed a task.", _TASK, is_own=True),
    EventType("task.skipped", "Somebody skipped a task.", _TASK, is_own=True),
    EventType("task.cancelled", "A task was cancelled.", _TASK, is_own=True),
    EventType(
        "workflow.published",
        "A version was published.",
        {"workflow": "backup", "version": 4},
        is_own=True,
    ),
    EventType("workflow.archived", "A workflow was taken out of use.", {"workflow": "backup"}, is_own=True),
    EventType("post.created", "A post was drafted.", _POST, "POST_CREATED"),
    EventType("post.scheduled", "A post was given a time.", {**_POST, "at": "2030-01-01T09:00:00Z"}, "POST_SCHEDULED"),
    EventType("post.published", "A post went out.", {**_POST, "url": "https://example.social/42"}, "POST_PUBLISHED"),
    EventType("post.failed", "A post could not go out.", {**_POST, "error": "The token has expired."}, "POST_FAILED"),
    EventType("comment.received", "Somebody commented.", {"post_id": "42", "from": "ada"}, "COMMENT_RECEIVED"),
    EventType("mention.received", "Somebody mentioned an account.", {"from": "ada"}, "MENTION_RECEIVED"),
)
"""What the editor offers, ours first; the six with a constant are those of the older form."""
