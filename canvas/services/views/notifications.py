"""What the bell in the header shows."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Notification


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


def notification_rows(session: Session, *, limit: int = 20) -> list[NotificationRow]:
    """List the newest notifications."""
    query = select(Notification).order_by(col(Notification.id).desc()).limit(limit)
    return [
        NotificationRow(n.id, n.title, n.body, n.level.value, n.link, n.created_at, n.read_at is not None)
        for n in session.exec(query)
    ]


def unread_count(session: Session) -> int:
    """Count the notifications nobody has seen."""
    return session.exec(select(sa.func.count()).where(col(Notification.read_at).is_(None))).one()
