"""Schedules over HTTP."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.domain.states import CatchUp, Overlap
from canvas.services import backfill, schedules, views
from canvas.services.access import Permission

router = APIRouter(prefix="/schedules", tags=["triggers"], route_class=StrictJson)
Viewer = Annotated[Caller, needs(Permission.VIEW)]
Operator = Annotated[Caller, needs(Permission.RUN)]
Editor = Annotated[Caller, needs(Permission.EDIT)]


class ScheduleBody(BaseModel):
    """What a schedule is to be: either `cron` or `interval_seconds`."""

    cron: str | None = Field(default=None, max_length=200, description="Five fields, minute first.")
    interval_seconds: float | None = Field(default=None, ge=1, le=316_224_000)
    timezone: str = Field(default="UTC", max_length=100, examples=["Europe/Paris"])
    jitter_seconds: float = Field(default=0, ge=0, le=3_600, description="Each firing is put off by up to this much.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="What runs are started with.")
    overlap: Overlap = Overlap.ALLOW
    catch_up: CatchUp = CatchUp.LAST
    enabled: bool = True

    def wish(self) -> schedules.ScheduleWish:
        """Give it in the services' words."""
        values = {key: value for key, value in self if key != "workflow"}
        return schedules.ScheduleWish(**values)


class Window(BaseModel):
    """A time in the past, both ends included."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="until")


class NewSchedule(ScheduleBody):
    """A schedule to make."""

    workflow: str = Field(description="The workflow it starts.")


@router.get("", response_model=list[views.ScheduleRow])
def list_schedules(caller: Viewer) -> Response:
    """List all schedules with their next due times."""
    with caller.reading() as session:
        return answer(views.schedule_rows(session, now=datetime.now(UTC)))


@router.post("", status_code=201, response_model=views.ScheduleRow)
def create_schedule(caller: Editor, body: NewSchedule) -> Response:
    """Keep a new schedule."""
    now = datetime.now(UTC)
    with caller.transaction() as session:
        schedule_id = schedules.create_schedule(session, body.workflow, body.wish(), now=now)
        return answer(views.schedule_row(session, schedule_id, now=now), 201)


@router.get("/{schedule_id}", response_model=views.ScheduleRow)
def get_schedule(caller: Viewer, schedule_id: str) -> Response:
    """Give one schedule with its next due times."""
    with caller.reading() as session:
        return answer(views.schedule_row(session, schedule_id, now=datetime.now(UTC)))


@router.put("/{schedule_id}", response_model=views.ScheduleRow)
def change_schedule(caller: Editor, schedule_id: str, body: ScheduleBody) -> Response:
    """Give a schedule another shape; what was due before is not made up for."""
    now = datetime.now(UTC)
    with caller.transaction() as session:
        schedules.change_schedule(session, schedule_id, body.wish(), now=now)
        return answer(views.schedule_row(session, schedule_id, now=now))


@router.post("/{schedule_id}/enable", status_code=204)
def enable_schedule(caller: Operator, schedule_id: str) -> Response:
    """Switch a schedule on."""
    return _switch(caller, schedule_id, enabled=True)


@router.post("/{schedule_id}/disable", status_code=204)
def disable_schedule(caller: Operator, schedule_id: str) -> Response:
    """Switch a schedule off; what is due meanwhile is not made up for."""
    return _switch(caller, schedule_id, enabled=False)


@router.delete("/{schedule_id}", status_code=204)
def delete_schedule(caller: Editor, schedule_id: str) -> Response:
    """Forget a schedule; the runs it started stay."""
    with caller.transaction() as session:
        schedules.delete_schedule(session, schedule_id)
    return Response(status_code=204)


@router.get("/{schedule_id}/fires", response_model=list[views.FireRow])
def list_fires(caller: Viewer, schedule_id: str, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> Response:
    """List what became of the latest due times, the newest first."""
    with caller.reading() as session:
        return answer(views.fire_rows(session, schedule_id, limit=limit))


@router.post("/{schedule_id}/backfill", status_code=202, response_model=backfill.Backfilled)
def backfill_schedule(caller: Operator, schedule_id: str, window: Window) -> Response:
    """Fire what a schedule had due from one moment until another and did not fire."""
    with caller.transaction() as session:
        done = backfill.backfill(session, schedule_id, start=window.start, end=window.end, now=datetime.now(UTC))
    return answer(done, 202)


def _switch(caller: Caller, schedule_id: str, *, enabled: bool) -> Response:
    with caller.transaction() as session:
        schedules.switch_schedule(session, schedule_id, enabled=enabled, now=datetime.now(UTC))
    return Response(status_code=204)
