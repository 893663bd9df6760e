"""Tasks: raising them, working them off, and what follows for their parents and for the runs that wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import jsonschema_rs
import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain import tasks as rules
from canvas.domain.errors import Conflict, Invalid, NotFound
from canvas.domain.json_schemas import validator
from canvas.domain.states import Complexity, StepStatus, TaskExecution, TaskOwner, TaskStatus, TaskType
from canvas.services.access import Actor
from canvas.services.doorbell import wake_engine
from canvas.services.events import emit
from models import StepRun, Task, WorkflowRun

MAX_DEPTH = 50
MAX_ACTION_LENGTH = 255


class TaskNotFound(NotFound):
    """There is no such task."""

    code = "task_not_found"


class StaleTask(Conflict):
    """The task was changed since it was looked at."""

    code = "stale_task"


class BadAnswers(Invalid):
    """The answers do not fit the task's form."""

    code = "bad_answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWish:
    """What a task is to be."""

    action: str
    description: str = ""
    task_type: TaskType = TaskType.CSM_TASK
    owner: TaskOwner | None = None
    "None follows the type."
    priority: int = 3
    assignee: str = ""
    subject: str | None = None
    run_id: str | None = None
    parent_task_id: str | None = None
    due_at: datetime | None = None
    requires_decision: bool = False
    snooze_deadline: datetime | None = None
    outcomes: Sequence[str] = ()
    form: Mapping[str, Any] | None = None
    recommendation_id: str | None = None
    auto_execute: bool = False
    processor: str | None = None
    estimated_completion_time: str | None = None
    complexity: Complexity | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChange:
    """What about an open task is to be different; None leaves it."""

    action: str | None = None
    description: str | None = None
    priority: int | None = None
    assignee: str | None = None
    due_at: datetime | None = None
    status: TaskStatus | None = None
    "Only `pending` and `in_progress`; the others have calls of their own."


def create_task(session: Session, wish: TaskWish, *, actor: Actor) -> str:
    """Raise a task; gives its id.

    Raises:
        Invalid: a value is out of bounds, or the form is no JSON Schema.
        TaskNotFound: there is no such parent.
        TaskEnded: the parent has ended.
        NotFound: there is no such run.
    """
    _check(wish)
    if wish.run_id is not None and session.get(WorkflowRun, wish.run_id) is None:
        raise NotFound(f"There is no run {wish.run_id!r}.")
    if wish.parent_task_id is not None:
        _require_parent(session, wish.parent_task_id)
    owner = wish.owner or (TaskOwner.AI if wish.task_type is TaskType.AI_TASK else TaskOwner.CSM)
    values = {one.name: getattr(wish, one.name) for one in fields(wish)}
    values |= {"outcomes": list(wish.outcomes), "form": dict(wish.form) if wish.form else None}
    task = Task(**values | {"owner": owner, "details": dict(wish.details), "original_run_id": wish.run_id})
    task.created_by = actor.name
    task.execution_status = TaskExecution.QUEUED if wish.auto_execute else None
    session.add(task)
    session.flush()
    return task.id


def change_task(
    session: Session, task_id: str, change: TaskChange, *, now: datetime, revision: int | None = None
) -> None:
    """Change an open task.

    Args:
        revision: What the caller looked at; None changes whatever there is.

    Raises:
        TaskNotFound, TaskEnded, StaleTask: it cannot be changed.
        Invalid: a value is out of bounds.
    """
    task = _open_task(session, task_id, revision)
    if change.status not in (None, TaskStatus.PENDING, TaskStatus.IN_PROGRESS):
        raise Invalid(f"A task becomes {change.status} by a call of its own.")
    for one in fields(change):
        value = getattr(change, one.name)
        if value is not None:
            setattr(task, one.name, value)
    _check_bounds(task.action, task.priority)
    _touch(task, now)


