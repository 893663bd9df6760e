"""Tasks as lists and trees."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain.states import TaskExecution, TaskOwner, TaskStatus, TaskType
from canvas.services.tasks import TaskNotFound
from models import Task

MAX_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """One task."""

    id: str
    created_at: datetime
    updated_at: datetime
    workflow_execution_id: str | None
    "The run it came from."
    step_path: str | None
    customer_id: str | None
    "Whom or what it is about."
    task_type: TaskType
    owner: TaskOwner
    assignee: str
    action: str
    description: str
    recommendation_id: str | None
    status: TaskStatus
    priority: int
    due_at: datetime | None
    requires_decision: bool
    snooze_count: int
    first_snoozed_at: datetime | None
    snooze_deadline: datetime | None
    snoozed_until: datetime | None
    completed_at: datetime | None
    skipped_at: datetime | None
    skip_reason: str | None
    cancelled_at: datetime | None
    ended_by: str
    outcomes: list[str]
    outcome: str | None
    form: dict[str, Any] | None
    answers: Any
    original_workflow_execution_id: str | None
    surfaced_in_workflow_ids: list[str]
    metadata: dict[str, Any]
    auto_execute: bool
    processor: str | None
    execution_status: TaskExecution | None
    execution_result: Any
    executed_at: datetime | None
    retry_count: int
    parent_task_id: str | None
    estimated_completion_time: str | None
    complexity: str | None
    created_by: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskBranch:
    """One task of a tree, with how deep it is."""

    depth: int
    "0 for the task that was asked for."
    task: TaskRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks to list; what is empty or None does not matter."""

    statuses: Collection[TaskStatus] = ()
    owner: TaskOwner | None = None
    task_type: TaskType | None = None
    assignee: str | None = None
    run_id: str | None = None
    subject: str | None = None
    auto_execute: bool | None = None
    execution_status: TaskExecution | None = None
    parent_task_id: str | None = None
    roots_only: bool = False


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Some tasks, and where to go on."""

    tasks: list[TaskRow]
    next_cursor: str
    "Empty at the end."


_RENAMED = {
    "workflow_execution_id": "run_id",
    "step_path": "path",
    "customer_id": "subject",
    "original_workflow_execution_id": "original_run_id",
    "surfaced_in_workflow_ids": "surfaced_in_run_ids",
    "metadata": "details",
}


def task_page(session: Session, wanted: TaskFilter, *, limit: int = 50, cursor: str = "") -> TaskPage:
    """List tasks, the most urgent first, then the oldest.

    Args:
        cursor: `next_cursor` of the page before; anything else that is not empty starts at the beginning.
    """
    query = select(Task).where(*_conditions(wanted)).order_by(col(Task.priority), col(Task.id))
    priority, _, last = cursor.partition(":")
    if priority.isascii() and priority.isdigit() and last:
        query = query.where(sa.tuple_(col(Task.priority), col(Task.id)) > sa.tuple_(int(priority[:3]), last))
    bound = max(1, min(limit, MAX_ROWS))
    rows = session.exec(query.limit(bound + 1)).all()
    page = rows[:bound]
    following = f"{page[-1].priority}:{page[-1].id}" if len(rows) > bound else ""
    return TaskPage([_row(task) for task in page], following)


def task_row(session: Session, task_id: str) -> TaskRow:
    """Give one task.

    Raises:
        TaskNotFound: there is none.
    """
    task = session.get(Task, task_id)
    if task is None:
        raise TaskNotFound(f"There is no task {task_id!r}.", task_id=task_id)
    return _row(task)


def task_tree(session: Session, task_id: str) -> list[TaskBranch]:
    """Give a task and its sub-tasks of any depth by one query: parents before children, siblings by age.

    Raises:
        TaskNotFound: there is no such task.
    """
    table = sa.inspect(Task).local_table
    top = sa.select(table.c.id, sa.literal(0).label("depth"), sa.cast(table.c.id, sa.Text).label("trail"))
    tree = top.where(table.c.id == task_id).cte("tree", recursive=True)
    trail = sa.cast(tree.c.trail + sa.literal("/") + table.c.id, sa.Text)
    below = sa.select(table.c.id, tree.c.depth + 1, trail).join_from(table, tree, table.c.parent_task_id == tree.c.id)
    tree = tree.union_all(below)
    query = select(Task, tree.c.depth).join(tree, tree.c.id == table.c.id).order_by(tree.c.trail)
    rows = session.execute(query).all()
    if not rows:
        raise TaskNotFound(f"There is no task {task_id!r}.", task_id=task_id)
    return [TaskBranch(depth=depth, task=_row(task)) for task, depth in rows]


def _conditions(wanted: TaskFilter) -> list[Any]:
    equal = {
        Task.owner: wanted.owner,
        Task.task_type: wanted.task_type,
        Task.assignee: wanted.assignee,
        Task.run_id: wanted.run_id,
        Task.subject: wanted.subject,
        Task.auto_execute: wanted.auto_execute,
        Task.execution_status: wanted.execution_status,
        Task.parent_task_id: wanted.parent_task_id,
    }
    conditions: list[Any] = [column == value for column, value in equal.items() if value is not None]
    if wanted.statuses:
        conditions.append(col(Task.status).in_(list(wanted.statuses)))
    if wanted.roots_only:
        conditions.append(col(Task.parent_task_id).is_(None))
    return conditions


def _row(task: Task) -> TaskRow:
    return TaskRow(**{one.name: getattr(task, _RENAMED.get(one.name, one.name)) for one in fields(TaskRow)})
