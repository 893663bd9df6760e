"""Finding work: pending runs to take, wishes to pass on, timers of runs that are not in memory, workers that died."""

import logging
from datetime import datetime, timedelta
from typing import Any

from canvas.domain.decider import (
    Begun,
    CancelRequested,
    Completed,
    Due,
    Lost,
    Outcome,
    PauseRequested,
    ResumeRequested,
    RunTimedOut,
    load,
)
from canvas.domain.decider.plan import Node
from canvas.domain.errors import CanvasError
from canvas.domain.expressions import ExpressionError
from canvas.domain.states import RunStatus, StepStatus, StepType
from canvas.engine import statements as sql
from canvas.engine.active import ActiveRun, activate
from canvas.engine.children import Children
from canvas.engine.conductor import Conductor, Guard, utc_now
from canvas.engine.executor import Lookup
from canvas.engine.identity import is_gone
from canvas.engine.plans import Plans
from canvas.engine.reading import DueStep, Reader, WorkerRow
from canvas.engine.tasks import outcome_of_task
from canvas.engine.text import moment_text
from canvas.settings import Settings

MAX_BUSY_RUNS = 256
"Runs that are taken while others of this process still have something to do."
BATCH = 64
_log = logging.getLogger(__name__)


class Claims:
    """Looks at the database on behalf of a conductor."""

    def __init__(
        self,
        conductor: Conductor,
        *,
        reader: Reader,
        plans: Plans,
        children: Children,
        actions: Lookup,
        settings: Settings,
    ) -> None:
        self._conductor = conductor
        self._reader = reader
        self._plans = plans
        self._children = children
        self._actions = actions
        self._settings = settings
        self._has_backlog = False

    # pending runs

    def claim(self) -> None:
        """Take pending runs, as many as there is room for."""
        now, full = utc_now(), set[str]()
        self._has_backlog = False
        while True:
            room = min(BATCH, MAX_BUSY_RUNS - self._count_busy())
            if room <= 0 or self._conductor.is_suspended:
                self._has_backlog = True
                return
            rows = self._reader.pending(now, full=full, limit=room)
            before = len(full)
            taken = [row for row in rows if row.id not in self._conductor.runs and self._take(row, now, full)]
            if len(full) == before and (len(rows) < room or not taken):
                break
        self._has_backlog = bool(full) or len(rows) == room

    def next_start(self) -> datetime | None:
        """Give the next moment at which a pending run is scheduled to start."""
        return self._reader.next_start(utc_now())

    def claim_more(self) -> None:
        """Take further runs if some were left and there is room again."""
        if self._has_backlog and self._count_busy() <= MAX_BUSY_RUNS // 2:
            self.claim()

    def _count_busy(self) -> int:
        return sum(run.is_busy for run in self._conductor.runs.values())

    def _take(self, row: Any, now: datetime, full: set[str]) -> bool:
        if row.workflow_id in full:
            return False
        try:
            plan = self._plans.get(row.version_id)
        except CanvasError as error:
            _log.exception("Run %s cannot be started: its version cannot be read.", row.id)
            self._conductor.give_up(row.id, str(error))
            return False
        settings = plan.definition.settings
        limit = settings.concurrency.limit
        if limit and not row.cancel_requested and self._going(row.workflow_id) >= limit:
            full.add(row.workflow_id)
            return False
        deadline = now + timedelta(minutes=settings.timeout_minutes) if settings.timeout_minutes else None
        run = activate(row, plan, self._reader, now)
        run.deadline_at = deadline
        run.inbox.append(Begun())
        if row.cancel_requested:
            run.is_cancelled = True
            run.inbox.append(CancelRequested())
        values = (
            RunStatus.RUNNING.value,
            0,
            run.state.total,
            moment_text(now),
            moment_text(deadline) if deadline else None,
            self._conductor.owner,
            row.id,
        )
        guard: Guard = (sql.RUN_CLAIM, values)
        if limit and not row.cancel_requested:
            guard = (sql.RUN_CLAIM_LIMITED, (*values, limit, row.workflow_id))
        self._conductor.take_over(run, guard, "claim")
        self._conductor.watch_deadline(run)
        return True

    def _going(self, workflow_id: str) -> int:
        """Count what is going of a workflow, and what this process is just taking."""
        taking = sum(
            run.workflow_id == workflow_id and run.state.status is not RunStatus.PENDING
            for run in self._conductor.runs.values()
        )
        return max(taking, self._reader.going(workflow_id))

    # wishes and moments

    def pass_on_wishes(self) -> None:
        """Tell runs what people wish of them."""
        for row in self._reader.wishes():
            if row.worker_id != self._conductor.owner:
                continue
            run = self._conductor.runs.get(row.id) or self.wake(row.id)
            if run is None:
                continue
            if row.cancel_requested:
                if not run.is_cancelled:
                    run.is_cancelled = True
                    self._conductor.deliver(row.id, CancelRequested())
            else:
                self._conductor.deliver(row.id, PauseRequested() if row.pause_requested else ResumeRequested())

    def check_due(self) -> None:
        """Wake runs whose step runs or children are due; those in memory mostly know already."""
        now = utc_now()
        for due in self._reader.due(now, self._conductor.owner):
            run = self._conductor.runs.get(due.run_id) or self.wake(due.run_id)
            if run is None:
                continue
            outcome = self._outcome(due)
            if outcome is not None:
                self._conductor.deliver(due.run_id, outcome)

    def _outcome(self, due: DueStep) -> Outcome | None:
        if due.type is StepType.TASK:
            return outcome_of_task(self._reader, due)
        return Due(due.path, due.attempt) if due.child_run_id is None else self._children.outcome(due)

    def check_deadlines(self) -> None:
        """Wake runs that are not in memory and whose own time is over."""
        for run_id in self._reader.late(utc_now(), self._conductor.owner):
            if run_id not in self._conductor.runs and self.wake(run_id):
                self._conductor.deliver(run_id, RunTimedOut())

    def wake(self, run_id: str) -> ActiveRun | None:
        """Bring a run of this worker back into memory."""
        run = self._load(run_id)
        if run is not None:
            self._conductor.runs[run_id] = run
            self._conductor.watch_deadline(run)
        return run

    # recovery

    def recover(self) -> int:
        """Take over the runs of workers that are gone; give how many."""
        workers = {worker.id: worker for worker in self._reader.workers()}
        owned = self._reader.owned()
        mine = self._conductor.owner
        dead = {owner for owner in owned.values() if owner != mine and self._is_dead(workers.get(owner))}
        return sum(self._adopt(run_id, owner) for run_id, owner in owned.items() if owner in dead)

    def forgotten_workers(self) -> list[str]:
        """List the workers that are gone and own nothing any more."""
        owners = set(self._reader.owned().values())
        return [w.id for w in self._reader.workers() if w.id not in owners and self._is_dead(w)]

    def _is_dead(self, worker: WorkerRow | None) -> bool:
        if worker is None:
            return True
        if worker.id == self._conductor.owner:
            return False
        if is_gone(worker.identity):
            return True
        return worker.lease_until + timedelta(seconds=self._settings.lease_seconds) < utc_now()

    def _adopt(self, run_id: str, owner: str) -> bool:
        if run_id in self._conductor.runs:
            return False
        try:
            run = self._load(run_id)
        except Exception as error:  # one run that cannot be read must not keep the others from being taken over
            _log.exception("Run %s cannot be taken over.", run_id)
            self._conductor.give_up(run_id, f"{type(error).__name__}: {error}")
            return False
        if run is None:
            return False
        for frame, node in list(run.state.flight.values()):
            slot = frame.slots[node.index]
            if slot.status is StepStatus.RUNNING and slot.frames is None:
                path = frame.prefix + node.name
                run.inbox.append(Lost(path, slot.attempt, self._is_idempotent(run, node, slot.input)))
        guard = (sql.RUN_ADOPT, (self._conductor.owner, run_id, owner))
        self._conductor.take_over(run, guard, "recovery")
        self._conductor.watch_deadline(run)
        return True

    def _is_idempotent(self, run: ActiveRun, node: Node, arguments: Any) -> bool:
        name = node.action or ""
        if node.via is not None:
            if node.via.action.read_only:
                return True
            try:
                call = node.via.call(arguments)
            except ExpressionError:  # the action was changed since; what the attempt called is not known any more
                return False
            name, arguments = call.name, call.arguments
        action = self._actions.get(name)
        if action is None:
            return run.dry_run
        return bool((run.dry_run and action.spec.touches_world) or action.is_idempotent(arguments or {}))

    def _load(self, run_id: str) -> ActiveRun | None:
        row = self._reader.run(run_id)
        if row is None or row.status.is_terminal or row.status is RunStatus.PENDING:
            return None
        run = activate(row, self._plans.get(row.version_id), self._reader, row.started_at)
        steps = self._reader.steps(run_id)
        load(run.state, [change for change, _ in steps], row.status, (row.settled_steps, row.total_steps))
        run.children = {change.path: child for change, child in steps if child and not change.status.is_terminal}
        if row.cancel_requested:
            run.is_cancelled = True
            run.inbox.append(CancelRequested())
        run.inbox.extend(self._unawaited(run))
        return run

    def _unawaited(self, run: ActiveRun) -> list[Any]:
        """Complete the links that do not wait and whose child was started just before a crash."""
        outcomes: list[Any] = []
        for path, child in run.children.items():
            frame, node = run.state.flight[path]
            if not getattr(node.step, "wait", True):
                outcomes.append(Completed(path, frame.slots[node.index].attempt, {"run_id": child}))
        return outcomes
