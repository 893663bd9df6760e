"""What the canvas shows of a run: the step runs of a step, however many, folded into one node.

A snapshot and the changes after it lead to the same nodes as all changes from the beginning; a change that is told
twice, or late, alters nothing.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from canvas.domain.states import StepStatus

_ITERATION: Final = re.compile(r"\[\d+\]$")
_SHOWN_FIRST: Final = (
    StepStatus.RUNNING,
    StepStatus.FAILED,
    StepStatus.WAITING,
    StepStatus.RETRYING,
    StepStatus.PENDING,
    StepStatus.COMPLETED,
    StepStatus.SKIPPED,
    StepStatus.CANCELLED,
)
_WITH_ERROR: Final = (StepStatus.FAILED, StepStatus.RETRYING)


@dataclass(frozen=True, slots=True)
class StepChange:
    """One attempt at one step run reached a status."""

    seq: int
    "Number of the log row that told it; of two changes at a path, the later has the higher one."
    path: str
    attempt: int
    status: StepStatus
    branch: str | None = None
    error: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


def step_name(path: str) -> str:
    """Give the name of the step that a path leads to: `each_server[3]/deploy` is a run of `deploy`."""
    return _ITERATION.sub("", path.rpartition("/")[2])


class Progress:
    """The nodes of one run. Not shared between threads."""

    def __init__(self, changes: Iterable[StepChange] = ()) -> None:
        self._latest: dict[str, StepChange] = {}
        self._nodes: dict[str, _Node] = {}
        for change in changes:
            self.apply(change)

    def apply(self, change: StepChange) -> str | None:
        """Fold one change in.

        Returns:
            The name of the node that looks different now; None when the change was known or is outdated.
        """
        known = self._latest.get(change.path)
        if known is not None and _is_outdated(change, known):
            return None
        self._latest[change.path] = change = _with_start_of(change, known)
        name = step_name(change.path)
        self._nodes.setdefault(name, _Node()).replace(known, change)
        return name

    def node(self, name: str) -> dict[str, Any]:
        """Describe one node in the feed's words (`s n t a b e d`); values that are not known are left out.

        Raises:
            KeyError: Nothing is known about a step of this name.
        """
        return self._nodes[name].describe()

    def nodes(self) -> dict[str, dict[str, Any]]:
        """Describe every node that something is known about, by name."""
        return {name: node.describe() for name, node in self._nodes.items()}


@dataclass(slots=True)
class _Node:
    counts: Counter[StepStatus] = field(default_factory=Counter)
    attempt: int = 1
    branch: str | None = None
    error: str | None = None
    seconds: float | None = None

    def replace(self, old: StepChange | None, new: StepChange) -> None:
        if old is not None:
            self.counts[old.status] -= 1
        self.counts[new.status] += 1
        self.attempt = max(self.attempt, new.attempt)
        if new.error and new.status in _WITH_ERROR:
            self.error = new.error
        if new.status.is_terminal:
            self.branch = new.branch
        if new.started_at and new.ended_at:
            self.seconds = max((new.ended_at - new.started_at).total_seconds(), 0.0)

    def describe(self) -> dict[str, Any]:
        shown = next(status for status in _SHOWN_FIRST if self.counts[status] > 0)
        optional = {
            "b": self.branch,
            "e": self.error if shown in _WITH_ERROR else None,
            "d": None if self.seconds is None else round(self.seconds, 3),
        }
        return {
            "s": shown.value,
            "n": {status.value: count for status, count in self.counts.items() if count > 0},
            "t": sum(self.counts.values()),
            "a": self.attempt,
            **{key: value for key, value in optional.items() if value is not None},
        }


def _is_outdated(change: StepChange, known: StepChange) -> bool:
    if change.attempt != known.attempt:
        return change.attempt < known.attempt
    return known.status.is_terminal or change.seq <= known.seq


def _with_start_of(change: StepChange, known: StepChange | None) -> StepChange:
    """The end of an attempt is told without its start, which is remembered here."""
    if change.started_at is not None or known is None or known.attempt != change.attempt:
        return change
    return replace(change, started_at=known.started_at)
