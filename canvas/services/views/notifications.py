"""What the bell in the header shows to somebody."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.services.access import Actor
from canvas.services.notifications import is_for, is_read_by
from models import Notification

COUNTED = 100
"More unread messages than that are not counted one by one."


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """A message in the bell."""

    id: str
    title: str
    body: str
    level: str
    link: str
    created_at: datetime
    is_read: bool
    run_id: str | None
    is_personal: bool
    "Whether it is for chosen people alone."


def notification_rows(
    session: Session, actor: Actor, *, limit: int = 20, before: str | None = None, unread_only: bool = False
) -> list[NotificationRow]:
    """List somebody's newest messages.

    Args:
        before: The id of a message; only older ones are listed.
        unread_only: Leave out those that they have read.
    """
    read = is_read_by(actor)
    query = select(Notification, read).where(is_for(actor))
    if unread_only:
        query = query.where(~read)
    if before is not None:
        query = query.where(col(Notification.id) < before)
    return [_row(n, is_read) for n, is_read in session.exec(query.order_by(col(Notification.id).desc()).limit(limit))]


def unread_count(session: Session, actor: Actor) -> int:
    """Count the messages that somebody has not read, up to 100."""
    unread = select(Notification.id).where(is_for(actor), ~is_read_by(actor)).limit(COUNTED).subquery()
    return session.scalars(sa.select(sa.func.count()).select_from(unread)).one()


def _row(n: Notification, is_read: bool) -> NotificationRow:
    personal = not n.is_for_everybody
    return NotificationRow(n.id, n.title, n.body, n.level.value, n.link, n.created_at, is_read, n.run_id, personal)
