"""Taking in what happened outside. An outcome of an attempt that has already ended changes nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from canvas.domain.decider.ending import end_step
from canvas.domain.decider.evolution import apply_run, fail_container, record, stop_run
from canvas.domain.decider.facts import (
    Answered,
    Begun,
    CancelRequested,
    Completed,
    Due,
    Failed,
    Lost,
    Note,
    Outcome,
    PauseRequested,
    ResumeRequested,
    RunChanged,
    RunTimedOut,
    StepChanged,
    StopChild,
    Stopped,
    TimedOut,
    WithdrawTask,
)
from canvas.domain.decider.plan import Node
from canvas.domain.decider.state import CANCELLED, Frame, RunState, Slot, Task, Verdict
from canvas.domain.retries import MAX_INTERRUPTIONS, may_retry, pause_before_next
from canvas.domain.states import Branch, LogLevel, OnLost, RunStatus, StepStatus, StepType
from canvas.domain.steps import WorkflowLinkStep

_ANSWERING = (StepStatus.RUNNING, StepStatus.WAITING)


def take_in(state: RunState, outcome: Outcome, now: datetime) -> None:
    """Draw the first conclusions from one outcome."""
    if state.status.is_terminal:
        return
    handler = _RUN_HANDLERS.get(type(outcome))
    if handler is not None:
        handler(state)
        return
    path, attempt = outcome.path, outcome.attempt  # type: ignore[union-attr]  # all others name a step run
    found = state.flight.get(path)
    if found is None:
        return
    frame, node = found
    slot = frame.slots[node.index]
    if slot.attempt == attempt:
        _STEP_HANDLERS[type(outcome)](state, frame, node, slot, outcome, now)


def _completed(state: RunState, frame: Frame, node: Node, slot: Slot, fact: Completed, now: datetime) -> None:
    if slot.status not in _ANSWERING:
        return
    broken = node.via and node.via.broken_after(slot.input, fact.output, is_rehearsal=state.info.is_dry)
    if broken and state.info.is_dry:
        told = f"{broken} It did not, for the answer that this dry run made up."
        state.commands.append(Note(LogLevel.WARNING, told, fact.path))
    elif broken:
        end_step(state, frame, node, StepStatus.FAILED, error=broken.error)
        return
    end_step(state, frame, node, StepStatus.COMPLETED, output=fact.output)


def _answered(state: RunState, frame: Frame, node: Node, slot: Slot, fact: Answered, now: datetime) -> None:
    if slot.status is StepStatus.WAITING and node.type is StepType.TASK:
        end_step(state, frame, node, StepStatus.COMPLETED, output=fact.output, branch=fact.outcome)


def _failed(state: RunState, frame: Frame, node: Node, slot: Slot, fact: Failed, now: datetime) -> None:
    if slot.status not in _ANSWERING:
        return
    again = fact.retryable and may_retry(node.retry, attempt=slot.attempt, interruptions=slot.interruptions)
    if not again or _is_ending(state, frame, slot):
        end_step(state, frame, node, StepStatus.FAILED, error=fact.error)
        return
    failures = slot.attempt - slot.interruptions
    key = f"{state.info.id}:{frame.prefix}{node.name}:{slot.attempt}"
    pause = pause_before_next(node.retry, key=key, failures=failures, asked=fact.retry_in)
    _try_again(state, frame, node, slot, fact.error, now + timedelta(seconds=pause), slot.interruptions)


def _lost(state: RunState, frame: Frame, node: Node, slot: Slot, fact: Lost, now: datetime) -> None:
    if slot.status is not StepStatus.RUNNING or slot.frames is not None:
        return
    count = slot.interruptions + 1
    if _is_ending(state, frame, slot):
        end_step(state, frame, node, StepStatus.CANCELLED, interruptions=count)
        return
    policy = OnLost.RETRY if fact.idempotent else node.step.on_lost
    if count >= MAX_INTERRUPTIONS:
        told = f"This step killed its worker {count} times."
        end_step(state, frame, node, StepStatus.FAILED, error=_error("killed_worker", told), interruptions=count)
        return
    error = _error("lost", "The engine ended during this attempt; how far it came is not known.")
    if policy is OnLost.FAIL:
        end_step(state, frame, node, StepStatus.FAILED, error=error, interruptions=count)
        return
    _try_again(state, frame, node, slot, error, now if policy is OnLost.RETRY else None, count)
    if policy is OnLost.ASK:
        _ask(state, frame.prefix + node.name)


def _try_again(
    state: RunState,
    frame: Frame,
    node: Node,
    slot: Slot,
    error: dict[str, Any],
    due_at: datetime | None,
    interruptions: int,
) -> None:
    """Close the attempt and open the next. Without a due time it waits for the run to be resumed."""
    given, attempt, path = slot.input, slot.attempt, frame.prefix + node.name
    common: dict[str, Any] = {
        "path": path,
        "name": node.name,
        "type": node.type,
        "max_attempts": node.retry.max_attempts,
        "interruptions": interruptions,
    }
    record(
        state,
        frame,
        node,
        StepChanged(
            **common,
            status=StepStatus.FAILED,
            attempt=attempt,
            is_new=False,
            is_final=False,
            branch=Branch.FAILURE,
            error=error,
        ),
    )
    slot.error = error
    following = StepChanged(
        **common, status=StepStatus.RETRYING, attempt=attempt + 1, action=node.action, input=given, due_at=due_at
    )
    record(state, frame, node, following)


def _ask(state: RunState, path: str) -> None:
    told = (
        f"`{path}` was cut off by a crash and its action may not be safe to repeat. Check what it did outside; then "
        "resume the run to try the step again, or cancel it. `on_lost: retry` or `fail` on the step would not ask."
    )
    state.commands.append(Note(LogLevel.WARNING, told, path))
    _pause(state, is_held=True)


def _stopped(state: RunState, frame: Frame, node: Node, slot: Slot, fact: Stopped, now: datetime) -> None:
    if slot.status is StepStatus.RUNNING and slot.frames is None:
        end_step(state, frame, node, StepStatus.CANCELLED)


def _due(state: RunState, frame: Frame, node: Node, slot: Slot, fact: Due, now: datetime) -> None:
    if slot.status is StepStatus.RETRYING:
        state.agenda.append((Task.RETRY, frame, node.index))
    elif slot.status is StepStatus.WAITING and node.type is StepType.WAIT:
        end_step(state, frame, node, StepStatus.COMPLETED, output=slot.input)


def _timed_out(state: RunState, frame: Frame, node: Node, slot: Slot, fact: TimedOut, now: datetime) -> None:
    error = _error("timeout", f"This took longer than timeout_seconds, {node.step.timeout_seconds:g}.")
    if slot.frames is not None:
        _fail_going_container(state, frame, node, slot, error)
    elif slot.status is StepStatus.WAITING:
        if node.type is StepType.TASK:
            state.commands.append(WithdrawTask(fact.path, fact.attempt))
        elif isinstance(node.step, WorkflowLinkStep):
            state.commands.append(StopChild(fact.path, fact.attempt))
        _failed(state, frame, node, slot, Failed(fact.path, fact.attempt, error), now)


def _fail_going_container(state: RunState, frame: Frame, node: Node, slot: Slot, error: dict[str, Any]) -> None:
    fail_container(state, frame, node, error)
    for inner in (slot.frames or {}).values():
        inner.verdict = inner.verdict or CANCELLED


def _begun(state: RunState) -> None:
    if state.status is RunStatus.PENDING:
        _run_changed(state, RunChanged(status=RunStatus.RUNNING))


def _run_timed_out(state: RunState) -> None:
    limit = state.plan.definition.settings.timeout_minutes or 0
    stop_run(state, Verdict(StepStatus.FAILED, _error("run_timeout", f"The run took longer than {limit:g} minutes.")))


def _cancel(state: RunState) -> None:
    stop_run(state, CANCELLED)


def _pause(state: RunState, *, is_held: bool = False) -> None:
    if state.status is RunStatus.RUNNING and state.verdict is None:
        _run_changed(state, RunChanged(status=RunStatus.PAUSED, is_held=is_held))


def _resume(state: RunState) -> None:
    if state.status is not RunStatus.PAUSED:
        return
    _run_changed(state, RunChanged(status=RunStatus.RUNNING))
    for frame, node in state.flight.values():
        slot = frame.slots[node.index]
        if slot.status is StepStatus.RETRYING and slot.due_at is None:
            state.agenda.append((Task.RETRY, frame, node.index))


def _run_changed(state: RunState, change: RunChanged) -> None:
    state.commands.append(change)
    apply_run(state, change)


def _is_ending(state: RunState, frame: Frame, slot: Slot) -> bool:
    return state.verdict is not None or frame.verdict is not None or slot.is_stopping


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}


_RUN_HANDLERS: dict[type, Callable[[RunState], None]] = {
    Begun: _begun,
    RunTimedOut: _run_timed_out,
    CancelRequested: _cancel,
    PauseRequested: _pause,
    ResumeRequested: _resume,
}
_STEP_HANDLERS: dict[type, Callable[..., None]] = {
    Completed: _completed,
    Answered: _answered,
    Failed: _failed,
    Lost: _lost,
    Stopped: _stopped,
    Due: _due,
    TimedOut: _timed_out,
}
