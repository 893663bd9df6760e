"""The bell: what is new for the person at the screen, until it is read."""

import pytest

from canvas import db
from canvas.services import notifications
from canvas.services.access import Actor, Role
from canvas.ui.components import bell
from canvas.ui.components.bell import BellState


@pytest.fixture
def told(database) -> list[str]:
    """Three messages: two for everybody, one for another person."""
    with db.transaction(database) as session:
        return [
            notifications.notify(session, title, to=to)
            for title, to in (("one", ()), ("two", ()), ("for ada", ("ada",)))
        ]


def test_a_message_is_new_until_it_was_read(tab, told):
    """Opening the bell shows what there is; reading one leaves the others new; it can be kept for later."""
    opened, _ = tab((BellState.count, {}), (BellState.toggle, {"is_open": True}))
    read, _ = tab((BellState.toggle, {"is_open": True}), (BellState.read, {"notification_id": told[0]}))
    kept, _ = tab((BellState.toggle, {"is_open": True}), (BellState.keep, {"notification_id": told[0]}))

    assert ([("two", False), ("one", False)], 2) == ([(r.title, r.is_read) for r in opened.rows], opened.unread)
    assert ([("two", False), ("one", True)], 1) == ([(r.title, r.is_read) for r in read.rows], read.unread)
    assert 2 == kept.unread


def test_all_can_be_read_at_once(tab, told):
    """Nothing is new any more, for this person."""
    state, _ = tab((BellState.toggle, {"is_open": True}), (BellState.read_all, {}))
    again, _ = tab((BellState.count, {}))

    assert (0, 0, [True, True]) == (state.unread, again.unread, [row.is_read for row in state.rows])


def test_everybody_has_a_bell_of_their_own(tab, told, monkeypatch):
    """Ada sees what is for her, and what somebody else read is still new for her."""
    tab((BellState.read_all, {}))
    monkeypatch.setattr(bell, "actor", lambda state: Actor("ada", Role.VIEWER))
    state, _ = tab((BellState.toggle, {"is_open": True}))

    assert [("for ada", True), ("two", False), ("one", False)] == [(r.title, r.is_personal) for r in state.rows]
    assert 3 == state.unread


def test_another_persons_message_cannot_be_touched(tab, told):
    """An event with somebody else's id is told so."""
    _, browser = tab((BellState.read, {"notification_id": told[2]}))

    assert "no notification" in browser.was_told()


def test_older_messages_are_a_click_away(tab, database):
    """The list begins with the newest and grows on request."""
    with db.transaction(database) as session:
        for number in range(50):
            notifications.notify(session, str(number))
    first, _ = tab((BellState.toggle, {"is_open": True}))
    more, _ = tab((BellState.toggle, {"is_open": True}), (BellState.show_older, {}), (BellState.show_older, {}))

    assert (20, True, "49") == (len(first.rows), first.has_older, first.rows[0].title)
    assert (50, False, "0") == (len(more.rows), more.has_older, more.rows[-1].title)
