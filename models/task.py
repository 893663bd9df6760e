"""Work for people and for AI, raised by a run or by hand."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from canvas.domain.states import Complexity, TaskExecution, TaskOwner, TaskStatus, TaskType
from models.columns import Row, json_field, utc_now, word

_HAS_PARENT = text("parent_task_id IS NOT NULL")
_IS_AUTOMATIC = text("auto_execute")
_IS_EXECUTING = text("execution_status IN ('queued', 'running')")
_IS_OPEN = text("status IN ('pending', 'in_progress', 'snoozed')")


class Task(Row, table=True):
    """One piece of work. It may have sub-tasks of any depth."""

    __tablename__ = "task"
    __table_args__ = (
        CheckConstraint("priority BETWEEN 1 AND 5", name="priority_in_range"),
        CheckConstraint("length(action) > 0", name="action_not_empty"),
        CheckConstraint("snooze_count >= 0 AND retry_count >= 0", name="counts_not_negative"),
        CheckConstraint("parent_task_id IS NULL OR parent_task_id <> id", name="not_its_own_parent"),
        Index("ix_task_parent_task_id", "parent_task_id", sqlite_where=_HAS_PARENT, postgresql_where=_HAS_PARENT),
        Index(
            "ix_task_auto_execute",
            "auto_execute",
            "execution_status",
            sqlite_where=_IS_AUTOMATIC,
            postgresql_where=_IS_AUTOMATIC,
        ),
        Index(
            "ix_task_execution_status", "execution_status", sqlite_where=_IS_EXECUTING, postgresql_where=_IS_EXECUTING
        ),
        Index("ix_task_open", "priority", "id", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        Index(None, "run_id", "path"),
    )

    updated_at: datetime = Field(default_factory=utc_now)
    run_id: str | None = Field(default=None, foreign_key="workflow_run.id", ondelete="SET NULL", max_length=26)
    path: str | None = None
    "The step run that waits for it, within the run."
    attempt: int | None = None
    subject: str | None = Field(default=None, max_length=200, index=True)
    "Whom or what it is about, such as a customer."
    task_type: TaskType = Field(default=TaskType.CSM_TASK, sa_type=word(TaskType))
    owner: TaskOwner = Field(default=TaskOwner.CSM, sa_type=word(TaskOwner))
    assignee: str = Field(default="", max_length=120, index=True)
    "Empty: anybody of the team."
    action: str = Field(max_length=255)
    "What is to be done, in a few words."
    description: str = ""
    recommendation_id: str | None = Field(default=None, max_length=200)
    status: TaskStatus = Field(default=TaskStatus.PENDING, sa_type=word(TaskStatus))
    priority: int = 3
    "1 is the most urgent, 5 the least."
    due_at: datetime | None = None
    requires_decision: bool = False
    "After `snooze_deadline` it can be snoozed no more."
    snooze_count: int = 0
    first_snoozed_at: datetime | None = None
    snooze_deadline: datetime | None = None
    snoozed_until: datetime | None = None
    completed_at: datetime | None = None
    skipped_at: datetime | None = None
    skip_reason: str | None = None
    cancelled_at: datetime | None = None
    ended_by: str = ""
    outcomes: list[str] = json_field(default_factory=list)
    "How it can come out; empty: it is simply done."
    outcome: str | None = None
    form: dict[str, Any] | None = json_field(default=None, nullable=True)
    "JSON Schema of the answers."
    answers: Any = json_field(default=None, nullable=True)
    original_run_id: str | None = Field(default=None, max_length=26)
    surfaced_in_run_ids: list[str] = json_field(default_factory=list)
    details: dict[str, Any] = json_field(default_factory=dict)
    "Called `metadata` by the API."
    auto_execute: bool = False
    processor: str | None = Field(default=None, max_length=255)
    "The action or workflow that executes it."
    execution_status: TaskExecution | None = Field(default=None, sa_type=word(TaskExecution))
    execution_result: Any = json_field(default=None, nullable=True)
    executed_at: datetime | None = None
    execution_run_id: str | None = Field(default=None, max_length=26, index=True)
    retry_count: int = 0
    next_retry_at: datetime | None = None
    parent_task_id: str | None = Field(default=None, foreign_key="task.id", ondelete="CASCADE", max_length=26)
    estimated_completion_time: str | None = Field(default=None, max_length=50)
    complexity: Complexity | None = Field(default=None, sa_type=word(Complexity))
    created_by: str = ""
    revision: int = 0
    "Grows with each change; a decision names the revision it was made on."
