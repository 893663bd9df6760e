"""Read marks move from the message to the person, and back, and work on both databases."""

from datetime import UTC, datetime

import sqlalchemy as sa

from canvas import db
from canvas.services import migrations, notifications, views
from canvas.services.access import Actor, Role, local_actor
from canvas.settings import Settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = Actor("ada", Role.VIEWER)
BEFORE, AFTER = "0006", "0007"


def insert(settings: Settings, key: str, read_at: datetime | None) -> None:
    with db.connect(settings).begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO notification (id, created_at, title, body, level, link, read_at)"
                " VALUES (:key, :at, :key, '', 'info', '', :read)"
            ).bindparams(sa.bindparam("at", type_=sa.DateTime(True)), sa.bindparam("read", type_=sa.DateTime(True))),
            {"key": key, "at": NOON, "read": read_at},
        )


def marks(settings: Settings) -> dict[str, bool]:
    with db.connect(settings).begin() as connection:
        rows = connection.execute(sa.text("SELECT id, read_at IS NOT NULL FROM notification ORDER BY id"))
        return {key: bool(is_read) for key, is_read in rows}


def test_what_was_read_stays_read(empty: Settings):
    """The only user there was keeps their marks; everybody else has not read anything; and back again."""
    migrations.upgrade(empty, BEFORE)
    insert(empty, "a", NOON)
    insert(empty, "b", None)
    migrations.upgrade(empty, AFTER)
    migrations.upgrade(empty)

    with db.transaction(empty) as session:
        own = {row.id: row.is_read for row in views.notification_rows(session, local_actor())}
        assert {"a": True, "b": False} == own
        assert (1, 2) == (views.unread_count(session, local_actor()), views.unread_count(session, ADA))
    migrations.downgrade(empty, BEFORE)
    assert {"a": True, "b": False} == marks(empty)


def test_marks_on_both_databases(empty: Settings):
    """Marking what is marked changes nothing, on either database."""
    migrations.upgrade(empty)
    with db.transaction(empty) as session:
        told = notifications.notify(session, "hello", to=["ada"])
    for _ in range(2):
        with db.transaction(empty) as session:
            notifications.mark_read(session, told, actor=ADA, now=NOON)
            notifications.mark_all_read(session, actor=ADA, now=NOON)
            assert 0 == views.unread_count(session, ADA)
    with db.transaction(empty) as session:
        notifications.mark_unread(session, told, actor=ADA)
        assert ["hello"] == [row.title for row in views.notification_rows(session, ADA, unread_only=True)]
