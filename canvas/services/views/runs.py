"""Runs as lists and one by one, their step runs and their logs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from canvas.domain.errors import Invalid
from canvas.domain.states import LogKind, LogLevel, RunStatus, StepStatus, StepType, TriggerType
from canvas.services.runs import RunNotFound
from models import Payload, RunLog, StepRun, WorkflowRun

MAX_STEP_ROWS: Final = 20_000
MAX_LOG_ROWS: Final = 1_000
_MAX_LIMIT: Final = 200
_COLUMNS: Final = sa.inspect(StepRun).attrs
_WITHOUT_VALUES: Final = (defer(_COLUMNS["input"].class_attribute), defer(_COLUMNS["output"].class_attribute))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list; what is left empty does not limit."""

    statuses: Collection[RunStatus] = ()
    workflow: str = ""
    triggers: Collection[TriggerType] = ()
    text: str = ""
    "Part of the workflow's name, or the beginning of the run's id."
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run on the dashboard."""

    id: str
    workflow_name: str
    version_number: int
    status: str
    trigger_type: str
    triggered_by: str
    settled: int
    total: int
    progress: int
    "0 to 100."
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    error: str
    "The message of what made it fail; empty otherwise."
    dry_run: bool
    cancel_requested: bool
    pause_requested: bool


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, newest first."""

    rows: list[RunRow]
    next_cursor: str
    "Give it back for older ones; empty when there are none."


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRunRow:
    """One attempt at one step. `input` and `output` are None in lists; `step_run_detail` has them."""

    path: str
    name: str
    type: StepType
    action: str | None
    attempt: int
    max_attempts: int
    status: StepStatus
    branch: str | None
    branch_value: Any
    error: dict[str, Any] | None
    started_at: datetime | None
    due_at: datetime | None
    ended_at: datetime | None
    child_run_id: str | None
    input: Any = None
    output: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """One run with everything except its steps' inputs and outputs."""

    row: RunRow
    workflow_id: str
    version_id: str
    priority: int
    parameters: dict[str, Any]
    trigger_data: Any
    context: dict[str, Any]
    output: Any
    error: dict[str, Any] | None
    scheduled_at: datetime | None
    paused_at: datetime | None
    deadline_at: datetime | None
    fixtures: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One line of a run's log."""

    seq: int
    at: datetime
    kind: LogKind
    level: LogLevel
    path: str | None
    attempt: int | None
    message: str
    data: dict[str, Any] | None


def run_rows(session: Session, wanted: RunFilter, *, cursor: str = "", limit: int = 50) -> RunPage:
    """List runs, newest first.

    Args:
        wanted: Which runs.
        cursor: `next_cursor` of the page before; empty starts with the newest.
        limit: 1 to 200.

    Raises:
        Invalid: `limit` is out of bounds.
    """
    if not 1 <= limit <= _MAX_LIMIT:
        raise Invalid(f"A page holds 1 to {_MAX_LIMIT} runs, not {limit}.", limit=limit)
    query = select(WorkflowRun).order_by(col(WorkflowRun.id).desc()).limit(limit + 1)
    query = query.where(*_run_conditions(wanted))
    if cursor:
        query = query.where(WorkflowRun.id < cursor)
    found = session.exec(query).all()
    more = len(found) > limit
    return RunPage([_run_row(run) for run in found[:limit]], found[limit - 1].id if more else "")


def runs_by_id(session: Session, ids: Sequence[str]) -> list[RunRow]:
    """List the runs with these ids, newest first; those that do not exist are missing."""
    query = select(WorkflowRun).where(col(WorkflowRun.id).in_(ids)).order_by(col(WorkflowRun.id).desc())
    return [_run_row(run) for run in session.exec(query)]


def live_run_count(session: Session) -> int:
    """Count the runs that have not ended."""
    live = col(WorkflowRun.status).in_([status for status in RunStatus if not status.is_terminal])
    return session.exec(select(sa.func.count()).where(live)).one()


def run_detail(session: Session, run_id: str) -> RunDetail:
    """Give one run.

    Raises:
        RunNotFound: there is no such run.
    """
    run = _find(session, run_id)
    return RunDetail(
        row=_run_row(run),
        workflow_id=run.workflow_id,
        version_id=run.version_id,
        priority=run.priority,
        parameters=run.parameters,
        trigger_data=run.trigger_data,
        context=run.context,
        output=_value(session, run.output, run.output_hash),
        error=run.error,
        scheduled_at=run.scheduled_at,
        paused_at=run.paused_at,
        deadline_at=run.deadline_at,
        fixtures=run.fixtures,
    )


