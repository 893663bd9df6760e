"""Runs over HTTP: starting them, looking at them, wishing them to stop."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.api.results import RESULTS
from canvas.domain.states import LogKind, RunStatus, TriggerType
from canvas.services import runs, views
from canvas.services.access import Permission

router = APIRouter(tags=["runs"], route_class=StrictJson)
Viewer = Annotated[Caller, needs(Permission.VIEW)]
Operator = Annotated[Caller, needs(Permission.RUN)]
MAX_WAIT_SECONDS = 60.0
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)]
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS, description="Seconds to wait for the end of the run.")]


class NewRun(BaseModel):
    """How a run is to be started."""

    parameters: dict[str, Any] = Field(default_factory=dict)
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="Left out: the published one.")
    priority: int = Field(default=0, ge=-1000, le=1000, description="Higher starts first.")
    scheduled_at: AwareDatetime | None = Field(default=None, description="Not started before.")
    dry_run: bool = Field(default=False, description="Actions that touch the world answer from examples or fixtures.")
    fixtures: dict[str, Any] = Field(default_factory=dict, description="Answers by step name, for a dry run.")
    trigger_data: Any = Field(default=None, description="Seen as `trigger.data`, as if triggered.")


@router.post("/workflows/{name}/runs", status_code=202)
async def start_run(
    caller: Operator, name: str, body: NewRun, wait: Wait = 0, idempotency_key: IdempotencyKey = None
) -> Response:
    """Start a run: 202 and its id, or with `?wait=` the run as it stands when it ends or the time is up."""
    reply_port = RESULTS.port if wait else None
    run_id = await run_in_threadpool(begin_run, caller, name, body, idempotency_key, reply_port)
    return await answer_run(caller, run_id, wait)


@router.get("/runs", response_model=views.RunPage)
def list_runs(
    caller: Viewer,
    workflow: Annotated[str, Query(max_length=200)] = "",
    status: Annotated[list[RunStatus] | None, Query()] = None,
    trigger_type: Annotated[list[TriggerType] | None, Query()] = None,
    text: Annotated[str, Query(max_length=200, description="Part of the workflow's name, or start of the id.")] = "",
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """List runs, newest first."""
    wanted = views.RunFilter(
        statuses=status or (), workflow=workflow, triggers=trigger_type or (), text=text, since=since, until=until
    )
    with caller.reading() as session:
        return answer(views.run_rows(session, wanted, cursor=cursor, limit=limit))


@router.get("/runs/{run_id}")
def get_run(caller: Viewer, run_id: str) -> Response:
    """Give a run with the state of each step by its path."""
    return answer(whole_run(caller, run_id))


@router.get("/runs/{run_id}/steps")
def list_step_attempts(
    caller: Viewer, run_id: str, path: Annotated[str, Query(max_length=2_000, description="Such as `each[3]/deploy`.")]
) -> Response:
    """Give every attempt at one step with its input and output."""
    with caller.reading() as session:
        return answer(views.step_run_detail(session, run_id, path))


@router.get("/runs/{run_id}/logs", response_model=list[views.LogRow])
def list_logs(
    caller: Viewer,
    run_id: str,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="The `seq` of the last line you have.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    kind: LogKind | None = None,
    path: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """List a run's log, oldest first."""
    with caller.reading() as session:
        return answer(views.run_logs(session, run_id, after=after, limit=limit, kind=kind, path=path))


@router.post("/runs/{run_id}/cancel", status_code=202)
def cancel_run(caller: Operator, run_id: str) -> Response:
    """Ask a run to stop."""
    return _wish(caller, runs.cancel_run, run_id)


@router.post("/runs/{run_id}/pause", status_code=202)
def pause_run(caller: Operator, run_id: str) -> Response:
    """Ask a run to start nothing new."""
    return _wish(caller, runs.pause_run, run_id)


@router.post("/runs/{run_id}/resume", status_code=202)
def resume_run(caller: Operator, run_id: str) -> Response:
    """Let a paused run go on."""
    return _wish(caller, runs.resume_run, run_id)


async def answer_run(caller: Caller, run_id: str, wait_seconds: float) -> Response:
    """Answer 202 with a run's id, or, after waiting, 200 with the run if it ended and 202 with it if it did not."""
    if not wait_seconds:
        return answer({"id": run_id}, 202, {"Location": f"/api/runs/{run_id}"})
    has_ended = await wait_for_end(caller, run_id, wait_seconds)
    run = await run_in_threadpool(whole_run, caller, run_id)
    return answer(run, 200 if has_ended else 202, {"Location": f"/api/runs/{run_id}"})


def whole_run(caller: Caller, run_id: str) -> dict[str, Any]:
    """Give a run as the API shows it; each step by its path, with its last attempt."""
    with caller.reading() as session:
        detail = views.run_detail(session, run_id)
        steps = views.step_run_rows(session, run_id, with_values=True)
    row = views.as_plain(detail.row)
    return {
        **row,
        "parameters": detail.parameters,
        "trigger_data": detail.trigger_data,
        "context": detail.context,
        "output": detail.output,
        "error": detail.error,
        "priority": detail.priority,
        "scheduled_at": detail.scheduled_at,
        "paused_at": detail.paused_at,
        "deadline_at": detail.deadline_at,
        "step_executions": {step.path: _step(step) for step in steps},
    }


def _step(step: views.StepRunRow) -> dict[str, Any]:
    shown = views.as_plain(step)
    shown.pop("path")
    return shown


def begin_run(caller: Caller, name: str, body: NewRun, key: str | None, reply_port: int | None = None) -> str:
    """Accept a run for whoever calls; gives its id.

    Args:
        reply_port: Where the engine tells that it has ended, when somebody is going to wait for that.
    """
    with caller.transaction() as session:
        return runs.start_run(
            session,
            name,
            body.parameters,
            version=body.version,
            priority=body.priority,
            scheduled_at=body.scheduled_at,
            dry_run=body.dry_run,
            fixtures=body.fixtures,
            trigger_type=TriggerType.API,
            trigger_data=body.trigger_data,
            triggered_by=caller.actor.name,
            idempotency_key=key,
            reply_port=reply_port,
        )


def _wish(caller: Caller, wish: Any, run_id: str) -> Response:
    with caller.transaction() as session:
        wish(session, run_id)
    return answer({"id": run_id}, 202)


async def wait_for_end(caller: Caller, run_id: str, seconds: float) -> bool:
    """Wait until a run has ended, so many seconds at most; tells whether it has."""
    return await RESULTS.wait(run_id, partial(_has_ended, caller, run_id), seconds) is not None


def _has_ended(caller: Caller, run_id: str) -> bool | None:
    with caller.reading() as session:
        return runs.run_status(session, run_id).is_terminal or None