def complete_task(
    session: Session,
    task_id: str,
    *,
    actor: Actor,
    now: datetime,
    outcome: str | None = None,
    answers: Any = None,
    revision: int | None = None,
) -> None:
    """End a task as done; a run that waits for it goes on, and a parent whose sub-tasks have all ended is done too.

    Raises:
        TaskNotFound, TaskEnded, StaleTask: it cannot be completed.
        BadOutcome: it is none of the task's outcomes.
        BadAnswers: they do not fit the form.
    """
    task = _open_task(session, task_id, revision)
    outcome = rules.checked_outcome(outcome, task.outcomes)
    if task.form is not None:
        _check_answers(task.form, answers)
    task.outcome, task.answers, task.completed_at = outcome, answers, now
    _end(session, task, TaskStatus.COMPLETED, actor, now)


def skip_task(
    session: Session, task_id: str, *, actor: Actor, now: datetime, reason: str, revision: int | None = None
) -> None:
    """End a task undone, and say why.

    Raises:
        TaskNotFound, TaskEnded, StaleTask: it cannot be skipped.
        Invalid: no reason is given.
    """
    if not reason.strip():
        raise Invalid("Say why the task is skipped.")
    task = _open_task(session, task_id, revision)
    task.skip_reason, task.skipped_at = reason.strip(), now
    _end(session, task, TaskStatus.SKIPPED, actor, now)


def cancel_task(session: Session, task_id: str, *, actor: Actor, now: datetime, revision: int | None = None) -> None:
    """End a task because it is not wanted any more; its open sub-tasks too.

    Raises:
        TaskNotFound, TaskEnded, StaleTask: it cannot be cancelled.
    """
    task = _open_task(session, task_id, revision)
    for row in _descendants(session, task.id):
        if not row.status.is_terminal:
            row.status, row.cancelled_at, row.ended_by = TaskStatus.CANCELLED, now, actor.name
            _touch(row, now)
    task.cancelled_at = now
    _end(session, task, TaskStatus.CANCELLED, actor, now)


def snooze_task(session: Session, task_id: str, until: datetime, *, now: datetime, revision: int | None = None) -> None:
    """Put a task aside until a moment.

    Raises:
        TaskNotFound, TaskEnded, StaleTask: it cannot be snoozed.
        Invalid: the moment is not in the future.
        SnoozeRefused: it requires a decision before then.
    """
    task = _open_task(session, task_id, revision)
    rules.check_snooze(rules.Snoozing(task.requires_decision, task.snooze_deadline), until, now=now)
    task.status, task.snoozed_until = TaskStatus.SNOOZED, until
    task.first_snoozed_at = task.first_snoozed_at or now
    task.snooze_count += 1
    _touch(task, now)


def wake_tasks(session: Session, *, now: datetime) -> int:
    """Bring back what was snoozed until now; gives how many."""
    rows = session.exec(select(Task).where(*_due(now))).all()
    for task in rows:
        task.status, task.snoozed_until = TaskStatus.PENDING, None
        _touch(task, now)
    return len(rows)


def has_tasks_to_wake(session: Session, *, now: datetime) -> bool:
    """Tell whether `wake_tasks` would find something."""
    return session.exec(select(Task.id).where(*_due(now)).limit(1)).first() is not None


def _due(now: datetime) -> tuple[Any, ...]:
    return Task.status == TaskStatus.SNOOZED, col(Task.snoozed_until) <= now


def reopen_task(session: Session, task_id: str, *, now: datetime) -> None:
    """Take an ended task up again. A run that it let go on is not called back.

    Raises:
        TaskNotFound: there is no such task.
        TaskOpen: it has not ended.
    """
    task = find_task(session, task_id)
    rules.require_ended(task.status)
    task.status = TaskStatus.PENDING
    task.completed_at = task.skipped_at = task.cancelled_at = None
    task.skip_reason = task.outcome = task.answers = None
    task.ended_by = ""
    _touch(task, now)


def find_task(session: Session, task_id: str) -> Task:
    """Load a task, and keep others from changing it meanwhile.

    Raises:
        TaskNotFound: there is no such task.
    """
    task = session.exec(select(Task).where(Task.id == task_id).with_for_update()).one_or_none()
    if task is None:
        raise TaskNotFound(f"There is no task {task_id!r}.", task_id=task_id)
    return task


