"""Sends events to the real handlers, as a browser would, without a server."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken
from reflex.utils.format import format_event_handler
from reflex_base.event import Event
from reflex_base.event.processor import BaseStateEventProcessor

import canvas.canvas
from canvas.settings import Settings
from canvas.ui import use


class Browser:
    """What a browser tab would have received."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    async def emit_update(self, update: Any, token: str) -> None:
        del token
        self.events += update.events or []

    def went_to(self) -> list[str]:
        """The addresses it was sent to."""
        return [str(event.payload["path"]) for event in self.events if event.name == "_redirect"]

    def was_told(self) -> str:
        """The text of everything that is no redirect, which includes the toasts."""
        return " ".join(str(event.payload) for event in self.events if event.name != "_redirect")


@pytest.fixture
def tab(database: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Send events one after the other; gives the state of the last one's handler, and the browser.

    Each event is a handler such as `RunsState.search` and its arguments by name.
    """
    assert canvas.canvas.app, "the app has to exist before its states can be used"
    monkeypatch.setattr(use, "settings", lambda: database)
    yield lambda *calls, path="/no-page-with-events-of-its-own": asyncio.run(_send(calls, path))


async def _send(calls: tuple[tuple[Any, dict[str, Any]], ...], path: str) -> tuple[Any, Browser]:
    browser, defects, states = Browser(), [], StateManagerMemory()
    processor = BaseStateEventProcessor(backend_exception_handler=defects.append, graceful_shutdown_timeout=2)
    async with processor.configure(state_manager=states, event_namespace=browser):
        for handler, arguments in calls:
            event = Event(
                name=format_event_handler(handler),
                payload=arguments,
                router_data={"pathname": path, "asPath": path, "headers": {"origin": "http://localhost"}, "token": "t"},
            )
            waiting = await processor.enqueue("t", event)
            with suppress(Exception):
                await waiting.wait_all()
        root = await states.get_state(BaseStateToken(ident="t", cls=calls[-1][0].state))
        state = await root.get_state(calls[-1][0].state)
    if defects:
        raise defects[0]
    return state, browser
