"""Runs, the attempts at their steps, and what happened in order. Only `engine.store` writes progress here."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from canvas.domain.states import LogKind, LogLevel, RunStatus, StepStatus, StepType, TriggerType
from models.columns import Row, json_field, utc_now, word

_LIVE = text("status IN ('pending', 'running', 'paused')")
_TIMED = text("due_at IS NOT NULL AND status IN ('waiting', 'retrying')")


class WorkflowRun(Row, table=True):
    """One execution of one version."""

    __tablename__ = "workflow_run"
    __table_args__ = (
        UniqueConstraint("workflow_id", "idempotency_key"),
        CheckConstraint("settled_steps >= 0 AND settled_steps <= total_steps", name="progress_in_range"),
        Index("ix_workflow_run_live", "status", "priority", "id", sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index(None, "workflow_id", "id"),
        Index(None, "status", "id"),
        Index(None, "trigger_type", "id"),
        Index(None, "parent_run_id"),
        Index(None, "schedule_id", "id"),
    )

    workflow_id: str = Field(foreign_key="workflow.id", ondelete="CASCADE", max_length=26)
    version_id: str = Field(foreign_key="workflow_version.id", ondelete="CASCADE", max_length=26, index=True)
    workflow_name: str
    "As it was called when the run was accepted."
    version_number: int
    status: RunStatus = Field(default=RunStatus.PENDING, sa_type=word(RunStatus))
    trigger_type: TriggerType = Field(default=TriggerType.MANUAL, sa_type=word(TriggerType))
    trigger_data: Any = json_field(default=None, nullable=True)
    triggered_by: str = ""
    schedule_id: str | None = Field(default=None, max_length=26)
    parameters: dict[str, Any] = json_field(default_factory=dict)
    context: dict[str, Any] = json_field(default_factory=dict)
    "What `set` steps wrote."
    output: Any = json_field(default=None, nullable=True)
    output_hash: str | None = Field(default=None, max_length=64)
    "Set instead of `output` when the value is large: the key of its `payload`."
    error: dict[str, Any] | None = json_field(default=None, nullable=True)
    "`{code, message, step, path}` of what made it fail."
    settled_steps: int = 0
    total_steps: int = 0
    "Known so far; grows when a loop learns how long it is."
    priority: int = 0
    "Higher starts first."
    dry_run: bool = False
    fixtures: dict[str, Any] = json_field(default_factory=dict)
    "Answers by step name for a dry run."
    idempotency_key: str | None = Field(default=None, max_length=255)
    scheduled_at: datetime | None = None
    "Not started before; None starts at once."
    started_at: datetime | None = None
    paused_at: datetime | None = None
    ended_at: datetime | None = None
    deadline_at: datetime | None = None
    "When the run's own timeout fails it."
    cancel_requested: bool = False
    pause_requested: bool = False
    revision: int = 0
    "Guards every write of the engine and every wish of a service."
    worker_id: str | None = Field(default=None, max_length=26, index=True)
    "The engine process that advances it; None when nobody does."
    reply_port: int | None = None
    "UDP port on loopback where somebody waits to be told, by a datagram with the run's id, that it has ended."
    parent_run_id: str | None = Field(default=None, max_length=26)
    parent_path: str | None = None
    depth: int = 0


class StepRun(SQLModel, table=True):
    """One attempt at one step. Retries are new rows; ended rows never change."""

    __tablename__ = "step_run"
    __table_args__ = (
        UniqueConstraint("run_id", "path", "attempt"),
        CheckConstraint("attempt >= 1", name="attempt_positive"),
        Index("ix_step_run_due_at", "due_at", sqlite_where=_TIMED, postgresql_where=_TIMED),
        Index(None, "child_run_id"),
    )

    id: str = Field(primary_key=True, max_length=26)
    run_id: str = Field(foreign_key="workflow_run.id", ondelete="CASCADE", max_length=26)
    path: str
    "Where it stands in the run: names of containers, iterations in brackets: `each_server[3]/deploy`."
    name: str
    type: StepType = Field(sa_type=word(StepType))
    action: str | None = None
    attempt: int = 1
    max_attempts: int = 1
    interruptions: int = 0
    "Attempts at this path, this one included, that a crash cut off."
    status: StepStatus = Field(default=StepStatus.RUNNING, sa_type=word(StepStatus))
    branch: str | None = None
    "How it came out, once ended: IF_TRUE, SWITCH_CASE, …"
    branch_value: Any = json_field(default=None, nullable=True)
    input: Any = json_field(default=None, nullable=True)
    output: Any = json_field(default=None, nullable=True)
    output_hash: str | None = Field(default=None, max_length=64)
    error: dict[str, Any] | None = json_field(default=None, nullable=True)
    "`{code, message, retryable, …}`"
    child_run_id: str | None = Field(default=None, max_length=26)
    worker_id: str | None = Field(default=None, max_length=26)
    started_at: datetime | None = None
    due_at: datetime | None = None
    "When a timer ends, or when the next attempt may start."
    ended_at: datetime | None = None


class RunLog(SQLModel, table=True):
    """What happened, in order: the change feed of the browser and the log that people read."""

    __tablename__ = "run_log"
    __table_args__ = (Index(None, "run_id", "seq"), {"sqlite_autoincrement": True})

    seq: int | None = Field(
        default=None, sa_column=sa.Column(sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True)
    )
    "Grows for ever over all runs; feeds resume by it."
    run_id: str = Field(foreign_key="workflow_run.id", ondelete="CASCADE", max_length=26)
    path: str | None = None
    attempt: int | None = None
    kind: LogKind = Field(sa_type=word(LogKind))
    level: LogLevel = Field(default=LogLevel.INFO, sa_type=word(LogLevel))
    message: str = ""
    data: dict[str, Any] | None = json_field(default=None, nullable=True)
    "For `run` and `step` rows: the new status and what else changed."
    at: datetime = Field(default_factory=utc_now)


class Payload(SQLModel, table=True):
    """A large value, kept apart from the rows that lists read, once per content."""

    __tablename__ = "payload"

    hash: str = Field(primary_key=True, max_length=64)
    "SHA-256 of `body`, in hex."
    body: bytes
    "JSON text in UTF-8."


class Worker(SQLModel, table=True):
    """A process that takes part: it carries the lease; runs and steps point to it."""

    __tablename__ = "worker"

    id: str = Field(primary_key=True, max_length=26)
    kind: str = "engine"
    "`engine` or `web`; only the first owns runs."
    host: str
    boot_id: str
    pid: int
    process_started: float
    "Seconds since the epoch; tells a process from a later one with the same pid."
    doorbell_port: int | None = None
    "UDP port on loopback where a datagram means: look at the database."
    lease_until: datetime
    started_at: datetime = Field(default_factory=utc_now)
