"""Folding recorded changes into the state: the same code for one just decided and one read back from its row."""

from datetime import timedelta
from typing import Any

from canvas.domain.decider.facts import ELSEWHERE, ContextChanged, Due, RunChanged, StepChanged, TimedOut
from canvas.domain.decider.plan import Edge, Node
from canvas.domain.decider.state import ACTIVE, CANCELLED, ENDED, Frame, Loop, RunState, Slot, Task, Verdict
from canvas.domain.states import Branch, JoinMode, OnItemFailure, RunStatus, StepStatus, StepType
from canvas.domain.steps import ActionStep, LoopStep, StopStep

_RUN_TO_STEP = {
    RunStatus.COMPLETED: StepStatus.COMPLETED,
    RunStatus.FAILED: StepStatus.FAILED,
    RunStatus.CANCELLED: StepStatus.CANCELLED,
}


def apply_step(state: RunState, frame: Frame, node: Node, change: StepChanged) -> None:
    """Fold a step run's new status in. A step that has ended stays as it is."""
    slot = frame.slots[node.index]
    if slot.status in ENDED or not change.is_final:
        return
    was_active = slot.status in ACTIVE
    slot.status = change.status
    slot.attempt = change.attempt
    slot.interruptions = change.interruptions
    if change.status in ENDED:
        _end(state, frame, node, slot, change, was_active=was_active)
    else:
        _go_on(state, frame, node, slot, change, was_active=was_active)


def record(state: RunState, frame: Frame, node: Node, change: StepChanged) -> None:
    """Decide a change: it becomes a command, and the state already counts on it."""
    state.commands.append(change)
    apply_step(state, frame, node, change)


def apply_run(state: RunState, change: RunChanged) -> None:
    """Fold the run's new status in. A run that has ended stays as it is."""
    if not state.status.is_terminal:
        state.status = change.status


def apply_context(state: RunState, change: ContextChanged) -> None:
    """Fold in what a `set` step wrote."""
    state.context.update(change.values)


def locate(state: RunState, path: str) -> tuple[Frame, Node] | None:
    """Find the frame and step a path names; an iteration whose loop is going is opened on the way."""
    if path in state.flight:
        return state.flight[path]
    frame = state.top
    *containers, last = path.split("/")
    for part in containers:
        name, _, index = part.partition("[")
        place = frame.scope.places.get(name)
        inner = None if place is None else _inner(state, frame, place, int(index[:-1] or 0) if index else 0)
        if inner is None:
            return None
        frame = inner
    place = frame.scope.places.get(last)
    return None if place is None else (frame, frame.scope.nodes[place])


def open_frame(state: RunState, frame: Frame, node: Node, index: int) -> Frame:
    """Open the inside of a container: that of a `parallel`, or one iteration of a loop."""
    slot, scope = frame.slots[node.index], node.inner
    assert scope is not None and slot.frames is not None
    path = frame.prefix + node.name
    prefix = f"{path}[{index}]/" if slot.loop is not None else f"{path}/"
    inner = Frame(scope, prefix, frame, node, index)
    inner.is_released = slot.status in ENDED
    slot.frames[index] = inner
    if slot.loop is not None:
        slot.loop.next = max(slot.loop.next, index + 1)
        slot.loop.going += 1
    if slot.loop is None or slot.loop.total is None:
        state.total += inner.open
    state.agenda.extend((Task.CONSIDER, inner, place) for place in scope.starts)
    if not inner.open:
        state.urgent.append((Task.CONCLUDE, inner, 0))
    return inner


def stop_run(state: RunState, verdict: Verdict) -> None:
    """Let the run end like this as soon as what is going has stopped; the first to say so wins."""
    if state.verdict is None:
        state.verdict = verdict
        state.urgent.append((Task.STOP_RUN, state.top, 0))


def stop_by(state: RunState, node: Node, said: Any) -> None:
    """Let the run end as a `stop` step says; `said` is that step's output."""
    assert isinstance(node.step, StopStep)
    status = _RUN_TO_STEP[node.step.status]
    error = None
    if status is not StepStatus.COMPLETED:
        error = {"code": "stopped", "message": said["message"] or f"Stopped by `{node.name}`.", "step": node.name}
    stop_run(state, Verdict(status, error, said["output"]))


def fail_frame(state: RunState, frame: Frame, error: dict[str, Any]) -> None:
    """Let a failure that nobody handles end its scope, and all scopes around it up to one that handles it."""
    if frame.verdict is not None:
        return
    if frame.node is None:
        stop_run(state, Verdict(StepStatus.FAILED, error))
        return
    tolerates = frame.node.step.join.mode in (JoinMode.ANY, JoinMode.N_OF_M)
    if tolerates and frame.container.loop is None and not frame.is_released:
        frame.container.error = frame.container.error or error
        return
    frame.verdict = Verdict(StepStatus.FAILED, error)
    state.urgent.append((Task.CLOSE, frame, 0))
    if not frame.is_released and not (frame.container.loop and (tolerates or _goes_on(frame.node))):
        assert frame.parent is not None
        fail_container(state, frame.parent, frame.node, error)


def fail_container(state: RunState, frame: Frame, node: Node, error: dict[str, Any]) -> None:
    """Let a container fail once everything in it has stopped."""
    slot = frame.slots[node.index]
    if slot.verdict is not None:
        return
    slot.verdict = Verdict(StepStatus.FAILED, error)
    for inner in (slot.frames or {}).values():
        inner.verdict = inner.verdict or CANCELLED
        state.urgent.append((Task.CLOSE, inner, 0))
    if not slot.frames:
        state.urgent.append((Task.FINISH, frame, node.index))
    if not node.handles_failure:
        fail_frame(state, frame, error)


