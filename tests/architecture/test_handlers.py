"""Any browser can send any event: none may reach a handler that does not ask who is there."""

from collections.abc import Iterator

import pytest
import reflex as rx
from reflex.state import all_base_state_classes

import canvas.canvas
from canvas.services.access import Permission


def _states() -> Iterator[type[rx.State]]:
    waiting = list(rx.State.__subclasses__())
    while waiting:
        state = waiting.pop()
        waiting += state.__subclasses__()
        if state.__module__.startswith("canvas."):
            yield state


HANDLERS = [
    (state, name)
    for state in _states()
    for name in state.event_handlers
    if name in vars(state) and name != "setvar"  # Reflex's own; it only calls handlers named `set_…`
]


@pytest.mark.parametrize(("state", "name"), HANDLERS, ids=[f"{s.__name__}.{n}" for s, n in HANDLERS])
def test_every_event_handler_asks_for_a_permission(state, name):
    """Each public method of a state is reachable from outside and goes through `ui.session.handler`."""
    function = state.event_handlers[name].fn

    assert isinstance(getattr(function, "__canvas_permission__", None), Permission)
    assert not name.startswith("set_")


def test_no_state_was_overlooked():
    """The walk above finds every state of ours that Reflex knows."""
    assert canvas.canvas.app
    known = {name for name in all_base_state_classes if name.rpartition(".")[2].startswith("canvas___")}

    assert known == {state.get_full_name() for state in _states()}
    assert HANDLERS
