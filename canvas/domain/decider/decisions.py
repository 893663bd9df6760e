"""`evolve`, `decide` and `load`: the three things that can be done with a run's state."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from canvas.domain.decider.ending import check_join, close, conclude_parallel, end_run, forget, stop_everything
from canvas.domain.decider.evolution import apply_context, apply_run, apply_step, locate, stop_by, verdict_on
from canvas.domain.decider.facts import Command, ContextChanged, Outcome, RunChanged, StepChanged
from canvas.domain.decider.loops import conclude_iteration, finish_stopped, iterate
from canvas.domain.decider.outcomes import take_in
from canvas.domain.decider.starting import skip, start, start_again
from canvas.domain.decider.state import ENDED, Frame, RunState, Task
from canvas.domain.states import RunStatus, StepStatus, StepType


def evolve(state: RunState, fact: Outcome | StepChanged | RunChanged | ContextChanged) -> None:
    """Fold one fact into a run's state; in time that depends on what waits for it, never on the size of the run.

    An outcome is noted and its consequences are left to `decide`. A recorded change is applied; a step run that has
    ended stays as it is, and so does a run.
    """
    if isinstance(fact, StepChanged):
        found = locate(state, fact.path)
        if found is not None:
            apply_step(state, *found, fact)
    elif isinstance(fact, RunChanged):
        apply_run(state, fact)
    elif isinstance(fact, ContextChanged):
        apply_context(state, fact)
    else:
        state.news.append(fact)


def decide(state: RunState, now: datetime, *, may_start: bool = True) -> tuple[Command, ...]:
    """Draw all conclusions from what is known. Asked again without a new fact, it has nothing more to say.

    Args:
        now: The moment to reckon from, aware and in UTC.
        may_start: False lets nothing new start for now, as a pause would; a later call goes on.

    Returns:
        What has to be recorded and done, in order. The state counts on all of it already.
    """
    while state.news:
        take_in(state, state.news.popleft(), now)
        _end_things(state)
    while True:
        _end_things(state)
        if not may_start or not state.agenda or state.status is not RunStatus.RUNNING:
            break
        task, frame, place = state.agenda.popleft()
        _do(state, task, frame, place, now)
    end_run(state)
    commands, state.commands = tuple(state.commands), []
    return commands


def load(state: RunState, rows: Iterable[StepChanged], status: RunStatus, progress: tuple[int, int]) -> None:
    """Rebuild a fresh state from what was recorded: the latest attempt of each step run, in any order.

    Args:
        state: Just made, with its context and values.
        rows: `input` is needed for those that have not ended and for loops; outputs may be `ELSEWHERE`.
        progress: Settled and known steps as recorded.
    """
    latest = sorted(rows, key=lambda row: (row.path.count("/"), row.path))
    kept = _kept_containers(latest)
    apply_run(state, RunChanged(status=status))
    for row in latest:
        if row.path in kept and row.status in ENDED:
            _load_kept(state, row)
        else:
            evolve(state, row)
    for row in latest:
        if row.type is StepType.STOP and row.status is StepStatus.COMPLETED:
            stop_by(state, state.plan.names[row.name], state.values[row.path])
    _end_things(state)
    state.settled, state.total = progress


def _load_kept(state: RunState, row: StepChanged) -> None:
    """Load a container that has ended in a way that the steps still going in it find their frames."""
    found = locate(state, row.path)
    if found is None:
        return
    frame, node = found
    slot = frame.slots[node.index]
    apply_step(state, frame, node, replace(row, status=StepStatus.RUNNING))
    frames, loop = slot.frames, slot.loop
    apply_step(state, frame, node, row)
    slot.frames, slot.loop = frames, loop


def _kept_containers(rows: list[StepChanged]) -> set[str]:
    """Find containers that went on without some of their steps, which are still going."""
    kept: set[str] = set()
    for row in rows:
        if row.status in ENDED:
            continue
        parent = row.path.rpartition("/")[0]
        while parent:
            kept.add(parent.rpartition("[")[0] if parent.endswith("]") else parent)
            parent = parent.rpartition("/")[0]
    return kept


def _end_things(state: RunState) -> None:
    while state.urgent:
        task, frame, place = state.urgent.popleft()
        match task:
            case Task.STOP_RUN:
                stop_everything(state)
            case Task.CLOSE:
                close(state, frame)
            case Task.JOINED:
                check_join(state, frame)
            case Task.FINISH:
                node = frame.scope.nodes[place]
                finish_stopped(state, frame, node, frame.slots[place])
            case _:
                _conclude(state, frame)


def _conclude(state: RunState, frame: Frame) -> None:
    if frame.is_concluded or frame.active or (frame.open and frame.verdict is None):
        return
    frame.is_concluded = True
    state.settled += frame.open
    if frame.node is None:
        return
    if frame.is_released:
        forget(state, frame)
        _let_go(frame)
    elif frame.container.loop is not None:
        conclude_iteration(state, frame)
    else:
        conclude_parallel(state, frame)
        forget(state, frame)


def _let_go(frame: Frame) -> None:
    slot = frame.container
    if slot.frames is not None:
        slot.frames.pop(frame.index, None)
        if not slot.frames:
            slot.frames = slot.loop = None


def _do(state: RunState, task: Task, frame: Frame, place: int, now: datetime) -> None:
    node, slot = frame.scope.nodes[place], frame.slots[place]
    if frame.verdict is not None or state.verdict is not None:
        return
    match task:
        case Task.ITERATE:
            iterate(state, frame, node)
        case Task.RETRY:
            start_again(state, frame, node, now)
        case _ if slot.status is StepStatus.PENDING:
            match verdict_on(node, slot):
                case True:
                    start(state, frame, node, now)
                case False:
                    skip(state, frame, node, now)
