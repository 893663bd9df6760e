"""The hot statements: written in SQLAlchemy Core against the models, compiled once, run on the raw connection.

Parameters are tuples in the order that each statement lists; moments and JSON are passed as the text that columns hold.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from models import (
    ActionProposal,
    Notification,
    NotificationRecipient,
    Payload,
    RunLog,
    StepRun,
    Task,
    Worker,
    Workflow,
    WorkflowProposal,
    WorkflowRun,
    WorkflowVersion,
)
from models.columns import table_of

_DIALECT = sqlite.dialect()


RUN, STEP, LOG = table_of(WorkflowRun), table_of(StepRun), table_of(RunLog)
VERSION, WORKFLOW = table_of(WorkflowVersion), table_of(Workflow)
PAYLOAD, WORKER = table_of(Payload), table_of(Worker)
NOTIFICATION, RECIPIENT = table_of(Notification), table_of(NotificationRecipient)
PAYLOAD, WORKER, NOTIFICATION = table_of(Payload), table_of(Worker), table_of(Notification)
TASK = table_of(Task)
PROPOSAL, PROPOSED = table_of(WorkflowProposal), table_of(ActionProposal)
_LIVE = sa.text("status IN ('running', 'paused')")


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """SQL and the names of its parameters, in order."""

    sql: str
    parameters: tuple[str, ...]
    is_exact: bool = False
    "Whether each row of parameters has to change exactly one row."


def given(name: str) -> sa.BindParameter[Any]:
    """Declare a parameter that is passed in the form the column holds."""
    return sa.bindparam(f"p_{name}", type_=sa.Text)


def compiled(statement: Any, *parameters: str, is_exact: bool = False) -> Statement:
    """Compile a statement and check that its parameters come in the order given."""
    result = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    order = tuple(name.removeprefix("p_") for name in result.positiontup or ())
    assert order == parameters, f"{order} != {parameters} in {result}"
    return Statement(str(result), order, is_exact)


def _insert(table: sa.Table, *columns: str) -> Statement:
    return compiled(sa.insert(table).values({name: given(name) for name in columns}), *columns)


def _update_run(*columns: str) -> Statement:
    """Update a run that this worker owns; no row means that somebody else does, or that it has ended."""
    statement = sa.update(RUN).values({name: given(name) for name in columns})
    statement = statement.where(RUN.c.id == given("id"), RUN.c.worker_id == given("owner"), _LIVE)
    return compiled(statement, *columns, "id", "owner")


INSERT_RUN = _insert(
    RUN,
    "id",
    "created_at",
    "workflow_id",
    "version_id",
    "workflow_name",
    "version_number",
    "status",
    "trigger_type",
    "trigger_data",
    "triggered_by",
    "parameters",
    "context",
    "settled_steps",
    "total_steps",
    "priority",
    "dry_run",
    "fixtures",
    "cancel_requested",
    "pause_requested",
    "revision",
    "parent_run_id",
    "parent_path",
    "depth",
)
INSERT_STEP = _insert(
    STEP,
    "id",
    "run_id",
    "path",
    "name",
    "type",
    "action",
    "attempt",
    "max_attempts",
    "interruptions",
    "status",
    "branch",
    "branch_value",
    "input",
    "output",
    "output_hash",
    "error",
    "child_run_id",
    "worker_id",
    "started_at",
    "due_at",
    "ended_at",
)
INSERT_LOG = _insert(LOG, "run_id", "path", "attempt", "kind", "level", "message", "data", "at")
INSERT_NOTIFICATION = _insert(
    NOTIFICATION, "id", "created_at", "title", "body", "level", "link", "run_id", "is_for_everybody"
)
INSERT_RECIPIENT = _insert(RECIPIENT, "user_name", "notification_id")
INSERT_PAYLOAD = compiled(
    sqlite.insert(PAYLOAD).values(hash=given("hash"), body=given("body")).on_conflict_do_nothing(), "hash", "body"
)
INSERT_WORKER = _insert(
    WORKER, "id", "kind", "host", "boot_id", "pid", "process_started", "doorbell_port", "lease_until", "started_at"
)

_AT_STEP = (STEP.c.run_id == given("run_id"), STEP.c.path == given("path"), STEP.c.attempt == given("attempt"))
END_STEP = compiled(
    sa.update(STEP)
    .values({n: given(n) for n in ("interruptions", "status", "branch", "output", "output_hash", "error", "ended_at")})
    .where(*_AT_STEP, sa.text("status IN ('running', 'waiting', 'retrying')")),
    "interruptions",
    "status",
    "branch",
    "output",
    "output_hash",
    "error",
    "ended_at",
    "run_id",
    "path",
    "attempt",
    is_exact=True,
)
RESTART_STEP = compiled(
    sa.update(STEP)
    .values({n: given(n) for n in ("status", "child_run_id", "worker_id", "started_at")})
    .values(due_at=sa.null())
    .where(*_AT_STEP, sa.text("status = 'retrying'")),
    "status",
    "child_run_id",
    "worker_id",
    "started_at",
    "run_id",
    "path",
    "attempt",
    is_exact=True,
)
WAKE_PARENT = compiled(
    sa.update(STEP)
    .values(due_at=given("due_at"))
    .where(STEP.c.child_run_id == given("child_run_id"), sa.text("status = 'waiting'")),
    "due_at",
    "child_run_id",
)
CANCEL_CHILD = compiled(
    sa.update(RUN)
    .values(cancel_requested=sa.true(), revision=sa.literal_column("revision + 1"))
    .where(
        RUN.c.parent_run_id == given("parent_run_id"),
        RUN.c.parent_path == given("parent_path"),
        sa.text("status IN ('pending', 'running', 'paused')"),
    ),
    "parent_run_id",
    "parent_path",
)

INSERT_TASK = _insert(
    TASK,
    "id",
    "created_at",
    "updated_at",
    "run_id",
    "path",
    "attempt",
    "subject",
    "task_type",
    "owner",
    "assignee",
    "action",
    "description",
    "status",
    "priority",
    "due_at",
    "requires_decision",
    "snooze_count",
    "snooze_deadline",
    "ended_by",
    "outcomes",
    "form",
    "original_run_id",
    "surfaced_in_run_ids",
    "details",
    "auto_execute",
    "retry_count",
    "parent_task_id",
    "estimated_completion_time",
    "complexity",
    "created_by",
    "revision",
)
_RAISED = sa.select(TASK.c.id).where(TASK.c.run_id == given("run_id"), TASK.c.path == given("path"))
_TREE = _RAISED.cte("tree", recursive=True)
_TREE = _TREE.union_all(sa.select(TASK.c.id).where(TASK.c.parent_task_id == _TREE.c.id))
WITHDRAW_TASK = compiled(
    sa.update(TASK)
    .values({n: given(n) for n in ("status", "cancelled_at", "updated_at")})
    .values(revision=sa.literal_column("revision + 1"))
    .where(TASK.c.id.in_(sa.select(_TREE.c.id)), sa.text("task.status IN ('pending', 'in_progress', 'snoozed')")),
    "run_id",
    "path",
    "updated_at",
    "status",
    "cancelled_at",
)
"""Cancel what is open of a task and its sub-tasks, because the step that raised it does not wait any more."""

RUN_PROGRESS = _update_run("settled_steps", "total_steps")
RUN_ADOPT = compiled(
    sa.update(RUN)
    .values(worker_id=given("worker_id"))
    .where(RUN.c.id == given("id"), RUN.c.worker_id == given("owner"), _LIVE),
    "worker_id",
    "id",
    "owner",
)
"""Take a run over from a worker that is gone; no row means that somebody was faster."""
RUN_CONTEXT = _update_run("context")
RUN_STATUS = _update_run("status", "paused_at")
RUN_HOLD = _update_run("pause_requested")
RUN_END = _update_run("status", "output", "output_hash", "error", "ended_at")

FAIL_RUN = compiled(
    sa.update(RUN)
    .values({n: given(n) for n in ("status", "error", "ended_at")})
    .where(RUN.c.id == given("id"), sa.text("status IN ('pending', 'running', 'paused')")),
    "status",
    "error",
    "ended_at",
    "id",
)
"""End a run that cannot be led any further, whoever owns it."""
CANCEL_OPEN_STEPS = compiled(
    sa.update(STEP)
    .values({n: given(n) for n in ("status", "ended_at")})
    .where(STEP.c.run_id == given("run_id"), sa.text("status IN ('pending', 'running', 'waiting', 'retrying')")),
    "status",
    "ended_at",
    "run_id",
)

_CLAIM = (
    sa.update(RUN)
    .values({n: given(n) for n in ("status", "settled_steps", "total_steps", "started_at", "deadline_at", "worker_id")})
    .where(RUN.c.id == given("id"), sa.text("workflow_run.status = 'pending'"), RUN.c.worker_id.is_(None))
)
_CLAIM_PARAMETERS = ("status", "settled_steps", "total_steps", "started_at", "deadline_at", "worker_id", "id")
RUN_CLAIM = compiled(_CLAIM, *_CLAIM_PARAMETERS)
"""Take a pending run; no row means that somebody was faster."""
_OTHER = RUN.alias("other")
_GOING = (
    sa.select(sa.func.count())
    .select_from(_OTHER)
    .where(_OTHER.c.workflow_id == given("workflow_id"), sa.text("other.status IN ('running', 'paused')"))
    .scalar_subquery()
)
RUN_CLAIM_LIMITED = compiled(
    _CLAIM.where(sa.cast(given("limit"), sa.Integer) > _GOING), *_CLAIM_PARAMETERS, "limit", "workflow_id"
)
"""The same, while fewer than `limit` runs of the workflow are going."""

KEEP_LEASE = compiled(
    sa.update(WORKER).values(lease_until=given("lease_until")).where(WORKER.c.id == given("id")), "lease_until", "id"
)
DROP_WORKER = compiled(sa.delete(WORKER).where(WORKER.c.id == given("id")), "id")

PROJECT_PROPOSAL = compiled(
    sa.update(PROPOSAL)
    .values({n: given(n) for n in ("status", "error", "updated_at")})
    .where(PROPOSAL.c.run_id == given("run_id")),
    "status",
    "error",
    "updated_at",
    "run_id",
)
"""Give a proposal the status of its run."""
_OF_RUN = PROPOSED.c.workflow_id.in_(sa.select(PROPOSAL.c.id).where(PROPOSAL.c.run_id == given("run_id")))
PROJECT_ACTION = compiled(
    sa.update(PROPOSED)
    .values({n: given(n) for n in ("status", "retry_count", "next_retry_at", "ended_at")})
    .values(started_at=sa.func.coalesce(PROPOSED.c.started_at, given("started_at")))
    .where(_OF_RUN, PROPOSED.c.execution_order == given("execution_order")),
    "status",
    "retry_count",
    "next_retry_at",
    "started_at",
    "ended_at",
    "run_id",
    "execution_order",
)
"""Give a proposed action the status of its step run."""
PROJECT_ACTION_ERROR = compiled(
    sa.update(PROPOSED)
    .values(last_error=given("last_error"))
    .where(_OF_RUN, PROPOSED.c.execution_order == given("execution_order")),
    "last_error",
    "run_id",
    "execution_order",
)
CANCEL_ACTIONS = compiled(
    sa.update(PROPOSED)
    .values(status=given("status"), ended_at=given("ended_at"), next_retry_at=sa.null())
    .where(_OF_RUN, sa.text("action_proposal.status IN ('pending', 'in_progress')")),
    "status",
    "ended_at",
    "run_id",
)
"""Close the actions of a chain that has ended without them."""
