"""What a schedule that is being written means."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from canvas.api.caller import Caller, answer, needs
from canvas.services import views
from canvas.services.access import Permission

router = APIRouter(tags=["triggers"])
Viewer = Annotated[Caller, needs(Permission.VIEW)]


@router.get("/timetable", response_model=views.Timetable)
def get_timetable(
    caller: Viewer,
    cron: Annotated[str | None, Query(max_length=200)] = None,
    interval_seconds: float | None = None,
    timezone: Annotated[str, Query(max_length=100)] = "UTC",
) -> Response:
    """Say in words when a cron expression or an interval is due, with the next five times; nothing is kept."""
    now = datetime.now(UTC)
    return answer(views.timetable(cron=cron, interval_seconds=interval_seconds, timezone=timezone, now=now))
