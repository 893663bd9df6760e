"""Where a run stands, as one mutable value that its owner keeps in memory.

A *frame* is one execution of a scope: the top level, the inside of a `parallel`, one iteration of a `loop`. It has a
*slot* for each step. Everything is counted as it changes, so that nothing is ever searched: a fact touches the slots
that depend on it and no others.

The state is mutable because a run of ten thousand steps must not copy itself ten thousand times. What makes it as
good as a pure value: only `evolve` and `decide` change it, and equal facts in equal order give equal states and equal
commands (`snapshot` compares them).
"""

from collections import deque
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from canvas.domain.decider.facts import Command, Due, Outcome, TimedOut
from canvas.domain.decider.plan import Node, Plan, ScopePlan
from canvas.domain.states import RunStatus, StepStatus

ENDED = frozenset(status for status in StepStatus if status.is_terminal)
ACTIVE = frozenset({StepStatus.RUNNING, StepStatus.WAITING, StepStatus.RETRYING})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scope, a container or the run will end as, once what is still going in it has stopped."""

    status: StepStatus
    error: dict[str, Any] | None = None
    output: Any = None


CANCELLED = Verdict(StepStatus.CANCELLED)


class Task(IntEnum):
    """What is left to look at. The urgent ones end things; they go first, and a pause does not hold them."""

    STOP_RUN = 0
    CLOSE = 1
    JOINED = 2
    CONCLUDE = 3
    FINISH = 4
    CONSIDER = 5
    ITERATE = 6
    RETRY = 7


@dataclass(slots=True, eq=False)
class Loop:
    """How far a loop is."""

    items: list[Any] | None
    "The collection; None when the loop only counts."
    total: int | None
    "None while a `while` has not come out false."
    results: list[Any] = field(default_factory=list)
    next: int = 0
    going: int = 0
    succeeded: int = 0
    failed: int = 0
    error: dict[str, Any] | None = None
    "Of the first iteration that failed."
    last: "Frame | None" = None
    "The latest iteration that ended; a `while` may look at its steps."


class Slot:
    """One step in one frame."""

    __slots__ = (
        "attempt",
        "branch",
        "branch_value",
        "deadline_at",
        "due_at",
        "error",
        "frames",
        "input",
        "interruptions",
        "is_stopping",
        "live",
        "loop",
        "status",
        "unsettled",
        "verdict",
    )

    def __init__(self, dependencies: int) -> None:
        self.status = StepStatus.PENDING
        self.unsettled = dependencies
        self.live = 0
        self.attempt = 0
        self.interruptions = 0
        self.branch: str | None = None
        self.branch_value: Any = None
        self.error: dict[str, Any] | None = None
        self.input: Any = None
        self.due_at: datetime | None = None
        self.deadline_at: datetime | None = None
        self.is_stopping = False
        self.frames: dict[int, Frame] | None = None
        self.loop: Loop | None = None
        self.verdict: Verdict | None = None


class Frame:
    """One execution of a scope."""

    __slots__ = (
        "active",
        "index",
        "is_concluded",
        "is_released",
        "live_ends",
        "names",
        "node",
        "open",
        "parent",
        "prefix",
        "scope",
        "slots",
        "verdict",
    )

    def __init__(self, scope: ScopePlan, prefix: str, parent: "Frame | None", node: Node | None, index: int) -> None:
        self.scope = scope
        self.prefix = prefix
        self.parent = parent
        self.node = node
        "The container it is the inside of; None for the top level."
        self.index = index
        self.slots = [Slot(len(step.sources)) for step in scope.nodes]
        self.open = len(scope.nodes)
        "Steps that have not ended."
        self.active = 0
        "Steps that have started and not ended."
        self.live_ends = 0
        self.verdict: Verdict | None = None
        "Set once nothing new may start in it."
        self.is_released = False
        "Whether its container went on without it."
        self.is_concluded = False
        self.names: dict[str, Any] | None = None

    @property
    def container(self) -> Slot:
        """The slot of the container it is the inside of."""
        assert self.parent is not None and self.node is not None
        return self.parent.slots[self.node.index]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """What does not change during a run."""

    id: str
    workflow_name: str = ""
    version: int = 1
    parameters: dict[str, Any] = field(default_factory=dict)
    trigger_type: str = "manual"
    trigger_data: Any = None
    triggered_by: str = ""
    started_at: datetime | None = None
    is_dry: bool = False
    "In a dry run the answers are invented; what they do not say reads as an empty object."


@dataclass(slots=True, eq=False)
class RunState:
    """Everything the decider knows about one run."""

    plan: Plan
    info: RunInfo
    values: MutableMapping[str, Any] = field(default_factory=dict)
    "Outputs by path; may fetch what it does not hold from where it is stored."
    context: dict[str, Any] = field(default_factory=dict)
    status: RunStatus = RunStatus.PENDING
    verdict: Verdict | None = None
    "Set once the run is to end, whatever is still going."
    settled: int = 0
    total: int = 0
    active: int = 0
    top: Frame = field(init=False)
    flight: dict[str, tuple[Frame, Node]] = field(default_factory=dict)
    "Step runs that have started and not ended, by path."
    news: deque[Outcome] = field(default_factory=deque)
    urgent: deque[tuple[Task, Frame, int]] = field(default_factory=deque)
    agenda: deque[tuple[Task, Frame, int]] = field(default_factory=deque)
    commands: list[Command] = field(default_factory=list)
    timers: list[tuple[datetime, Due | TimedOut]] = field(default_factory=list)
    "Outcomes that are wanted at a later moment; the owner takes them from here."
    names: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.top = Frame(self.plan.scope, "", None, None, 0)
        self.total = self.top.open
        self.agenda.extend((Task.CONSIDER, self.top, place) for place in self.plan.scope.starts)

    @property
    def is_paused(self) -> bool:
        """Whether nothing new may start for now."""
        return self.status is RunStatus.PAUSED


def snapshot(state: RunState) -> dict[str, Any]:
    """Describe a state in plain values, so that two of them can be compared."""
    if state.verdict is not None:
        return {"status": state.status, "verdict": state.verdict, "flight": sorted(state.flight)}
    return {
        "status": state.status,
        "verdict": state.verdict,
        "context": state.context,
        "progress": (state.settled, state.total),
        "active": state.active,
        "flight": sorted(state.flight),
        "top": _frame_snapshot(state.top),
    }


def _frame_snapshot(frame: Frame) -> dict[str, Any]:
    return {
        "open": frame.open,
        "active": frame.active,
        "verdict": frame.verdict,
        "slots": {frame.prefix + node.name: _slot_snapshot(frame.slots[node.index]) for node in frame.scope.nodes},
    }


def _slot_snapshot(slot: Slot) -> dict[str, Any]:
    loop = slot.loop
    if slot.verdict is not None:  # it only drains; how far it had come makes no difference any more
        return {"status": slot.status, "attempt": (slot.attempt, slot.interruptions), "verdict": slot.verdict.status}
    return {
        "status": slot.status,
        "counts": (slot.unsettled, slot.live),
        "attempt": (slot.attempt, slot.interruptions),
        "branch": (slot.branch, slot.branch_value),
        "due_at": slot.due_at,
        "loop": loop and (loop.total, loop.next, loop.going, loop.succeeded, loop.failed, loop.results),
        "frames": {index: _frame_snapshot(frame) for index, frame in sorted((slot.frames or {}).items())},
    }
