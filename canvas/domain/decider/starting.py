"""Starting a step whose turn it is. What needs nobody outside (a condition, a `set`) ends in the same breath."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, assert_never

from canvas.domain.actions import Call, CallRefused
from canvas.domain.decider.ending import cancel_sources, end_step
from canvas.domain.decider.evolution import apply_context, record, same
from canvas.domain.decider.facts import ContextChanged, RaiseTask, StartChild, StepChanged
from canvas.domain.decider.human_tasks import asked_task
from canvas.domain.decider.names import evaluate, names_for
from canvas.domain.decider.plan import Node
from canvas.domain.decider.state import Frame, RunState
from canvas.domain.decider.unfit import Unfit, after, brief, moment
from canvas.domain.expressions import ExpressionError
from canvas.domain.states import Branch, OthersPolicy, StepStatus, SwitchMatch
from canvas.domain.steps import (
    ActionStep,
    ConditionStep,
    LoopStep,
    ParallelStep,
    SetStep,
    StopStep,
    SwitchStep,
    TaskStep,
    WaitSeconds,
    WaitStep,
    WorkflowLinkStep,
)

Names = Mapping[str, Any]


def start(state: RunState, frame: Frame, node: Node, now: datetime) -> None:
    """Start a step. Whatever is wrong with its templates fails the step, never the decider."""
    if not node.step.enabled:
        record(state, frame, node, _change(frame, node, StepStatus.SKIPPED, now, branch=Branch.SUCCESS))
        return
    try:
        _begin(state, frame, node, names_for(state, frame, node), now)
    except ExpressionError as error:
        _fail(state, frame, node, now, _expression_failure(error))
    except Unfit as error:
        _fail(state, frame, node, now, {"code": error.code, "message": str(error)})
    except CallRefused as refusal:
        _fail(state, frame, node, now, refusal.error)
    if node.needed and node.step.join.others is OthersPolicy.CANCEL:
        cancel_sources(state, frame, node)


def skip(state: RunState, frame: Frame, node: Node, now: datetime) -> None:
    """Pass a step over because nothing live leads to it."""
    record(state, frame, node, _change(frame, node, StepStatus.SKIPPED, now))


def start_again(state: RunState, frame: Frame, node: Node, now: datetime) -> None:
    """Make the next attempt at a step, with the input of the first: the idempotency key is the same too."""
    slot = frame.slots[node.index]
    if slot.status is not StepStatus.RETRYING or frame.verdict is not None:
        return
    try:
        call = node.via.call(slot.input) if node.via is not None else None
    except ExpressionError as error:  # the action was changed since the attempt before
        end_step(state, frame, node, StepStatus.FAILED, error=_expression_failure(error))
        return
    status = StepStatus.WAITING if isinstance(node.step, WorkflowLinkStep) else StepStatus.RUNNING
    change = _change(
        frame,
        node,
        status,
        now,
        attempt=slot.attempt,
        interruptions=slot.interruptions,
        is_new=False,
        input=slot.input,
        call=call,
    )
    record(state, frame, node, change)
    if isinstance(node.step, WorkflowLinkStep):
        _want_child(state, node.step, change)


def _begin(state: RunState, frame: Frame, node: Node, names: Names, now: datetime) -> None:
    step = node.step
    match step:
        case ActionStep():
            given, call = _given(state, node, names)
            record(state, frame, node, _change(frame, node, StepStatus.RUNNING, now, input=given, call=call))
        case WorkflowLinkStep():
            given, call = _given(state, node, names)
            change = _change(frame, node, StepStatus.WAITING, now, input=given, call=call)
            record(state, frame, node, change)
            _want_child(state, step, change)
        case WaitStep():
            _wait(state, frame, node, names, now)
        case TaskStep():
            given = asked_task(step, {key: evaluate(state, one, names) for key, one in node.programs.items()}, now)
            change = _change(frame, node, StepStatus.WAITING, now, input=given)
            record(state, frame, node, change)
            state.commands.append(RaiseTask(change.path, change.attempt, given))
        case LoopStep():
            given = _iterations(state, step, node, names)
            record(state, frame, node, _change(frame, node, StepStatus.RUNNING, now, input=given))
        case ParallelStep():
            record(state, frame, node, _change(frame, node, StepStatus.RUNNING, now))
        case ConditionStep() | SwitchStep() | SetStep() | StopStep():
            _decide_inline(state, frame, node, names, now)
        case _:
            assert_never(step)


def _given(state: RunState, node: Node, names: Names) -> tuple[Any, Call | None]:
    """Evaluate what a step calls something with; a user-defined action has its say before anything is called."""
    given = evaluate(state, node.programs["parameters"], names)
    if node.via is None:
        return given, None
    args = node.via.accept(given, is_rehearsal=state.info.is_dry)
    return args, node.via.call(args)


def _decide_inline(state: RunState, frame: Frame, node: Node, names: Names, now: datetime) -> None:
    branch, value, output = _INLINE[type(node.step)](state, node, names)
    if isinstance(node.step, SetStep):
        written = ContextChanged(output)
        state.commands.append(written)
        apply_context(state, written)
    change = _change(frame, node, StepStatus.COMPLETED, now, branch=branch, branch_value=value, output=output)
    record(state, frame, node, change)


def _condition(state: RunState, node: Node, names: Names) -> tuple[Branch, Any, Any]:
    came_out = _truth(state, node, "condition", names)
    return (Branch.IF_TRUE if came_out else Branch.IF_FALSE), None, {"result": came_out}


def _switch(state: RunState, node: Node, names: Names) -> tuple[Branch, Any, Any]:
    step = node.step
    assert isinstance(step, SwitchStep)
    subject = evaluate(state, node.programs["on"], names) if step.on is not None else None
    taken: list[Any] = []
    for place, case in enumerate(step.cases):
        matches = _truth(state, node, f"case {place}", names) if case.when is not None else same(subject, case.value)
        if matches:
            taken.append(case.value)
            if step.match is SwitchMatch.FIRST:
                break
    output = {"value": subject, "cases": taken}
    return (Branch.SWITCH_CASE, taken, output) if taken else (Branch.DEFAULT, None, output)


def _set(state: RunState, node: Node, names: Names) -> tuple[Branch, Any, Any]:
    return Branch.SUCCESS, None, evaluate(state, node.programs["values"], names)


def _stop(state: RunState, node: Node, names: Names) -> tuple[Branch, Any, Any]:
    message = evaluate(state, node.programs["message"], names)
    output = evaluate(state, node.programs["output"], names)
    status = node.step.status.value if isinstance(node.step, StopStep) else ""
    return Branch.SUCCESS, None, {"status": status, "message": str(message), "output": output}


_INLINE: dict[type, Callable[[RunState, Node, Names], tuple[Branch, Any, Any]]] = {
    ConditionStep: _condition,
    SwitchStep: _switch,
    SetStep: _set,
    StopStep: _stop,
}


def _truth(state: RunState, node: Node, program: str, names: Names) -> bool:
    value = evaluate(state, node.programs[program], names)
    if not isinstance(value, bool):
        raise Unfit("not_a_condition", f"A condition must be true or false; this one gave {brief(value)}.")
    return value


def _wait(state: RunState, frame: Frame, node: Node, names: Names, now: datetime) -> None:
    step = node.step
    assert isinstance(step, WaitStep)
    moments = [
        after(now, evaluate(state, node.programs[f"wait {place}"], names))
        if isinstance(alternative, WaitSeconds)
        else moment(evaluate(state, node.programs[f"wait {place}"], names))
        for place, alternative in enumerate(step.alternatives)
    ]
    until = min(moments, default=now)
    given = {"until": until.isoformat()}
    if until <= now:
        change = _change(frame, node, StepStatus.COMPLETED, now, branch=Branch.SUCCESS, input=given, output=given)
    else:
        change = _change(frame, node, StepStatus.WAITING, now, input=given, due_at=until)
    record(state, frame, node, change)


def _iterations(state: RunState, step: LoopStep, node: Node, names: Names) -> dict[str, Any]:
    if step.while_ is not None:
        return {"while": step.while_}
    if step.collection is not None:
        items = evaluate(state, node.programs["collection"], names)
        if not isinstance(items, list):
            raise Unfit("invalid_collection", f"`collection` must be a list, not {brief(items)}.")
        _check_bound(step, len(items))
        return {"collection": items}
    times = evaluate(state, node.programs["times"], names)
    if isinstance(times, float) and times.is_integer():
        times = int(times)
    if isinstance(times, bool) or not isinstance(times, int) or times < 0:
        raise Unfit("invalid_times", f"`times` must be a whole number, 0 or more, not {brief(times)}.")
    _check_bound(step, times)
    return {"times": times}


def _check_bound(step: LoopStep, count: int) -> None:
    if count > step.max_iterations:
        told = f"{count} iterations are more than the loop's max_iterations, {step.max_iterations}."
        raise Unfit("too_many_iterations", told)


def _want_child(state: RunState, step: WorkflowLinkStep, change: StepChanged) -> None:
    state.commands.append(
        StartChild(
            path=change.path,
            attempt=change.attempt,
            workflow=step.workflow,
            version=step.version,
            parameters=change.input if change.call is None else change.call.arguments,
            is_awaited=step.wait,
        )
    )


def _change(frame: Frame, node: Node, status: StepStatus, now: datetime, **more: Any) -> StepChanged:
    return StepChanged(
        path=frame.prefix + node.name,
        name=node.name,
        type=node.type,
        status=status,
        action=node.action,
        max_attempts=node.retry.max_attempts,
        started_at=now,
        **more,
    )


def _fail(state: RunState, frame: Frame, node: Node, now: datetime, error: dict[str, Any]) -> None:
    change = _change(frame, node, StepStatus.FAILED, now, branch=Branch.FAILURE, error=error)
    record(state, frame, node, change)


def _expression_failure(error: ExpressionError) -> dict[str, Any]:
    return {"code": error.code, "message": str(error)}