def _open_task(session: Session, task_id: str, revision: int | None) -> Task:
    task = find_task(session, task_id)
    rules.require_open(task.status)
    if revision is not None and revision != task.revision:
        raise StaleTask(f"The task is at revision {task.revision}; you looked at {revision}.", revision=task.revision)
    return task


def _end(session: Session, task: Task, status: TaskStatus, actor: Actor, now: datetime) -> None:
    task.status, task.ended_by, task.snoozed_until = status, actor.name, None
    _touch(task, now)
    session.flush()
    emit(session, f"task.{status}", _told(task), source=f"task:{task.id}")
    _wake_run(session, task, now)
    if task.parent_task_id is not None:
        _roll_up(session, task.parent_task_id, actor, now)


def _roll_up(session: Session, parent_id: str, actor: Actor, now: datetime) -> None:
    parent = find_task(session, parent_id)
    if parent.status.is_terminal:
        return
    children = select(Task.status).where(Task.parent_task_id == parent_id)
    status = rules.rolled_up(map(TaskStatus, session.exec(children).all()))
    if status is not None:
        parent.outcome, parent.completed_at = parent.outcome or rules.DONE, now
        _end(session, parent, status, actor, now)


def _wake_run(session: Session, task: Task, now: datetime) -> None:
    """Let the engine look at the step run that waits for this task."""
    if task.run_id is None or task.path is None:
        return
    session.execute(
        sa.update(StepRun)
        .where(col(StepRun.run_id) == task.run_id, col(StepRun.path) == task.path)
        .where(col(StepRun.status) == StepStatus.WAITING)
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )
    wake_engine(session)


def _told(task: Task) -> dict[str, Any]:
    """Give what an event tells about a task."""
    return {
        "task_id": task.id,
        "action": task.action,
        "task_type": task.task_type,
        "owner": task.owner,
        "assignee": task.assignee,
        "subject": task.subject,
        "priority": task.priority,
        "outcome": task.outcome,
        "answers": task.answers,
        "ended_by": task.ended_by,
        "run_id": task.run_id,
        "parent_task_id": task.parent_task_id,
    }


def _touch(task: Task, now: datetime) -> None:
    task.updated_at, task.revision = now, task.revision + 1


def _require_parent(session: Session, parent_id: str) -> None:
    parent, depth = find_task(session, parent_id), 1
    rules.require_open(parent.status)
    while parent.parent_task_id is not None:
        parent, depth = find_task(session, parent.parent_task_id), depth + 1
    if depth >= MAX_DEPTH:
        raise Invalid(f"Tasks nest {MAX_DEPTH} deep, no deeper.")


def _descendants(session: Session, task_id: str) -> list[Task]:
    found: list[Task] = []
    parents = [task_id]
    while parents:
        level = session.exec(select(Task).where(col(Task.parent_task_id).in_(parents))).all()
        found.extend(level)
        parents = [task.id for task in level]
    return found


def _check(wish: TaskWish) -> None:
    _check_bounds(wish.action, wish.priority)
    if wish.auto_execute and not wish.processor:
        raise Invalid("A task that is executed by itself needs a processor: the name of an action or a workflow.")
    if wish.form is not None:
        try:
            validator(wish.form)
        except (ValueError, jsonschema_rs.ValidationError) as error:
            raise Invalid(f"The form is no JSON Schema: {error}.") from None


def _check_bounds(action: str, priority: int) -> None:
    if not 0 < len(action.strip()) <= MAX_ACTION_LENGTH:
        raise Invalid(f"A task says in 1 to {MAX_ACTION_LENGTH} characters what is to be done.")
    if not 1 <= priority <= 5:
        raise Invalid("A priority is between 1, the most urgent, and 5.", priority=priority)


def _check_answers(form: Mapping[str, Any], answers: Any) -> None:
    errors = list(validator(form).iter_errors(answers))
    if errors:
        told = [f"{'.'.join(map(str, error.instance_path)) or 'answers'}: {error.message}" for error in errors[:20]]
        raise BadAnswers(f"The answers do not fit the form: {'; '.join(told)}.", problems=told)