def verdict_on(node: Node, slot: Slot) -> bool | None:
    """Tell whether a step runs (True) or is skipped (False); None while its dependencies leave that open."""
    if node.needed == 0:
        if slot.unsettled:
            return None
        return slot.live > 0 or not node.sources
    if slot.live >= node.needed:
        return True
    return False if slot.live + slot.unsettled < node.needed else None


def is_live(edge: Edge, node: Node, slot: Slot) -> bool:
    """Tell whether the branch that an edge waits for is the one that happened."""
    if slot.status is StepStatus.COMPLETED:
        if edge.branch in (Branch.SUCCESS, Branch.ALWAYS):
            return True
        if edge.branch is Branch.SWITCH_CASE:
            return slot.branch == edge.branch and any(same(edge.value, taken) for taken in slot.branch_value or ())
        if edge.branch is Branch.OUTCOME:
            return bool(slot.branch == edge.value)
        return slot.branch == edge.branch
    if slot.status is StepStatus.FAILED:
        return edge.branch in (Branch.FAILURE, Branch.ALWAYS)
    if slot.status is StepStatus.SKIPPED and slot.branch == Branch.SUCCESS:  # disabled: what follows goes on
        return edge.branch in (Branch.SUCCESS, Branch.ALWAYS)
    return False


def same(a: Any, b: Any) -> bool:
    """Compare as expressions do: 1 equals 1.0, and true equals nothing but true."""
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _end(state: RunState, frame: Frame, node: Node, slot: Slot, change: StepChanged, *, was_active: bool) -> None:
    slot.branch, slot.branch_value, slot.error = change.branch, change.branch_value, change.error or slot.error
    slot.input = slot.due_at = slot.deadline_at = slot.verdict = None
    path = frame.prefix + node.name
    if was_active:
        frame.active -= 1
        state.active -= 1
        state.flight.pop(path, None)
    if change.status is StepStatus.COMPLETED and change.output is not ELSEWHERE:
        state.values[path] = change.output
    if slot.frames is not None:
        _release(slot)
    frame.open -= 1
    state.settled += 1
    _settle_edges(state, frame, node, slot)
    if change.status is StepStatus.FAILED and not node.handles_failure:
        fail_frame(state, frame, {"step": node.name, "path": path, **(change.error or {})})
    elif node.type is StepType.STOP and change.status is StepStatus.COMPLETED:
        stop_by(state, node, state.values[path])
    if not frame.active and (frame.open == 0 or frame.verdict is not None):
        state.urgent.append((Task.CONCLUDE, frame, 0))


def _release(slot: Slot) -> None:
    """Let a container's end leave behind only what still goes on in it."""
    left = {index: inner for index, inner in (slot.frames or {}).items() if not inner.is_concluded}
    for inner in left.values():
        inner.is_released = True
    slot.frames = left or None
    if not left:
        slot.loop = None


def _settle_edges(state: RunState, frame: Frame, node: Node, slot: Slot) -> None:
    slots, nodes = frame.slots, frame.scope.nodes
    for edge in node.edges:
        target = slots[edge.target]
        target.unsettled -= 1
        if is_live(edge, node, slot):
            target.live += 1
        if target.status is StepStatus.PENDING and verdict_on(nodes[edge.target], target) is not None:
            state.agenda.append((Task.CONSIDER, frame, edge.target))
    if node.is_end and frame.node is not None:
        if slot.status is StepStatus.COMPLETED or (slot.status is StepStatus.SKIPPED and slot.branch):
            frame.live_ends += 1
        if frame.node.step.join.mode in (JoinMode.ANY, JoinMode.N_OF_M) and frame.container.loop is None:
            state.urgent.append((Task.JOINED, frame, 0))


def _go_on(state: RunState, frame: Frame, node: Node, slot: Slot, change: StepChanged, *, was_active: bool) -> None:
    path = frame.prefix + node.name
    if not was_active:
        frame.active += 1
        state.active += 1
        state.flight[path] = (frame, node)
    slot.input, slot.due_at = change.input, change.due_at
    if slot.due_at is not None:
        state.timers.append((slot.due_at, Due(path, change.attempt)))
    _set_deadline(state, node, slot, change)
    if node.inner is not None and slot.frames is None:
        slot.frames = {}
        if isinstance(node.step, LoopStep):
            _open_loop(state, frame, node, slot)
        else:
            open_frame(state, frame, node, 0)


def _set_deadline(state: RunState, node: Node, slot: Slot, change: StepChanged) -> None:
    limit = node.step.timeout_seconds
    if limit is None or change.started_at is None or isinstance(node.step, ActionStep):
        return
    if change.status is not StepStatus.RETRYING:
        slot.deadline_at = change.started_at + timedelta(seconds=limit)
        state.timers.append((slot.deadline_at, TimedOut(change.path, change.attempt)))


def _open_loop(state: RunState, frame: Frame, node: Node, slot: Slot) -> None:
    given = slot.input
    items = given.get("collection")
    total = len(items) if items is not None else given.get("times")
    slot.loop = Loop(items, total, [None] * (total or 0))
    state.total += (total or 0) * len(node.inner.nodes if node.inner else ())
    state.agenda.append((Task.ITERATE, frame, node.index))


def _inner(state: RunState, frame: Frame, place: int, index: int) -> Frame | None:
    slot, node = frame.slots[place], frame.scope.nodes[place]
    if slot.frames is None:
        return None
    if index not in slot.frames and slot.loop is not None:
        return open_frame(state, frame, node, index)
    return slot.frames.get(index)


def _goes_on(node: Node) -> bool:
    return isinstance(node.step, LoopStep) and node.step.on_item_failure is OnItemFailure.CONTINUE
