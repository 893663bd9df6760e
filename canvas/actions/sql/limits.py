"""How a statement fails, and when it has to end."""

import threading
import time
from typing import Protocol

from canvas.actions.failures import ActionFailed

CONNECT_SECONDS = 10


class DatabaseFailed(ActionFailed):
    """The database did not do what it was asked to."""

    code = "database_failed"


class Limit:
    """When a statement has to end: at its deadline, or when somebody stops it from outside."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._stopped = threading.Event()
        self._stoppers: list[Stopper] = []

    @property
    def left(self) -> float:
        """Seconds until the deadline; never less than 1 ms."""
        return max(self._deadline - time.monotonic(), 0.001)

    @property
    def is_over(self) -> bool:
        """Whether the statement has to end."""
        return self._stopped.is_set() or time.monotonic() >= self._deadline

    def watch(self, stopper: "Stopper") -> None:
        """Let `stop` also cancel what this connection does."""
        self._stoppers.append(stopper)

    def stop(self) -> None:
        """End the statement, from another thread."""
        self._stopped.set()
        for stopper in self._stoppers:
            stopper.cancel_safe(timeout=CONNECT_SECONDS)


class Stopper(Protocol):
    """A driver's connection that can be told from another thread to give up."""

    def cancel_safe(self, *, timeout: float) -> None:
        """Give up what it does."""
