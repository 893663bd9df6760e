"""What the engine reads: pending runs, wishes, what is due, and the rows to rebuild a run from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from canvas.db import connect
from canvas.domain.decider import ELSEWHERE, StepChanged
from canvas.domain.states import RunStatus, StepStatus, StepType
from canvas.engine.identity import Identity
from canvas.engine.statements import PAYLOAD, RUN, STEP, TASK, VERSION, WORKER, WORKFLOW
from canvas.settings import Settings

LARGE_INPUT = "$payload"
"The one key of an input that is kept apart: the hash of its payload."
_GOING = RUN.c.status.in_([RunStatus.RUNNING, RunStatus.PAUSED])
_RUN_COLUMNS = tuple(column for column in RUN.c if column.name not in ("idempotency_key", "schedule_id", "created_at"))


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A process that takes part."""

    id: str
    kind: str
    identity: Identity
    doorbell_port: int | None
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step run whose moment has come."""

    run_id: str
    path: str
    attempt: int
    child_run_id: str | None
    type: StepType


class Reader:
    """Reads on connections of its own; never waits for a writer on SQLite."""

    def __init__(self, settings: Settings) -> None:
        self._engine = connect(settings).execution_options(canvas_readonly=True)

    def _all(self, statement: Any, **parameters: Any) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(statement, parameters).all()

    def pending(self, now: datetime, *, full: Collection[str], limit: int) -> Sequence[Any]:
        """List runs that may start, or that were cancelled before they did; the first to start first.

        Args:
            full: Ids of workflows that have as many runs going as they may.
        """
        return self._all(_PENDING.limit(limit), now=now, full=list(full))

    def next_start(self, now: datetime) -> datetime | None:
        """Give the next moment at which a pending run is scheduled to start."""
        moment: datetime | None = self._all(_NEXT_START, now=now)[0][0]
        return moment

    def going(self, workflow_id: str) -> int:
        """Count the runs of a workflow that are going."""
        return int(self._all(_GOING_OF_WORKFLOW, workflow_id=workflow_id)[0][0])

    def wishes(self) -> Sequence[Any]:
        """List the runs that are going and of which somebody wishes something else."""
        return self._all(_WISHES)

    def late(self, now: datetime, owner: str) -> Sequence[str]:
        """List the runs of this worker that are past their own deadline."""
        return [row.id for row in self._all(_LATE, now=now, owner=owner)]

    def due(self, now: datetime, owner: str) -> list[DueStep]:
        """List the step runs of this worker whose moment has come, the longest overdue first, at most 1,000."""
        return [DueStep(*row) for row in self._all(_DUE, now=now, owner=owner)]

    def run(self, run_id: str) -> Any | None:
        """Read a run's row."""
        rows = self._all(_RUN, id=run_id)
        return rows[0] if rows else None

    def task(self, run_id: str, path: str, attempt: int) -> Any | None:
        """Read the task that a step run raised."""
        rows = self._all(_TASK, run_id=run_id, path=path, attempt=attempt)
        return rows[0] if rows else None

    def steps(self, run_id: str) -> list[tuple[StepChanged, str | None]]:
        """Read the latest attempt of each step run, with the id of its child run; outputs stay where they are."""
        latest: dict[str, Any] = {}
        for row in self._all(_STEPS, run_id=run_id):
            known = latest.get(row.path)
            if known is None or known.attempt < row.attempt:
                latest[row.path] = row
        return [(self._change(row), row.child_run_id) for row in latest.values()]

    def output(self, run_id: str, path: str) -> Any:
        """Read the output of a completed step run.

        Raises:
            KeyError: it has not completed.
        """
        rows = self._all(_OUTPUT, run_id=run_id, path=path)
        if not rows:
            raise KeyError(path)
        return self.payload(rows[0].output_hash) if rows[0].output_hash else rows[0].output

    def payload(self, content_hash: str) -> Any:
        """Read a large value."""
        return orjson.loads(self._all(_PAYLOAD, hash=content_hash)[0].body)

    def definition(self, version_id: str) -> dict[str, Any]:
        """Read the document of a version."""
        document: dict[str, Any] = self._all(_DEFINITION, id=version_id)[0].definition
        return document

    def version(self, workflow: str, number: int | None) -> Any | None:
        """Find a version by the workflow's name; None takes the published one."""
        if number is None:
            rows = self._all(_PUBLISHED, name=workflow)
        else:
            rows = self._all(_NUMBERED, name=workflow, number=number)
        return rows[0] if rows else None

    def workers(self) -> list[WorkerRow]:
        """List the processes that take part, or did until they died."""
        return [
            WorkerRow(
                row.id,
                row.kind,
                Identity(row.host, row.boot_id, row.pid, row.process_started),
                row.doorbell_port,
                row.lease_until,
            )
            for row in self._all(_WORKERS)
        ]

    def owned(self) -> dict[str, str]:
        """List the runs that are going, with the worker that owns each."""
        return {row.id: row.worker_id for row in self._all(_OWNED)}

    def status(self, run_id: str) -> RunStatus | None:
        """Read a run's status; None when there is no such run."""
        rows = self._all(_STATUS, id=run_id)
        return rows[0].status if rows else None

    def _change(self, row: Any) -> StepChanged:
        given = row.input
        if isinstance(given, dict) and given.keys() == {LARGE_INPUT}:
            given = self.payload(given[LARGE_INPUT])
        return StepChanged(
            path=row.path,
            name=row.name,
            type=row.type,
            status=row.status,
            attempt=row.attempt,
            is_new=False,
            action=row.action,
            max_attempts=row.max_attempts,
            interruptions=row.interruptions,
            branch=row.branch,
            branch_value=row.branch_value,
            input=given,
            output=ELSEWHERE,
            error=row.error,
            due_at=row.due_at,
            started_at=row.started_at,
        )


