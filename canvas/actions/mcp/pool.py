"""The sessions an engine process keeps open: one per connection, not too many, none for long without a call."""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from canvas.actions.mcp.failures import McpFailed, SessionLost
from canvas.actions.mcp.kind import Mcp
from canvas.settings import Settings

MAX_OPEN: Final = 16
IDLE_SECONDS: Final = 300.0


@dataclass(slots=True)
class _Kept:
    link: Any
    fingerprint: str
    used_at: float


class Pool:
    """Sessions by connection. Belongs to the event loop that first uses it, which also has to close it."""

    def __init__(self, settings: Settings, *, max_open: int = MAX_OPEN, idle_seconds: float = IDLE_SECONDS) -> None:
        self._settings = settings
        self._max_open = max_open
        self._idle_seconds = idle_seconds
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._opening: dict[str, asyncio.Lock] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def open_count(self) -> int:
        """How many sessions are kept."""
        return len(self._kept)

    async def call(self, connection: str, config: Mcp, tool: str, arguments: dict[str, Any], on_progress: Any) -> Any:
        """Call a tool in the connection's session, which is opened first when there is none, or none any more.

        Raises:
            McpFailed, InvalidArguments: as `Link.call`; a session that was lost before the call is opened once more.
        """
        try:
            return await self._call(connection, config, tool, arguments, on_progress)
        except SessionLost:
            return await self._call(connection, config, tool, arguments, on_progress)

    async def close(self) -> None:
        """Close every session, whoever waits for an answer."""
        for connection, kept in list(self._kept.items()):
            kept.link.retire()
            self._forget(connection)
        if self._closing:
            await asyncio.wait(self._closing)

    async def _call(self, connection: str, config: Mcp, tool: str, arguments: dict[str, Any], on_progress: Any) -> Any:
        kept = await self._session(connection, config)
        try:
            return await kept.link.call(tool, arguments, on_progress)
        except SessionLost:
            if self._kept.get(connection) is kept:
                self._forget(connection)
            raise
        finally:
            kept.used_at = asyncio.get_running_loop().time()

    async def _session(self, connection: str, config: Mcp) -> _Kept:
        """Give the connection's session; of several calls at once, the first opens it and the others wait."""
        fingerprint = _fingerprint(config)
        async with self._opening.setdefault(connection, asyncio.Lock()):
            kept = self._kept.get(connection)
            if kept is not None and kept.fingerprint == fingerprint and kept.link.is_open:
                self._kept.move_to_end(connection)
                return kept
            if kept is not None:
                self._forget(connection)
            self._make_room()
            module = await asyncio.to_thread(import_module, "canvas.actions.mcp.link")
            link = module.Link(config, self._settings)
            await link.open()
            loop = asyncio.get_running_loop()
            kept = self._kept[connection] = _Kept(link, fingerprint, loop.time())
            loop.call_later(self._idle_seconds, self._end_if_idle, connection, kept)
            return kept

    def _make_room(self) -> None:
        if len(self._kept) < self._max_open:
            return
        idle = next((name for name, kept in self._kept.items() if not kept.link.calls), None)
        if idle is None:
            raise McpFailed(
                f"{self._max_open} MCP servers are at work; another one is called when one is done.", retryable=True
            )
        self._forget(idle)

    def _end_if_idle(self, connection: str, kept: _Kept) -> None:
        if self._kept.get(connection) is not kept:
            return
        loop = asyncio.get_running_loop()
        left = kept.used_at + self._idle_seconds - loop.time()
        if kept.link.is_open and (kept.link.calls or left > 0):
            loop.call_later(max(left, self._idle_seconds / 10), self._end_if_idle, connection, kept)
        else:
            self._forget(connection)

    def _forget(self, connection: str) -> None:
        """Let go of a session: it is closed once nobody waits for an answer any more."""
        task = asyncio.create_task(self._kept.pop(connection).link.close_when_idle())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _fingerprint(config: Mcp) -> str:
    """Tell two configurations apart without keeping their secrets."""
    headers = {name: value.get_secret_value() for name, value in config.headers.items()}
    bearer = config.bearer.get_secret_value() if config.bearer else None
    told = repr((config.url, config.command, config.timeout_seconds, bearer, sorted(headers.items())))
    return hashlib.sha256(told.encode()).hexdigest()
