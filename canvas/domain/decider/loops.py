"""Loops: opening iterations, taking in what they gave, and finishing."""

from typing import Any

from canvas.domain.decider.ending import finish, finish_early, forget, unmet
from canvas.domain.decider.evolution import fail_container, open_frame
from canvas.domain.decider.names import evaluate, names_in
from canvas.domain.decider.plan import Node, needed
from canvas.domain.decider.state import ENDED, Frame, Loop, RunState, Slot, Task, Verdict
from canvas.domain.expressions import ExpressionError
from canvas.domain.states import JoinMode, OnItemFailure, StepStatus
from canvas.domain.steps import LoopStep


def iterate(state: RunState, frame: Frame, node: Node) -> None:
    """Open as many iterations as the loop's concurrency lets in; finish the loop when none is left."""
    slot, step = frame.slots[node.index], node.step
    loop = slot.loop
    if slot.status is not StepStatus.RUNNING or slot.verdict is not None or loop is None:
        return
    assert isinstance(step, LoopStep)
    width = 1 if step.while_ is not None else max(1, step.concurrency)
    while loop.going < width and (loop.total is None or loop.next < loop.total):
        if loop.total is None and not _may_go_on(state, frame, node, loop):
            break
        open_frame(state, frame, node, loop.next)
    if slot.verdict is None and not loop.going and loop.total is not None:
        _finish(state, frame, node, loop)


def conclude_iteration(state: RunState, inner: Frame) -> None:
    """Take in an iteration in which nothing is going any more."""
    frame, node, slot = inner.parent, inner.node, inner.container
    assert frame is not None and node is not None and slot.loop is not None and slot.frames is not None
    loop = slot.loop
    del slot.frames[inner.index]
    loop.going -= 1
    error = _take_in(state, inner, node, loop)
    if error is not None and slot.verdict is None and not _tolerates(node):
        fail_container(state, frame, node, error)
    _let_go(state, inner, node, loop)
    if slot.verdict is not None:
        state.urgent.append((Task.FINISH, frame, node.index))
    elif _is_joined(node, loop):
        finish_early(state, frame, node, slot)
    else:
        state.agenda.append((Task.ITERATE, frame, node.index))


def _may_go_on(state: RunState, frame: Frame, node: Node, loop: Loop) -> bool:
    """Ask a `while` about the next iteration. It sees the steps of the one before."""
    step = node.step
    assert isinstance(step, LoopStep)
    names = dict(names_in(state, loop.last or frame))
    names["index"] = loop.next
    names["loop"] = {"index": loop.next, "count": None, "first": loop.next == 0, "last": None}
    error: dict[str, Any] | None = None
    try:
        goes_on = evaluate(state, node.programs["while"], names)
        if not isinstance(goes_on, bool):
            error = {"code": "not_a_condition", "message": "A `while` must be true or false."}
    except ExpressionError as problem:
        error = {"code": problem.code, "message": str(problem)}
        goes_on = False
    if goes_on is True and loop.next >= step.max_iterations:
        told = f"The loop's condition is still true after max_iterations, {step.max_iterations}."
        error = {"code": "too_many_iterations", "message": told}
    if error is not None:
        fail_container(state, frame, node, error)
        return False
    if not goes_on:
        loop.total = loop.next
    return bool(goes_on)


def _take_in(state: RunState, inner: Frame, node: Node, loop: Loop) -> dict[str, Any] | None:
    error = inner.verdict.error if inner.verdict is not None else None
    value = None
    if inner.verdict is None:
        try:
            value = _value(state, inner, node)
        except ExpressionError as problem:
            told = f"The loop's output cannot be given: {problem}"
            error = {"code": problem.code, "message": told, "step": node.name, "path": inner.prefix.rstrip("/")}
    if len(loop.results) <= inner.index:
        loop.results.extend([None] * (inner.index + 1 - len(loop.results)))
    loop.results[inner.index] = value
    if inner.verdict is None and error is None:
        loop.succeeded += 1
    else:
        loop.failed += 1
        loop.error = loop.error or error
    return error


def _value(state: RunState, inner: Frame, node: Node) -> Any:
    program = node.programs.get("output")
    if program is not None:
        return evaluate(state, program, names_in(state, inner))
    for last in reversed(inner.scope.nodes):
        if inner.slots[last.index].status is StepStatus.COMPLETED:
            return state.values[inner.prefix + last.name]
    return None


def _let_go(state: RunState, inner: Frame, node: Node, loop: Loop) -> None:
    if "while" not in node.programs:
        forget(state, inner)
        return
    if loop.last is not None:
        forget(state, loop.last)
    loop.last = inner


def _is_joined(node: Node, loop: Loop) -> bool:
    wanted = needed(node.step.join, loop.total or 0)
    return node.step.join.mode in (JoinMode.ANY, JoinMode.N_OF_M) and 0 < wanted <= loop.succeeded


def _finish(state: RunState, frame: Frame, node: Node, loop: Loop) -> None:
    if loop.succeeded < needed(node.step.join, loop.total or 0):
        error = loop.error or unmet(node, loop.succeeded, loop.total or 0)
        finish(state, frame, node, Verdict(StepStatus.FAILED, error))
    else:
        finish(state, frame, node, Verdict(StepStatus.COMPLETED))


def finish_stopped(state: RunState, frame: Frame, node: Node, slot: Slot) -> None:
    """Finish a container that has a verdict, once nothing is going in it."""
    if slot.status not in ENDED and slot.verdict is not None and not slot.frames:
        finish(state, frame, node, slot.verdict)


def _tolerates(node: Node) -> bool:
    step = node.step
    assert isinstance(step, LoopStep)
    return step.on_item_failure is OnItemFailure.CONTINUE or step.join.mode in (JoinMode.ANY, JoinMode.N_OF_M)