def step_run_rows(session: Session, run_id: str, *, with_values: bool = False) -> list[StepRunRow]:
    """List a run's attempts in the order they began, at most `MAX_STEP_ROWS`.

    Args:
        with_values: Whether inputs and outputs are wanted; those kept apart because they are large are left out.

    Raises:
        RunNotFound: there is no such run.
    """
    _find(session, run_id)
    query = select(StepRun).where(StepRun.run_id == run_id).order_by(StepRun.id).limit(MAX_STEP_ROWS)
    if not with_values:
        query = query.options(*_WITHOUT_VALUES)
    return [_step_row(step, with_values=with_values) for step in session.exec(query).all()]


def step_run_detail(session: Session, run_id: str, path: str) -> list[StepRunRow]:
    """Give every attempt at one step of a run with its input and output, the first attempt first.

    Raises:
        RunNotFound: there is no such run.
    """
    _find(session, run_id)
    query = select(StepRun).where(StepRun.run_id == run_id, StepRun.path == path).order_by(col(StepRun.attempt))
    return [
        _step_row(step, with_values=True, output=_value(session, step.output, step.output_hash))
        for step in session.exec(query).all()
    ]


def run_logs(
    session: Session,
    run_id: str,
    *,
    after: int = 0,
    limit: int = 200,
    kind: LogKind | None = None,
    path: str | None = None,
) -> list[LogRow]:
    """List a run's log from behind `after`, oldest first.

    Args:
        limit: 1 to `MAX_LOG_ROWS`.
        path: Only lines of this step run.

    Raises:
        RunNotFound: there is no such run.
    """
    _find(session, run_id)
    query = select(RunLog).where(RunLog.run_id == run_id, col(RunLog.seq) > after).order_by(col(RunLog.seq))
    if kind is not None:
        query = query.where(RunLog.kind == kind)
    if path is not None:
        query = query.where(RunLog.path == path)
    rows = session.exec(query.limit(max(1, min(limit, MAX_LOG_ROWS)))).all()
    return [
        LogRow(
            seq=row.seq or 0,
            at=row.at,
            kind=row.kind,
            level=row.level,
            path=row.path,
            attempt=row.attempt,
            message=row.message,
            data=row.data,
        )
        for row in rows
    ]


def _find(session: Session, run_id: str) -> WorkflowRun:
    run = session.get(WorkflowRun, run_id)
    if run is None:
        raise RunNotFound(f"There is no run {run_id!r}.", run_id=run_id)
    return run


def _step_row(step: StepRun, *, with_values: bool, output: Any = None) -> StepRunRow:
    return StepRunRow(
        path=step.path,
        name=step.name,
        type=step.type,
        action=step.action,
        attempt=step.attempt,
        max_attempts=step.max_attempts,
        status=step.status,
        branch=step.branch,
        branch_value=step.branch_value,
        error=step.error,
        started_at=step.started_at,
        due_at=step.due_at,
        ended_at=step.ended_at,
        child_run_id=step.child_run_id,
        input=step.input if with_values else None,
        output=(output if output is not None else step.output) if with_values else None,
    )


def _value(session: Session, inline: Any, key: str | None) -> Any:
    """Give a value that may be kept apart because it is large."""
    if key is None:
        return inline
    payload = session.get(Payload, key)
    return orjson.loads(payload.body) if payload is not None else None


def _run_conditions(wanted: RunFilter) -> list[Any]:
    conditions: list[Any] = []
    if wanted.statuses:
        conditions.append(col(WorkflowRun.status).in_(wanted.statuses))
    if wanted.triggers:
        conditions.append(col(WorkflowRun.trigger_type).in_(wanted.triggers))
    if wanted.workflow:
        conditions.append(WorkflowRun.workflow_name == wanted.workflow)
    if wanted.since:
        conditions.append(col(WorkflowRun.created_at) >= wanted.since)
    if wanted.until:
        conditions.append(col(WorkflowRun.created_at) < wanted.until)
    if text := wanted.text.strip():
        name_matches = col(WorkflowRun.workflow_name).icontains(text, autoescape=True)
        conditions.append(sa.or_(name_matches, col(WorkflowRun.id).startswith(text.upper(), autoescape=True)))
    return conditions


def _run_row(run: WorkflowRun) -> RunRow:
    return RunRow(
        id=run.id,
        workflow_name=run.workflow_name,
        version_number=run.version_number,
        status=run.status.value,
        trigger_type=run.trigger_type.value,
        triggered_by=run.triggered_by,
        settled=run.settled_steps,
        total=run.total_steps,
        progress=_percent(run),
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        error=str((run.error or {}).get("message", "")),
        dry_run=run.dry_run,
        cancel_requested=run.cancel_requested,
        pause_requested=run.pause_requested,
    )


def _percent(run: WorkflowRun) -> int:
    if run.status is RunStatus.COMPLETED:
        return 100
    return 100 * run.settled_steps // run.total_steps if run.total_steps else 0
