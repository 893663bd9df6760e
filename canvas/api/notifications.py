"""Notifications over HTTP: each caller sees and marks their own."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from canvas.api.caller import Caller, answer, needs
from canvas.services import notifications, views
from canvas.services.access import Permission

router = APIRouter(prefix="/notifications", tags=["notifications"])
Viewer = Annotated[Caller, needs(Permission.VIEW)]


@dataclass(frozen=True, slots=True)
class UnreadCount:
    """How many messages are new."""

    unread: int
    "At most 100."


@router.get("", response_model=list[views.NotificationRow])
def list_notifications(
    caller: Viewer,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(max_length=26, description="The id of a message: only older ones.")] = None,
    unread: Annotated[bool, Query(description="Only those you have not read.")] = False,
) -> Response:
    """List your newest notifications."""
    with caller.reading() as session:
        rows = views.notification_rows(session, caller.actor, limit=limit, before=before, unread_only=unread)
        return answer(rows)


@router.get("/unread", response_model=UnreadCount)
def count_unread(caller: Viewer) -> Response:
    """Count the notifications that you have not read."""
    with caller.reading() as session:
        return answer(UnreadCount(views.unread_count(session, caller.actor)))


@router.post("/read", status_code=204)
def mark_all_read(caller: Viewer) -> Response:
    """Mark all your notifications as read."""
    with caller.transaction() as session:
        notifications.mark_all_read(session, actor=caller.actor, now=datetime.now(UTC))
    return Response(status_code=204)


@router.post("/{notification_id}/read", status_code=204)
def mark_read(caller: Viewer, notification_id: str) -> Response:
    """Mark one of your notifications as read."""
    with caller.transaction() as session:
        notifications.mark_read(session, notification_id, actor=caller.actor, now=datetime.now(UTC))
    return Response(status_code=204)


@router.delete("/{notification_id}/read", status_code=204)
def mark_unread(caller: Viewer, notification_id: str) -> Response:
    """Make one of your notifications new again."""
    with caller.transaction() as session:
        notifications.mark_unread(session, notification_id, actor=caller.actor)
    return Response(status_code=204)
