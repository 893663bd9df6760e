"""What tasks may become, and how sub-tasks roll up into their parent. Pure: what is, in; what should be, out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from canvas.domain.errors import Conflict, Invalid
from canvas.domain.states import TaskStatus

DONE = "DONE"
"The outcome of a task that names none."
SKIPPED = "SKIPPED"
"How a task came out that somebody skipped."


class TaskEnded(Conflict):
    """The task has already ended."""

    code = "task_ended"


class TaskOpen(Conflict):
    """The task has not ended."""

    code = "task_open"


class SnoozeRefused(Conflict):
    """The task cannot be snoozed any more; it needs a decision."""

    code = "snooze_refused"


class BadOutcome(Invalid):
    """The task cannot come out like this."""

    code = "bad_outcome"


@dataclass(frozen=True, slots=True)
class Snoozing:
    """What is known of a task's snoozes."""

    requires_decision: bool
    deadline: datetime | None


def require_open(status: TaskStatus) -> None:
    """Refuse to end, change or snooze what has ended.

    Raises:
        TaskEnded: nothing is left to do.
    """
    if status.is_terminal:
        raise TaskEnded(f"The task is {status} already.", status=status)


def require_ended(status: TaskStatus) -> None:
    """Refuse to reopen what is open.

    Raises:
        TaskOpen: it is.
    """
    if not status.is_terminal:
        raise TaskOpen(f"The task is {status}; only one that has ended can be reopened.", status=status)


def checked_outcome(outcome: str | None, outcomes: Iterable[str]) -> str:
    """Give how a task comes out.

    Raises:
        BadOutcome: the task offers outcomes, and this is none of them.
    """
    offered = list(outcomes)
    if not offered:
        if outcome not in (None, DONE):
            raise BadOutcome(f"This task has no outcomes to choose from; {outcome!r} is none.", outcomes=[])
        return DONE
    if outcome not in offered:
        raise BadOutcome(f"This task comes out as one of {', '.join(offered)}.", outcomes=offered)
    return outcome


def check_snooze(snoozing: Snoozing, until: datetime, *, now: datetime) -> None:
    """Refuse a snooze into the past, or beyond the moment at which somebody has to decide.

    Raises:
        Invalid: `until` is not in the future.
        SnoozeRefused: the task requires a decision, and `until` is after its deadline.
    """
    if until <= now:
        raise Invalid("A task is snoozed until a moment in the future.")
    if snoozing.requires_decision and snoozing.deadline is not None and until > snoozing.deadline:
        raise SnoozeRefused(
            f"This task needs a decision by {snoozing.deadline.isoformat()}; it cannot be snoozed beyond that.",
            snooze_deadline=snoozing.deadline.isoformat(),
        )


def rolled_up(children: Iterable[TaskStatus]) -> TaskStatus | None:
    """Give the status that a parent takes from its sub-tasks; None leaves it as it is.

    A parent is completed as soon as every sub-task has been completed, skipped or cancelled.
    """
    known = list(children)
    return TaskStatus.COMPLETED if known and all(status.is_terminal for status in known) else None


def is_moment(value: object) -> bool:
    """Tell whether a value is the text of a moment with an offset."""
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
