"""Getting ready attempts executed. Nothing outside this file knows where they run."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Protocol

Execute = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DispatcherHealth:
    """How busy a dispatcher is."""

    running: int
    waiting: int


class Dispatcher(Protocol):
    """Takes hints that an attempt is ready; a hint may be lost, doubled or late without harm."""

    def start(self, execute: Execute) -> None:
        """Begin; `execute` carries out one attempt, named by its key, and never raises."""

    def submit(self, key: str, *, priority: int = 0) -> None:
        """Hint that an attempt is ready; higher priorities go first when there is a queue."""

    async def stop(self, drain_seconds: float) -> None:
        """Take no more, give what is running that long, then cancel it."""

    def health(self) -> DispatcherHealth:
        """Tell how busy it is."""


class EmbeddedDispatcher:
    """Runs attempts as tasks of the engine's own event loop, so many at once."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = max(1, concurrency)
        self._waiting: list[tuple[int, int, str]] = []
        self._order = count()
        self._running: set[asyncio.Task[None]] = set()
        self._execute: Execute | None = None

    def start(self, execute: Execute) -> None:
        """Begin to execute."""
        self._execute = execute

    def submit(self, key: str, *, priority: int = 0) -> None:
        """Run an attempt now, or as soon as there is room."""
        if len(self._running) < self._concurrency and not self._waiting:
            self._run(key)
        else:
            heapq.heappush(self._waiting, (-priority, next(self._order), key))

    async def stop(self, drain_seconds: float) -> None:
        """Give what is running so many seconds, then cancel it and forget what waits."""
        self._execute = None
        self._waiting.clear()
        if self._running:
            await asyncio.wait(self._running, timeout=drain_seconds)
        for task in list(self._running):
            task.cancel()

    def health(self) -> DispatcherHealth:
        """Count what runs and what waits."""
        return DispatcherHealth(len(self._running), len(self._waiting))

    def _run(self, key: str) -> None:
        if self._execute is None:
            return
        task = asyncio.ensure_future(self._execute(key))
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        while self._waiting and len(self._running) < self._concurrency:
            self._run(heapq.heappop(self._waiting)[2])
