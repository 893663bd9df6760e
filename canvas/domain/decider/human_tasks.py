"""What a task step asks for, from the values its templates gave."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from canvas.domain.decider.unfit import Unfit, after, brief, moment
from canvas.domain.states import TaskOwner, TaskType
from canvas.domain.steps import TaskStep

MAX_ACTION_LENGTH = 255


def asked_task(step: TaskStep, values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Put together the task that is to be raised, as plain JSON values.

    Raises:
        Unfit: a template gave a value that no task can have.
    """
    priority = _priority(values["priority"], "priority")
    owner = step.owner or (TaskOwner.AI if step.task_type is TaskType.AI_TASK else TaskOwner.CSM)
    due = _due(values["due"], now)
    return {
        "action": _text(values["action"], "action", MAX_ACTION_LENGTH) or step.name,
        "description": _text(values["description"], "description"),
        "task_type": step.task_type.value,
        "owner": owner.value,
        "priority": priority,
        "assignee": _text(values["assignee"], "assignee", 120),
        "subject": _text(values["subject"], "subject", 200) or None,
        "due_at": due,
        "requires_decision": step.requires_decision,
        "snooze_deadline": due if step.requires_decision else None,
        "complexity": step.complexity.value if step.complexity else None,
        "estimated_completion_time": step.estimated_completion_time or None,
        "outcomes": list(step.outcomes),
        "form": dict(step.form) if step.form is not None else None,
        "details": values["details"],
        "subtasks": [
            {
                "action": _text(value["action"], f"subtasks/{place}/action", MAX_ACTION_LENGTH) or f"Part {place + 1}",
                "description": _text(value["description"], f"subtasks/{place}/description"),
                "priority": priority if value["priority"] is None else _priority(value["priority"], "priority"),
                "assignee": _text(value["assignee"], f"subtasks/{place}/assignee", 120),
                "complexity": part.complexity.value if part.complexity else None,
                "estimated_completion_time": part.estimated_completion_time or None,
            }
            for place, (part, value) in enumerate(zip(step.subtasks, values["subtasks"], strict=True))
        ],
    }


def _priority(value: Any, key: str) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
        raise Unfit("invalid_task", f"`{key}` must be a whole number from 1 to 5, not {brief(value)}.")
    return value


def _due(value: Any, now: datetime) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return moment(value, key="due", code="invalid_task").isoformat()
    return after(now, value, key="due", code="invalid_task").isoformat()


def _text(value: Any, key: str, longest: int = 20_000) -> str:
    text = value if isinstance(value, str) else "" if value is None else str(value)
    if len(text) > longest:
        raise Unfit("invalid_task", f"`{key}` has {len(text):,} characters; at most {longest:,} are possible.")
    return text.strip()
