"""Ending things: stopping what is going, closing scopes, finishing containers, and the run itself."""

from typing import Any

from canvas.domain.decider.evolution import apply_run, record
from canvas.domain.decider.facts import RunChanged, StepChanged, StopAttempt, StopChild, WithdrawTask
from canvas.domain.decider.names import evaluate, names_in
from canvas.domain.decider.plan import Node, needed
from canvas.domain.decider.state import ACTIVE, CANCELLED, ENDED, Frame, RunState, Slot, Task, Verdict
from canvas.domain.expressions import ExpressionError
from canvas.domain.states import Branch, OthersPolicy, RunStatus, StepStatus, StepType

_STEP_TO_RUN = {
    StepStatus.COMPLETED: RunStatus.COMPLETED,
    StepStatus.FAILED: RunStatus.FAILED,
    StepStatus.CANCELLED: RunStatus.CANCELLED,
}
_BRANCHES = {StepStatus.COMPLETED: Branch.SUCCESS, StepStatus.FAILED: Branch.FAILURE}


def end_step(
    state: RunState,
    frame: Frame,
    node: Node,
    status: StepStatus,
    *,
    output: Any = None,
    error: dict[str, Any] | None = None,
    interruptions: int | None = None,
    branch: str | None = None,
) -> None:
    """End a step run that is going; its branch follows its status unless it is given."""
    slot = frame.slots[node.index]
    change = StepChanged(
        path=frame.prefix + node.name,
        name=node.name,
        type=node.type,
        status=status,
        attempt=slot.attempt,
        is_new=False,
        max_attempts=node.retry.max_attempts,
        interruptions=slot.interruptions if interruptions is None else interruptions,
        branch=branch or _BRANCHES.get(status),
        output=output,
        error=error,
    )
    record(state, frame, node, change)


def stop_step(state: RunState, frame: Frame, node: Node) -> None:
    """Stop a step run that is going: at once if it only waits, else it is asked to."""
    slot = frame.slots[node.index]
    if slot.frames is not None:
        slot.verdict = slot.verdict or CANCELLED
        for inner in slot.frames.values():
            inner.verdict = inner.verdict or CANCELLED
            state.urgent.append((Task.CLOSE, inner, 0))
        if not slot.frames:
            state.urgent.append((Task.FINISH, frame, node.index))
    elif slot.status is StepStatus.RUNNING:
        if not slot.is_stopping:
            slot.is_stopping = True
            state.commands.append(StopAttempt(frame.prefix + node.name, slot.attempt))
    else:
        if node.type is StepType.TASK:
            state.commands.append(WithdrawTask(frame.prefix + node.name, slot.attempt))
        elif node.type is not StepType.WAIT and slot.status is StepStatus.WAITING:
            state.commands.append(StopChild(frame.prefix + node.name, slot.attempt))
        end_step(state, frame, node, StepStatus.CANCELLED)


def stop_everything(state: RunState) -> None:
    """Stop all that is going, because the run is to end."""
    state.top.verdict = state.top.verdict or state.verdict
    for frame, node in list(state.flight.values()):
        frame.verdict = frame.verdict or CANCELLED
        if frame.slots[node.index].status in ACTIVE:
            stop_step(state, frame, node)


def close(state: RunState, frame: Frame) -> None:
    """Stop all that is going in one scope."""
    for node in frame.scope.nodes:
        if frame.slots[node.index].status in ACTIVE:
            stop_step(state, frame, node)
    state.urgent.append((Task.CONCLUDE, frame, 0))


def cancel_sources(state: RunState, frame: Frame, node: Node) -> None:
    """Cancel what a join did not wait for, and whatever else leads to nothing but that."""
    left = list(node.sources)
    while left:
        source = frame.scope.nodes[left.pop()]
        slot = frame.slots[source.index]
        if slot.status in ENDED or slot.is_stopping or not _leads_nowhere(frame, source, node):
            continue
        if slot.status in ACTIVE:
            stop_step(state, frame, source)
            continue
        path = frame.prefix + source.name
        change = StepChanged(path=path, name=source.name, type=source.type, status=StepStatus.CANCELLED)
        record(state, frame, source, change)
        left.extend(source.sources)