_PENDING = (
    sa.select(*_RUN_COLUMNS)
    .where(
        RUN.c.status == RunStatus.PENDING,
        RUN.c.worker_id.is_(None),
        RUN.c.workflow_id.not_in(sa.bindparam("full", expanding=True)),
        sa.or_(
            RUN.c.cancel_requested,
            sa.and_(
                sa.not_(RUN.c.pause_requested),
                sa.or_(RUN.c.scheduled_at.is_(None), RUN.c.scheduled_at <= sa.bindparam("now")),
            ),
        ),
    )
    .order_by(RUN.c.priority.desc(), RUN.c.id)
)
_NEXT_START = sa.select(sa.func.min(RUN.c.scheduled_at, type_=RUN.c.scheduled_at.type)).where(
    RUN.c.status == RunStatus.PENDING, RUN.c.scheduled_at > sa.bindparam("now")
)
_GOING_OF_WORKFLOW = (
    sa.select(sa.func.count()).select_from(RUN).where(RUN.c.workflow_id == sa.bindparam("workflow_id"), _GOING)
)
_WISHES = sa.select(RUN.c.id, RUN.c.worker_id, RUN.c.status, RUN.c.cancel_requested, RUN.c.pause_requested).where(
    _GOING,
    sa.or_(RUN.c.cancel_requested, RUN.c.pause_requested != (RUN.c.status == RunStatus.PAUSED)),
)
_LATE = sa.select(RUN.c.id).where(
    _GOING, RUN.c.deadline_at <= sa.bindparam("now"), RUN.c.worker_id == sa.bindparam("owner")
)
_DUE = (
    sa.select(STEP.c.run_id, STEP.c.path, STEP.c.attempt, STEP.c.child_run_id, STEP.c.type)
    .join_from(STEP, RUN, STEP.c.run_id == RUN.c.id)
    .where(
        sa.text("step_run.due_at IS NOT NULL AND step_run.status IN ('waiting', 'retrying')"),
        STEP.c.due_at <= sa.bindparam("now"),
        RUN.c.status == RunStatus.RUNNING,
        RUN.c.worker_id == sa.bindparam("owner"),
    )
    .order_by(STEP.c.due_at)
    .limit(1000)
)
_RUN = sa.select(*_RUN_COLUMNS).where(RUN.c.id == sa.bindparam("id"))
_TASK = sa.select(TASK.c.id, TASK.c.status, TASK.c.outcome, TASK.c.answers, TASK.c.ended_by, TASK.c.skip_reason).where(
    TASK.c.run_id == sa.bindparam("run_id"),
    TASK.c.path == sa.bindparam("path"),
    TASK.c.attempt == sa.bindparam("attempt"),
)
_WANTS_INPUT = sa.or_(STEP.c.status.in_([s for s in StepStatus if not s.is_terminal]), STEP.c.type == StepType.LOOP)
_STEPS = sa.select(
    STEP.c.path,
    STEP.c.name,
    STEP.c.type,
    STEP.c.status,
    STEP.c.attempt,
    STEP.c.max_attempts,
    STEP.c.interruptions,
    STEP.c.action,
    STEP.c.branch,
    STEP.c.branch_value,
    sa.case((_WANTS_INPUT, STEP.c.input)).label("input"),
    STEP.c.error,
    STEP.c.due_at,
    STEP.c.started_at,
    STEP.c.child_run_id,
).where(STEP.c.run_id == sa.bindparam("run_id"))
_OUTPUT = sa.select(STEP.c.output, STEP.c.output_hash).where(
    STEP.c.run_id == sa.bindparam("run_id"),
    STEP.c.path == sa.bindparam("path"),
    STEP.c.status == StepStatus.COMPLETED,
)
_PAYLOAD = sa.select(PAYLOAD.c.body).where(PAYLOAD.c.hash == sa.bindparam("hash"))
_DEFINITION = sa.select(VERSION.c.definition).where(VERSION.c.id == sa.bindparam("id"))
_ANY_VERSION = (
    sa.select(VERSION.c.id, VERSION.c.workflow_id, VERSION.c.number)
    .join_from(VERSION, WORKFLOW, VERSION.c.workflow_id == WORKFLOW.c.id)
    .where(WORKFLOW.c.name == sa.bindparam("name"))
)
_PUBLISHED = _ANY_VERSION.where(VERSION.c.number == WORKFLOW.c.published_version)
_NUMBERED = _ANY_VERSION.where(VERSION.c.number == sa.bindparam("number"))
_WORKERS = sa.select(*WORKER.c)
_OWNED = sa.select(RUN.c.id, RUN.c.worker_id).where(_GOING, RUN.c.worker_id.is_not(None))
_STATUS = sa.select(RUN.c.status).where(RUN.c.id == sa.bindparam("id"))
