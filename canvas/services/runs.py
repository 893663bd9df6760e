"""Starting runs, and wishing them to stop, pause or go on. Only wishes: the engine draws the consequences."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from canvas.domain.errors import Conflict, Invalid, NotFound
from canvas.domain.expressions import compile_value
from canvas.domain.states import RunStatus, TriggerType, WorkflowStatus
from canvas.domain.validation import check_parameters
from canvas.services.definitions import definition_of, find_version, find_workflow
from canvas.services.doorbell import wake_engine
from models import Payload, Workflow, WorkflowRun

MAX_PRIORITY = 1_000
MAX_KEY_LENGTH = 255
_IS_LIVE = sa.text("workflow_run.status IN ('pending', 'running', 'paused')")
"In the words of the partial index, so that it is used."


class RunNotFound(NotFound):
    """There is no such run."""

    code = "run_not_found"


class RunAlreadyFinished(Conflict):
    """The run has already finished."""

    code = "run_already_finished"


class WorkflowArchived(Conflict):
    """The workflow is archived; nothing starts it any more."""

    code = "workflow_archived"


class InvalidParameters(Invalid):
    """The parameters do not fit the workflow."""

    code = "invalid_parameters"


class IdempotencyKeyReused(Conflict):
    """The same idempotency key came with another request before."""

    code = "idempotency_key_reused"


def start_run(
    session: Session,
    workflow_name: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    version: int | None = None,
    priority: int = 0,
    scheduled_at: datetime | None = None,
    dry_run: bool = False,
    fixtures: Mapping[str, Any] | None = None,
    trigger_type: TriggerType = TriggerType.MANUAL,
    trigger_data: Any = None,
    triggered_by: str = "",
    idempotency_key: str | None = None,
    schedule_id: str | None = None,
    reply_port: int | None = None,
    depth: int = 0,
) -> str:
    """Accept a run; the engine starts it as soon as this is committed.

    Args:
        parameters: Checked against the version's; defaults are filled in.
        version: A version's number; None takes the published one.
        priority: Higher starts first.
        scheduled_at: Aware; not started before. None starts at once.
        fixtures: Answers by step name, for a dry run.
        idempotency_key: A second call with the same key and request gives the run of the first one.
        reply_port: A UDP port on loopback that is told when the run has ended.
        depth: How many runs stand between this one and what came from outside.

    Returns:
        The run's id.

    Raises:
        WorkflowNotFound, VersionNotFound: there is no such thing.
        NotPublished, WorkflowArchived: the workflow takes no runs.
        InvalidParameters: a parameter is missing, unknown or of the wrong type; `problems` names all of them.
        IdempotencyKeyReused: the key belongs to another request.
    """
    workflow = find_workflow(session, workflow_name)
    if workflow.status is WorkflowStatus.ARCHIVED:
        raise WorkflowArchived(f"{workflow_name!r} is archived; nothing starts it any more.")
    saved = find_version(session, workflow, version)
    definition = definition_of(saved)
    values, problems = check_parameters(definition.parameters, parameters or {})
    if problems:
        raise InvalidParameters(" ".join(p.text for p in problems), problems=[p.to_json() for p in problems])
    run = WorkflowRun(
        workflow_id=workflow.id,
        version_id=saved.id,
        workflow_name=workflow.name,
        version_number=saved.number,
        trigger_type=trigger_type,
        trigger_data=trigger_data,
        triggered_by=triggered_by,
        schedule_id=schedule_id,
        parameters=dict(values),
        priority=_bounded(priority),
        dry_run=dry_run,
        fixtures=dict(fixtures or {}),
        idempotency_key=_checked_key(idempotency_key),
        scheduled_at=scheduled_at,
        reply_port=reply_port,
        depth=depth,
    )
    return _insert(session, run)


def start_triggered(
    session: Session,
    workflow: Workflow,
    templates: Mapping[str, Any],
    *,
    trigger_type: TriggerType,
    trigger_data: Any,
    triggered_by: str,
    idempotency_key: str | None = None,
    schedule_id: str | None = None,
    reply_port: int | None = None,
    depth: int = 0,
) -> str:
    """Accept a run of the published version for a trigger, whose parameters are templates over `trigger`.

    Raises:
        ExpressionError: a template does not fit the trigger's data.
        UserError: as `start_run`.
    """
    trigger = {"type": trigger_type.value, "data": trigger_data}
    parameters = compile_value(dict(templates)).evaluate({"trigger": trigger})
    return start_run(
        session,
        workflow.name,
        parameters,
        trigger_type=trigger_type,
        trigger_data=trigger_data,
        triggered_by=triggered_by,
        idempotency_key=idempotency_key,
        schedule_id=schedule_id,
        reply_port=reply_port,
        depth=depth,
    )


def cancel_run(session: Session, run_id: str) -> None:
    """Ask a run to stop: no further step starts, and steps in flight are asked to stop.

    Raises:
        RunNotFound: there is no such run.
        RunAlreadyFinished: it has ended.
    """
    _wish(session, run_id, cancel_requested=True)


def pause_run(session: Session, run_id: str) -> None:
    """Ask a run to start nothing new; steps in flight finish.

    Raises:
        RunNotFound: there is no such run.
        RunAlreadyFinished: it has ended.
    """
    _wish(session, run_id, pause_requested=True)


def resume_run(session: Session, run_id: str) -> None:
    """Take the wish to pause back; harmless when there is none.

    Raises:
        RunNotFound: there is no such run.
        RunAlreadyFinished: it has ended.
    """
    _wish(session, run_id, pause_requested=False)


def run_status(session: Session, run_id: str) -> RunStatus:
    """Give a run's status, reading nothing else.

    Raises:
        RunNotFound: there is no such run.
    """
    status = session.exec(select(WorkflowRun.status).where(WorkflowRun.id == run_id)).one_or_none()
    if status is None:
        raise RunNotFound(f"There is no run {run_id!r}.", run_id=run_id)
    return RunStatus(status)


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended."""

    status: RunStatus
    output: Any
    error: Mapping[str, Any] | None