def _leads_nowhere(frame: Frame, source: Node, join: Node) -> bool:
    targets = (edge.target for edge in source.edges)
    return all(target == join.index or frame.slots[target].status in ENDED for target in targets)


def check_join(state: RunState, frame: Frame) -> None:
    """Let a `parallel` go on as soon as enough of its ends are live."""
    if frame.is_released or frame.node is None or frame.parent is None:
        return
    slot, join = frame.container, frame.node.step.join
    if slot.status in ENDED or slot.verdict is not None or frame.live_ends < needed(join, frame.scope.ends):
        return
    finish_early(state, frame.parent, frame.node, slot)


def finish_early(state: RunState, frame: Frame, node: Node, slot: Slot) -> None:
    """Complete a container whose join is met, and leave what is still going in it alone or stop it."""
    if node.step.join.others is OthersPolicy.KEEP:
        finish(state, frame, node, Verdict(StepStatus.COMPLETED))
        return
    slot.verdict = Verdict(StepStatus.COMPLETED)
    for inner in (slot.frames or {}).values():
        inner.verdict = inner.verdict or CANCELLED
        state.urgent.append((Task.CLOSE, inner, 0))
    if not slot.frames:
        state.urgent.append((Task.FINISH, frame, node.index))


def conclude_parallel(state: RunState, frame: Frame) -> None:
    """End a `parallel` in which nothing is going any more."""
    assert frame.parent is not None and frame.node is not None
    slot, node = frame.container, frame.node
    verdict = slot.verdict
    if verdict is None and frame.live_ends < needed(node.step.join, frame.scope.ends):
        verdict = Verdict(StepStatus.FAILED, slot.error or unmet(node, frame.live_ends, frame.scope.ends))
    finish(state, frame.parent, node, verdict or Verdict(StepStatus.COMPLETED))


def finish(state: RunState, frame: Frame, node: Node, verdict: Verdict) -> None:
    """End a container's own step run."""
    slot = frame.slots[node.index]
    if slot.status in ENDED:
        return
    output = _output(state, slot) if verdict.status is StepStatus.COMPLETED else None
    end_step(state, frame, node, verdict.status, output=output, error=verdict.error)


def unmet(node: Node, live: int, of: int) -> dict[str, Any]:
    """Say that a container's join asks for more than there was."""
    wanted = needed(node.step.join, of)
    return {"code": "join_unmet", "message": f"The join of `{node.name}` needs {wanted}; {live} of {of} succeeded."}


def forget(state: RunState, frame: Frame) -> None:
    """Let go of the outputs of a scope that nothing can refer to any more."""
    for node in frame.scope.nodes:
        state.values.pop(frame.prefix + node.name, None)


def end_run(state: RunState) -> None:
    """End the run if nothing is going and nothing can start."""
    if state.active or state.status.is_terminal or state.status is RunStatus.PENDING:
        return
    if state.verdict is None and state.top.open:
        return
    verdict = state.verdict or Verdict(StepStatus.COMPLETED)
    change = RunChanged(status=_STEP_TO_RUN[verdict.status], output=verdict.output, error=verdict.error)
    if verdict.status is StepStatus.COMPLETED and verdict.output is None:
        change = _with_outputs(state, is_whole=state.verdict is None)
    state.commands.append(change)
    apply_run(state, change)


def _with_outputs(state: RunState, *, is_whole: bool) -> RunChanged:
    """Evaluate the definition's outputs. A run that was stopped early gives those it can."""
    outputs: dict[str, Any] = {}
    names = names_in(state, state.top)
    for name, program in state.plan.outputs.items():
        try:
            outputs[name] = evaluate(state, program, names)
        except ExpressionError as error:
            if is_whole:
                told = {"code": error.code, "message": f"The output `{name}` cannot be given: {error}", "output": name}
                return RunChanged(status=RunStatus.FAILED, error=told)
            outputs[name] = None
    return RunChanged(status=RunStatus.COMPLETED, output=outputs)


def _output(state: RunState, slot: Slot) -> Any:
    if slot.loop is not None:
        loop = slot.loop
        return {"items": loop.results, "count": loop.succeeded + loop.failed, "failed": loop.failed}
    frame = (slot.frames or {})[0]
    return {
        node.name: state.values[frame.prefix + node.name]
        for node in frame.scope.nodes
        if frame.slots[node.index].status is StepStatus.COMPLETED
    }
