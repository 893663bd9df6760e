"""Waiting for runs to end without asking again and again: the engine sends a datagram to whoever said that they wait.

One socket and one thread for the process, made when somebody waits for the first time. A datagram may get lost, so
those who wait also look by themselves now and then.
"""

import asyncio
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from starlette.concurrency import run_in_threadpool

_KEPT: Final = 4_096
"Ends that came before somebody waited for them."
_FIRST_LOOK_SECONDS: Final = 0.02
_LONGEST_LOOK_SECONDS: Final = 0.25
Found = TypeVar("Found")
_Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Event]


class Results:
    """Hears of the ends of runs; for any event loop of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._waiting: dict[str, list[_Waiter]] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()

    @property
    def port(self) -> int:
        """The UDP port on loopback to start a run with that somebody will wait for."""
        with self._lock:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self._socket.bind(("127.0.0.1", 0))
                threading.Thread(target=self._hear, args=(self._socket,), name="run-ends", daemon=True).start()
            return int(self._socket.getsockname()[1])

    async def wait(self, run_id: str, look: Callable[[], Found | None], seconds: float) -> Found | None:
        """Wait for a run to end; gives what was found then, or None when the time is up.

        Args:
            look: Gives something once the run has ended; called in a thread, when the datagram came, and now and then.
            seconds: At most so long.
        """
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + seconds, _FIRST_LOOK_SECONDS
        waiter = (loop, asyncio.Event())
        self._enter(run_id, waiter)
        try:
            while True:
                left = deadline - loop.time()
                with suppress(TimeoutError):
                    await asyncio.wait_for(waiter[1].wait(), max(0.0, min(pause, left)))
                waiter[1].clear()
                pause = min(pause * 2, _LONGEST_LOOK_SECONDS)
                found = await run_in_threadpool(look)
                if found is not None or left <= 0:
                    return found
        finally:
            self._leave(run_id, waiter)

    def _enter(self, run_id: str, waiter: _Waiter) -> None:
        with self._lock:
            self._waiting.setdefault(run_id, []).append(waiter)
            if run_id in self._ended:
                waiter[1].set()

    def _leave(self, run_id: str, waiter: _Waiter) -> None:
        with self._lock:
            self._waiting[run_id].remove(waiter)
            if not self._waiting[run_id]:
                del self._waiting[run_id]

    def _hear(self, bell: socket.socket) -> None:
        while True:
            run_id = bell.recv(64).decode(errors="replace")
            with self._lock:
                self._ended[run_id] = None
                if len(self._ended) > _KEPT:
                    self._ended.popitem(last=False)
                waiters = list(self._waiting.get(run_id, ()))
            for loop, event in waiters:
                try:
                    loop.call_soon_threadsafe(event.set)
                except RuntimeError:  # the loop has ended, and whoever waited with it
                    continue


RESULTS: Final = Results()
"""The one of this process."""