def run_result(session: Session, run_id: str) -> RunResult | None:
    """Give how a run ended; None while it has not.

    Raises:
        RunNotFound: there is no such run.
    """
    wanted = select(WorkflowRun.status, WorkflowRun.output, WorkflowRun.output_hash, WorkflowRun.error)
    found = session.exec(wanted.where(WorkflowRun.id == run_id)).one_or_none()
    if found is None:
        raise RunNotFound(f"There is no run {run_id!r}.", run_id=run_id)
    status, output, output_hash, error = found
    if not RunStatus(status).is_terminal:
        return None
    if output_hash is not None:
        output = orjson.loads(session.exec(select(Payload.body).where(Payload.hash == output_hash)).one())
    return RunResult(RunStatus(status), output, error)


def has_live_run(session: Session, schedule_id: str) -> bool:
    """Tell whether a run that this schedule started has not ended yet."""
    live = select(WorkflowRun.id).where(WorkflowRun.schedule_id == schedule_id, _IS_LIVE)
    return session.exec(live.limit(1)).first() is not None


def _ended() -> list[RunStatus]:
    return [status for status in RunStatus if status.is_terminal]


def _wish(session: Session, run_id: str, **wish: bool) -> None:
    """Write a wish in one statement, so that it never overwrites what the engine writes at the same moment."""
    done = session.execute(
        sa.update(WorkflowRun)
        .where(col(WorkflowRun.id) == run_id, col(WorkflowRun.status).not_in(_ended()))
        .values(revision=WorkflowRun.revision + 1, **wish)
        .execution_options(synchronize_session=False)
    )
    if getattr(done, "rowcount", 0) == 0:
        status = run_status(session, run_id)
        raise RunAlreadyFinished(f"The run has already {status}.", run_id=run_id, status=status)
    wake_engine(session)


def _insert(session: Session, run: WorkflowRun) -> str:
    wake_engine(session)
    if run.idempotency_key is None:
        session.add(run)
        session.flush()
        return run.id
    known = _same_key(session, run)
    if known is not None:
        return known
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError:  # another process was faster with the same key
        known = _same_key(session, run)
        if known is None:
            raise
        return known
    return run.id


def _same_key(session: Session, run: WorkflowRun) -> str | None:
    known = session.exec(
        select(WorkflowRun).where(
            WorkflowRun.workflow_id == run.workflow_id, WorkflowRun.idempotency_key == run.idempotency_key
        )
    ).one_or_none()
    if known is None:
        return None
    if (known.parameters, known.dry_run, known.trigger_type) != (run.parameters, run.dry_run, run.trigger_type):
        raise IdempotencyKeyReused("This Idempotency-Key came with another request before.", run_id=known.id)
    return known.id


def _bounded(priority: int) -> int:
    if not -MAX_PRIORITY <= priority <= MAX_PRIORITY:
        raise Invalid(f"A priority is between -{MAX_PRIORITY} and {MAX_PRIORITY}.", priority=priority)
    return priority


def _checked_key(key: str | None) -> str | None:
    if key is not None and not 0 < len(key) <= MAX_KEY_LENGTH:
        raise Invalid(f"An idempotency key has 1 to {MAX_KEY_LENGTH} characters.")
    return key
