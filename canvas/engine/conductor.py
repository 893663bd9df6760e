"""Leads the runs of this process: brings them news, has the decider conclude, has it written, and then acts on it.

Lives on one event loop. Each run has at most one transition under way; what happens meanwhile is taken into the next
one. So the state in memory is what is written plus one transition, and a transition that fails costs only a reload.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from canvas.domain.decider import (
    Command,
    Completed,
    Failed,
    Outcome,
    RaiseTask,
    RunChanged,
    RunTimedOut,
    StartChild,
    StepChanged,
    StopAttempt,
    StopChild,
    decide,
    evolve,
)
from canvas.domain.states import RunStatus, StepStatus, StepType
from canvas.engine.active import ActiveRun
from canvas.engine.children import ChildRefused, Children
from canvas.engine.crashpoints import reached
from canvas.engine.dispatch import Dispatcher
from canvas.engine.executor import Attempt, Executor
from canvas.engine.statements import Statement
from canvas.engine.tasks import rehearsed_task
from canvas.engine.timers import Timers
from canvas.engine.transitions import Child, write_defect, write_transition
from canvas.engine.writer import Result, Unit, Writer

MAX_IDLE_RUNS = 1_000
"Runs that only wait and are kept in memory all the same."
MAX_HELD_BYTES = 64 * 1024 * 1024
"JSON of step outputs kept in memory, over all runs."
_log = logging.getLogger(__name__)
Guard = tuple[Statement, tuple[Any, ...]]


def utc_now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)


class Conductor:
    """Owns the runs in memory. All methods are for the event loop's thread."""

    def __init__(
        self,
        owner: str,
        *,
        writer: Writer,
        dispatcher: Dispatcher,
        children: Children,
        on_ended: Callable[[ActiveRun, RunStatus], None],
        on_written: Callable[[], None],
        on_wished: Callable[[], None],
    ) -> None:
        """Prepare; `executor` has to be set before the first run.

        Args:
            owner: This worker's id.
            on_ended: Told of each run that has ended, once that is written.
            on_written: Told after each group of transitions.
            on_wished: Told when a transition left something for `Claims` to find: a child run, or a wish for one.
        """
        self.owner = owner
        self.runs: dict[str, ActiveRun] = {}
        self.timers = Timers()
        self.executor: Executor
        self.is_suspended = False
        "Whether no attempt may start, because the lease could not be kept."
        self._writer = writer
        self._dispatcher = dispatcher
        self._children = children
        self._on_ended = on_ended
        self._on_written = on_written
        self._on_wished = on_wished
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: datetime | None = None

    # bringing news

    def deliver(self, run_id: str, outcome: Outcome) -> None:
        """Bring a run news; nothing happens if it is not in memory."""
        run = self.runs.get(run_id)
        if run is not None:
            run.inbox.append(outcome)
            self._schedule(run)

    def take_over(self, run: ActiveRun, guard: Guard, point: str) -> None:
        """Bring a run into memory and take it by its first transition.

        Args:
            guard: The statement that makes it ours; if it meets no row the run is dropped again.
            point: Names the crash points around that transition.
        """
        self.runs[run.id] = run
        self._advance(run, guard, point)

    def report(self, attempt: Attempt, outcome: Outcome, body: bytes | None) -> None:
        """Take in how an attempt ended."""
        run = self.runs.get(attempt.run_id)
        if run is None:
            return
        run.attempts -= 1
        if body is not None:
            run.encoded[attempt.path] = body
            run.held_bytes += len(body)
        if attempt.record is not None and (attempt.record.lines or attempt.record.notices):
            run.records.append(attempt.record)
        run.inbox.append(outcome)
        self._schedule(run)

    def _schedule(self, run: ActiveRun) -> None:
        if not run.is_scheduled and not run.is_committing:
            run.is_scheduled = True
            asyncio.get_running_loop().call_soon(self._advance, run)

    # concluding and writing

    def _advance(self, run: ActiveRun, guard: Guard | None = None, point: str = "completion") -> None:
        run.is_scheduled = False
        if run.is_committing or self.runs.get(run.id) is not run:
            return
        run.touched_at = utc_now().timestamp()
        try:
            self._conclude(run, guard, point)
        except Exception as error:  # a mistake of ours must cost one run, not all of them
            _log.exception("Run %s cannot be led any further.", run.id)
            self.give_up(run.id, f"{type(error).__name__}: {error}")

    def _conclude(self, run: ActiveRun, guard: Guard | None, point: str) -> None:
        now = utc_now()
        for outcome in run.take_news():
            evolve(run.state, outcome)
        commands = decide(run.state, now, may_start=not self.is_suspended)
        self._take_timers(run)
        if not commands and guard is None and not run.records:
            return
        children = self._find_children(run, commands)
        unit = write_transition(run, commands, owner=self.owner, now=now, children=children, guard=guard, point=point)
        unit.tag = (run, commands)
        run.is_committing = True
        self._writer.submit(unit)

    def give_up(self, run_id: str, told: str) -> None:
        """End a run that cannot be led any further as failed, with what went wrong."""
        run = self.runs.get(run_id)
        if run is not None:
            self.drop(run)
        self._writer.submit(write_defect(run_id, told, utc_now(), run))

    def _find_children(self, run: ActiveRun, commands: tuple[Command, ...]) -> dict[str, Child]:
        """Prepare the child runs that are wanted; what cannot be started is news for the next transition."""
        found: dict[str, Child] = {}
        for command in commands:
            if isinstance(command, RaiseTask) and run.dry_run:
                run.inbox.append(rehearsed_task(run, command))
            if not isinstance(command, StartChild):
                continue
            if (answer := self._children.rehearsed(run, command)) is not None:
                run.inbox.append(answer)
                continue
            try:
                child = self._children.prepare(run, command)
            except ChildRefused as refusal:
                error = {"code": refusal.code, "message": str(refusal)}
                run.inbox.append(Failed(command.path, command.attempt, error, retryable=False))
            else:
                found[command.path] = child
                run.children[command.path] = child.id
                if not command.is_awaited:
                    run.inbox.append(Completed(command.path, command.attempt, {"run_id": child.id}))
        return found

    def written(self, units: list[Unit]) -> None:
        """Go on after a commit. Called for every group, in the order of the commits."""
        for unit in units:
            if isinstance(unit.tag, tuple):
                self._one_written(unit)
        self._on_written()

    def _one_written(self, unit: Unit) -> None:
        run, commands = unit.tag
        run.is_committing = False
        if unit.result is not Result.WRITTEN:
            _log.warning(
                "Run %s is no longer this worker's (%s); what it did last is dropped.", run.id, unit.result.value
            )
            self.drop(run)
            return
        for command in commands:
            self._act(run, command)
        if run.inbox:
            self._schedule(run)

    # acting

    def _act(self, run: ActiveRun, command: Command) -> None:
        if isinstance(command, StepChanged):
            if command.status is StepStatus.RUNNING and command.type is StepType.ACTION:
                self._start(run, command)
        elif isinstance(command, StopAttempt):
            self.executor.stop(f"{run.id}:{command.path}:{command.attempt}")
        elif isinstance(command, StartChild):
            reached("child.after_commit")
            self._on_wished()
        elif isinstance(command, StopChild):
            self._on_wished()
        elif isinstance(command, RunChanged) and command.status.is_terminal:
            self.drop(run)
            self._on_ended(run, command.status)

    def _start(self, run: ActiveRun, change: StepChanged) -> None:
        reached("start.after_commit")
        node = run.state.plan.names[change.name]
        attempt = Attempt(
            run_id=run.id,
            path=change.path,
            number=change.attempt,
            step=change.name,
            action=change.call.name if change.call else change.action or "",
            arguments=change.call.arguments if change.call else change.input,
            timeout_seconds=node.step.timeout_seconds,
            dry_run=run.dry_run,
            fixtures=run.fixtures,
        )
        run.attempts += 1
        self.executor.accept(attempt)
        self._dispatcher.submit(attempt.key, priority=run.priority)

    def drop(self, run: ActiveRun) -> None:
        """Let a run go from memory; what it still has in flight is stopped and forgotten."""
        if self.runs.get(run.id) is run:
            del self.runs[run.id]
        if run.attempts:
            self.executor.abandon(run.id)

    def suspend(self, is_suspended: bool) -> None:
        """Let no attempt start, or let all go on that were held."""
        if self.is_suspended and not is_suspended:
            self.is_suspended = False
            for run in self.runs.values():
                self._schedule(run)
        self.is_suspended = is_suspended

    def make_room(self, *, idle_runs: int = MAX_IDLE_RUNS, held_bytes: int = MAX_HELD_BYTES) -> None:
        """Forget what can be read again: runs that only wait, the longest untouched first, and large outputs."""
        idle = [run for run in self.runs.values() if not run.is_busy]
        if len(idle) > idle_runs:
            idle.sort(key=lambda run: run.touched_at)
            for run in idle[: len(idle) - idle_runs]:
                if not run.has_deadlines:  # those are kept in memory only
                    del self.runs[run.id]
        excess = sum(run.held_bytes for run in self.runs.values()) - held_bytes
        for run in sorted(self.runs.values(), key=lambda run: -run.held_bytes):
            if excess <= 0:
                break
            if not (run.is_committing or run.is_scheduled or run.inbox):
                excess -= run.held_bytes
                run.state.values.clear()
                run.held_bytes = 0

    # time

    def _take_timers(self, run: ActiveRun) -> None:
        if not run.state.timers:
            return
        for moment, outcome in run.state.timers:
            self.timers.add(moment, run.id, outcome)
        run.state.timers.clear()
        self.set_timer()

    def watch_deadline(self, run: ActiveRun) -> None:
        """Have the run told when its own time is over."""
        if run.deadline_at is not None:
            self.timers.add(run.deadline_at, run.id, RunTimedOut())
            self.set_timer()

    def set_timer(self) -> None:
        """Wake up for the next moment that some run waits for."""
        moment = self.timers.next()
        if moment is None or (self._timer is not None and self._timer_at is not None and self._timer_at <= moment):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = moment
        delay = max(0.0, (moment - utc_now()).total_seconds())
        self._timer = asyncio.get_running_loop().call_later(delay, self._on_time)

    def _on_time(self) -> None:
        self._timer = self._timer_at = None
        for run_id, outcome in self.timers.take_due(utc_now()):
            self.deliver(run_id, outcome)
        self.set_timer()
