"""What people do with the messages in the bell."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Notification


def mark_all_read(session: Session, *, now: datetime) -> None:
    """Remember that everything in the bell has been seen."""
    unread = col(Notification.read_at).is_(None)
    session.execute(sa.update(Notification).where(unread).values(read_at=now))
