"""Notifications over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from canvas.api.caller import Caller, answer, needs
from canvas.services import views
from canvas.services.access import Permission

router = APIRouter(tags=["notifications"])


@router.get("/notifications", response_model=list[views.NotificationRow])
def list_notifications(
    caller: Annotated[Caller, needs(Permission.VIEW)], limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Response:
    """List the newest notifications."""
    with caller.reading() as session:
        return answer(views.notification_rows(session, limit=limit))
