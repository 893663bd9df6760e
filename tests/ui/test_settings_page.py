"""The settings page: tokens are made, shown once, and revoked."""

from datetime import UTC, datetime

import pytest

from canvas import db
from canvas.services import access, tokens
from canvas.services.access import Actor, Role
from canvas.settings import Settings
from canvas.ui.components.token_dialog import NewTokenState
from canvas.ui.pages.settings import SettingsState


def creating(name: str = "ci", role: str = "viewer", life: str = "never") -> tuple:
    return NewTokenState.create, {"fields": {"name": name, "role": role, "life": life}}


OPEN = (NewTokenState.toggle, {"is_open": True})
CLOSE = (NewTokenState.toggle, {"is_open": False})


def test_a_secret_is_shown_until_the_dialog_closes(tab, database: Settings):
    """It works as long as it is shown, and nothing on the page holds it afterwards."""
    shown, _ = tab(OPEN, creating())
    closed, _ = tab(OPEN, creating("other"), CLOSE)
    listed, _ = tab((SettingsState.load, {}))

    with db.reading(database) as session:
        assert Role.VIEWER == tokens.recognise(session, shown.secret, now=datetime.now(UTC)).actor.role
    assert ("", False) == (closed.secret, closed.is_open)
    assert ["other", "ci"] == [row.name for row in listed.tokens]
    assert shown.secret not in str(listed.tokens)


def test_a_name_that_is_taken_is_said_in_the_dialog(tab):
    """Nothing typed is lost."""
    state, browser = tab(OPEN, creating(), creating())

    assert "There is a token called 'ci'" in state.problem
    assert "" == browser.was_told()


@pytest.mark.parametrize("fields", [{"role": "owner"}, {"life": "12 days"}, {"role": ""}])
def test_only_what_is_offered_can_be_chosen(tab, fields):
    """An event made by hand gets a sentence."""
    _, browser = tab(OPEN, creating(**fields))

    assert "Choose a role" in browser.was_told()


def test_revoking_asks_first(tab):
    """And takes the token off the list."""
    asked, _ = tab(creating(), (SettingsState.ask_revoke, {"name": "ci"}))
    kept, _ = tab(
        (SettingsState.ask_revoke, {"name": "ci"}), (SettingsState.ask_revoke, {"name": ""}), (SettingsState.load, {})
    )
    state, _ = tab((SettingsState.ask_revoke, {"name": "ci"}), (SettingsState.revoke, {}), (SettingsState.load, {}))

    assert "ci" == asked.doomed
    assert ["ci"] == [row.name for row in kept.tokens]
    assert ([], "") == (state.tokens, state.doomed)


def test_only_who_administers_sees_tokens(tab, monkeypatch):
    """An editor is told which role it needs."""
    monkeypatch.setattr(access, "local_actor", lambda: Actor("guest", Role.EDITOR))
    state, browser = tab((SettingsState.load, {}), creating())

    assert "needs the role admin" in browser.was_told()
    assert "" == state.secret
