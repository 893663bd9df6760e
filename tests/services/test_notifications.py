"""Messages for people: each sees what is for them, and has marks of their own."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, SQLModel, create_engine, select

from canvas import db
from canvas.domain.states import LogLevel
from canvas.services import notifications, views
from canvas.services.access import Actor, Role
from canvas.services.notifications import NotificationNotFound
from models import Notification, NotificationRead, NotificationRecipient

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BOB, CARL = (Actor(name, Role.VIEWER) for name in ("ada", "bob", "carl"))
PEOPLE = (ADA, BOB, CARL)


def titles(session: Session, actor: Actor, **options: object) -> list[str]:
    return [row.title for row in views.notification_rows(session, actor, **options)]


def test_a_message_for_everybody(session):
    """Everybody sees it, newest first, with what was said about it."""
    notifications.notify(session, "old")
    notifications.notify(session, "new", body="b", level=LogLevel.ERROR, link="/runs", run_id="R")

    for actor in PEOPLE:
        assert ["new", "old"] == titles(session, actor)
        assert 2 == views.unread_count(session, actor)
    row = views.notification_rows(session, ADA)[0]
    assert ("b", "error", "/runs", "R", False, False) == (
        row.body, row.level, row.link, row.run_id, row.is_read, row.is_personal
    )  # fmt: skip


def test_a_message_for_some(session):
    """Whoever is not named neither sees nor counts it; naming somebody twice changes nothing."""
    notifications.notify(session, "for ada and bob", to=["ada", "bob", "ada"])

    assert [["for ada and bob"], ["for ada and bob"], []] == [titles(session, actor) for actor in PEOPLE]
    assert [1, 1, 0] == [views.unread_count(session, actor) for actor in PEOPLE]
    assert views.notification_rows(session, ADA)[0].is_personal


def test_marks_belong_to_one_person(session):
    """What one has read is new for the others; it can be made new again; doing either twice changes nothing."""
    told = notifications.notify(session, "hello")
    for _ in range(2):
        notifications.mark_read(session, told, actor=ADA, now=NOON)

    assert [0, 1, 1] == [views.unread_count(session, actor) for actor in PEOPLE]
    assert [True, False] == [views.notification_rows(session, actor)[0].is_read for actor in (ADA, BOB)]
    for _ in range(2):
        notifications.mark_unread(session, told, actor=ADA)
    assert [1, 1, 1] == [views.unread_count(session, actor) for actor in PEOPLE]


def test_all_read_is_all_of_ones_own(session):
    """Messages for others stay as they were, and those that come later are new."""
    notifications.notify(session, "everybody")
    notifications.notify(session, "bob's", to=["bob"])
    notifications.mark_all_read(session, actor=ADA, now=NOON)
    notifications.mark_all_read(session, actor=ADA, now=NOON)
    notifications.notify(session, "later")

    assert [1, 3, 2] == [views.unread_count(session, actor) for actor in PEOPLE]
    assert ["later"] == titles(session, ADA, unread_only=True)
    assert {("ada", NOON)} == {(mark.user_name, mark.read_at) for mark in session.exec(select(NotificationRead))}


@pytest.mark.parametrize("mark", ["read", "unread"])
def test_what_is_for_somebody_else_is_not_there(session, mark):
    """Nobody learns from an id whether there is such a message."""
    told = notifications.notify(session, "bob's", to=["bob"])
    for notification_id in (told, "nothing"):
        with pytest.raises(NotificationNotFound, match="for you"):
            if mark == "read":
                notifications.mark_read(session, notification_id, actor=ADA, now=NOON)
            else:
                notifications.mark_unread(session, notification_id, actor=ADA)


def test_pages_follow_each_other(session):
    """`before` goes on where the last page ended."""
    for number in range(5):
        notifications.notify(session, str(number))
    first = views.notification_rows(session, ADA, limit=2)

    assert ["4", "3"] == [row.title for row in first]
    assert ["2", "1"] == titles(session, ADA, limit=2, before=first[-1].id)


def test_counting_stops_at_a_hundred(session):
    """A bell that says 99+ needs no more."""
    for number in range(103):
        notifications.notify(session, str(number))

    assert 100 == views.unread_count(session, ADA)


def test_a_message_takes_its_marks_along(session):
    """Deleting one leaves nothing of it."""
    told = notifications.notify(session, "bye", to=["ada"])
    notifications.mark_read(session, told, actor=ADA, now=NOON)
    session.delete(session.get_one(Notification, told))
    session.flush()

    assert [] == list(session.exec(select(NotificationRead))) == list(session.exec(select(NotificationRecipient)))


def test_two_tabs_may_mark_at_once(database):
    """Both have read everything, and neither fails."""
    with db.transaction(database) as session:
        told = notifications.notify(session, "hello")
    for _ in range(2):
        with db.transaction(database) as session:
            notifications.mark_all_read(session, actor=ADA, now=NOON)
        with db.transaction(database) as session:
            notifications.mark_read(session, told, actor=ADA, now=NOON)
            assert 0 == views.unread_count(session, ADA)


acts = st.one_of(
    st.tuples(st.just("tell"), st.sets(st.sampled_from(["ada", "bob", "carl"]))),
    st.tuples(st.sampled_from(["read", "unread"]), st.sampled_from(PEOPLE), st.integers(0, 5)),
    st.tuples(st.just("all"), st.sampled_from(PEOPLE)),
)


@given(st.lists(acts, max_size=25))
def test_any_order_of_deeds_is_as_if_everybody_kept_a_list(deeds):
    """Whoever does what in whatever order: each bell shows what a list of one's own would."""
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    told: list[str] = []
    lists: dict[str, dict[str, bool]] = {actor.name: {} for actor in PEOPLE}
    with Session(engine) as session:
        for what, *rest in deeds:
            if what == "tell":
                told.append(notifications.notify(session, "x", to=rest[0]))
                for name in rest[0] or lists:
                    lists[name][told[-1]] = False
            elif what == "all":
                notifications.mark_all_read(session, actor=rest[0], now=NOON)
                lists[rest[0].name] = dict.fromkeys(lists[rest[0].name], True)
            elif rest[1] < len(told):
                _mark(session, lists, what, rest[0], told[rest[1]])
        for actor in PEOPLE:
            rows = views.notification_rows(session, actor, limit=100)
            assert lists[actor.name] == {row.id: row.is_read for row in rows}
            assert list(lists[actor.name].values()).count(False) == views.unread_count(session, actor)
    engine.dispose()


def _mark(session: Session, lists: dict, what: str, actor: Actor, told: str) -> None:
    own = lists[actor.name]
    try:
        if what == "read":
            notifications.mark_read(session, told, actor=actor, now=NOON)
        else:
            notifications.mark_unread(session, told, actor=actor)
    except NotificationNotFound:
        assert told not in own
    else:
        own[told] = what == "read"
