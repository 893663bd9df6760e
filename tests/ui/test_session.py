"""The gate in front of every event handler."""

from typing import Any

import pytest
import reflex as rx

from canvas.domain.errors import NotFound
from canvas.services import access
from canvas.services.access import Actor, Permission, Role
from canvas.ui import session
from canvas.ui.session import handler


class GateState(rx.State):
    done: list[str] = []

    @handler(Permission.EDIT)
    async def change(self, name: str, count: int = 1) -> None:
        self.done = [*self.done, name * count]

    @handler(Permission.VIEW)
    async def fail(self) -> None:
        raise NotFound("There is no such thing.")

    @handler(Permission.VIEW)
    async def in_steps(self, name: str) -> Any:
        self.done = [name]
        yield
        raise NotFound("It went away.")


def test_the_sender_needs_the_permission(tab, monkeypatch):
    """A viewer cannot change anything by sending the event of a button that is not shown to them."""
    monkeypatch.setattr(access, "local_actor", lambda: Actor("guest", Role.VIEWER))

    state, browser = tab((GateState.change, {"name": "a"}))

    assert [] == state.done
    assert "This needs the role editor; you are viewer." in browser.was_told()


@pytest.mark.parametrize("arguments", [{"name": 1}, {"name": None}, {"name": "a", "count": [2]}, {"name": ["a"]}])
def test_arguments_of_another_type_are_refused(tab, arguments):
    """Annotations hold: what arrives over the wire is checked before the handler sees it."""
    state, browser = tab((GateState.change, arguments))

    assert [] == state.done
    assert "something it does not understand" in browser.was_told()


def test_good_events_pass(tab):
    """With permission and the right types, the handler runs; defaults count."""
    state, browser = tab((GateState.change, {"name": "a"}), (GateState.change, {"name": "b", "count": 2}))

    assert ["a", "bb"] == state.done
    assert "" == browser.was_told()


def test_an_error_of_the_user_becomes_a_toast(tab):
    """People read the sentence; nothing is logged as a defect."""
    _, browser = tab((GateState.fail, {}))

    assert "There is no such thing." in browser.was_told()


def test_a_handler_in_steps_is_guarded_too(tab, monkeypatch):
    """Generators that show progress ask for permission before the first step and turn errors into toasts."""
    state, browser = tab((GateState.in_steps, {"name": "a"}))
    assert (["a"], True) == (state.done, "It went away." in browser.was_told())

    monkeypatch.setattr(session, "actor", lambda _state: Actor("nobody", Role.VIEWER))
    monkeypatch.setattr(access, "_RANK", {Role.VIEWER: -1})
    monkeypatch.setattr(access, "_NEEDED", {Permission.VIEW: Role.VIEWER})
    state, _ = tab((GateState.in_steps, {"name": 5}))
    assert [] == state.done
