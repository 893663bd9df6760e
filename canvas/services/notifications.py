"""Telling people something, and what each of them does with the messages in the bell."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from canvas.domain.errors import NotFound
from canvas.domain.states import LogLevel
from canvas.services.access import Actor
from models import Notification, NotificationRead, NotificationRecipient


class NotificationNotFound(NotFound):
    """There is no such notification for you."""

    code = "notification_not_found"


def notify(
    session: Session,
    title: str,
    *,
    body: str = "",
    level: LogLevel = LogLevel.INFO,
    link: str = "",
    to: Iterable[str] = (),
    run_id: str | None = None,
) -> str:
    """Put a message into the bell and give its id.

    Args:
        link: Where it leads: a page of Canvas, or a web address.
        to: Names of the users it is for; none means everybody.
        run_id: The run it comes from.
    """
    names = set(to)
    message = Notification(title=title, body=body, level=level, link=link, run_id=run_id, is_for_everybody=not names)
    session.add(message)
    session.flush()
    session.add_all(NotificationRecipient(notification_id=message.id, user_name=name) for name in sorted(names))
    return message.id


def mark_read(session: Session, notification_id: str, *, actor: Actor, now: datetime) -> None:
    """Remember that somebody has read a message; doing so again changes nothing.

    Raises:
        NotificationNotFound: there is none, or it is for somebody else.
    """
    _require_visible(session, notification_id, actor)
    row = {"user_name": actor.name, "notification_id": notification_id, "read_at": now}
    session.execute(_insert(session).values(row).on_conflict_do_nothing())


def mark_unread(session: Session, notification_id: str, *, actor: Actor) -> None:
    """Make a message new again for somebody.

    Raises:
        NotificationNotFound: there is none, or it is for somebody else.
    """
    _require_visible(session, notification_id, actor)
    session.execute(sa.delete(NotificationRead).where(_mark_of(actor, notification_id)))


def mark_all_read(session: Session, *, actor: Actor, now: datetime) -> None:
    """Remember that somebody has seen everything there is for them at this moment."""
    unread = sa.select(sa.literal(actor.name), col(Notification.id), sa.literal(now)).where(
        is_for(actor), ~is_read_by(actor)
    )
    columns = ["user_name", "notification_id", "read_at"]
    session.execute(_insert(session).from_select(columns, unread).on_conflict_do_nothing())


def is_for(actor: Actor) -> sa.ColumnElement[bool]:
    """Select what somebody may see: what is for everybody, and what is for them."""
    own = select(NotificationRecipient.notification_id).where(col(NotificationRecipient.user_name) == actor.name)
    return sa.or_(col(Notification.is_for_everybody), col(Notification.id).in_(own))


def is_read_by(actor: Actor) -> sa.ColumnElement[bool]:
    """Select what somebody has read."""
    return sa.exists().where(_mark_of(actor, Notification.id))


def _mark_of(actor: Actor, notification_id: Any) -> sa.ColumnElement[bool]:
    mark = NotificationRead
    return sa.and_(col(mark.notification_id) == notification_id, col(mark.user_name) == actor.name)


def _require_visible(session: Session, notification_id: str, actor: Actor) -> None:
    found = session.exec(select(Notification.id).where(Notification.id == notification_id, is_for(actor))).first()
    if found is None:
        raise NotificationNotFound(f"There is no notification {notification_id[:40]!r} for you.")


def _insert(session: Session) -> Any:
    """Begin an INSERT that may say ON CONFLICT, which the two databases spell alike and SQLAlchemy does not."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return insert(NotificationRead)
