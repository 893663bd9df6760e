"""Moments that runs in memory wait for, the next one first. A timer that comes up for nothing does no harm."""

import heapq
from datetime import datetime
from itertools import count

from canvas.domain.decider import Outcome


class Timers:
    """A heap of outcomes to deliver."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, str, Outcome]] = []
        self._order = count()

    def add(self, moment: datetime, run_id: str, outcome: Outcome) -> None:
        """Have an outcome delivered to a run at a moment."""
        heapq.heappush(self._heap, (moment, next(self._order), run_id, outcome))

    def next(self) -> datetime | None:
        """Give the next moment."""
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: datetime) -> list[tuple[str, Outcome]]:
        """Take everything that is due, in order."""
        due: list[tuple[str, Outcome]] = []
        while self._heap and self._heap[0][0] <= now:
            _, _, run_id, outcome = heapq.heappop(self._heap)
            due.append((run_id, outcome))
        return due
