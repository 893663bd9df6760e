"""A world for the decider: plays every worker, clock and person, and keeps the rows that a database would hold."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from canvas.domain.actions import UserAction
from canvas.domain.decider import (
    ELSEWHERE,
    Answered,
    Begun,
    CancelRequested,
    Command,
    Completed,
    ContextChanged,
    Due,
    Failed,
    Lost,
    Outcome,
    PauseRequested,
    Plan,
    ResumeRequested,
    RunChanged,
    RunInfo,
    RunState,
    RunTimedOut,
    StartChild,
    StepChanged,
    StopAttempt,
    Stopped,
    TimedOut,
    decide,
    evolve,
    load,
    prepare,
)
from canvas.domain.definition import Definition
from canvas.domain.states import RunStatus, StepStatus, StepType
from canvas.domain.tasks import DONE, SKIPPED

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PARAMETERS = {"count": 3, "items": [1, "two"], "mode": "fast", "free": None}


class Broken(AssertionError):
    """The decider did something it never may."""


@dataclass
class World:
    """One run, and everything outside of it."""

    definition: Definition
    actions: dict[str, UserAction] = field(default_factory=dict)
    is_dry: bool = False
    plan: Plan = field(init=False)
    state: RunState = field(init=False)
    now: datetime = NOON
    rows: dict[tuple[str, int], StepChanged] = field(default_factory=dict)
    latest: dict[str, StepChanged] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    status: RunStatus = RunStatus.PENDING
    error: dict[str, Any] | None = None
    output: Any = None
    asked_to_stop: set[tuple[str, int]] = field(default_factory=set)
    facts: list[tuple[Outcome, datetime]] = field(default_factory=list)
    told: list[tuple[Command, ...]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    "How many facts came in together."
    progress: tuple[int, int] = (0, 0)
    was_reloaded: bool = False
    "A state that was reloaded asks attempts to stop a second time."

    def __post_init__(self) -> None:
        self.plan = prepare(self.definition, self.actions)
        self.state = self.fresh()

    def fresh(self) -> RunState:
        info = RunInfo(id="run", workflow_name="drawn", parameters=PARAMETERS, started_at=NOON, is_dry=self.is_dry)
        return RunState(self.plan, info, Stored(self), dict(self.context))

    def begin(self) -> None:
        self.tell(Begun())

    def tell(self, *outcomes: Outcome) -> tuple[Command, ...]:
        """Bring the run news and write down what it concludes."""
        for outcome in outcomes:
            self.facts.append((outcome, self.now))
            evolve(self.state, outcome)
        commands = decide(self.state, self.now)
        self.told.append(commands)
        self.batches.append(len(outcomes))
        for command in commands:
            self.write(command)
        self.check_progress()
        if decide(self.state, self.now):
            raise Broken("asked again without news, it had more to say")
        return commands

    def write(self, command: Command) -> None:
        match command:
            case StepChanged():
                self.write_step(command)
            case RunChanged():
                if self.status.is_terminal:
                    raise Broken(f"the run ended twice: {command}")
                self.status, self.error, self.output = command.status, command.error, command.output
            case ContextChanged():
                self.context.update(command.values)
            case StopAttempt():
                key = (command.path, command.attempt)
                if (key in self.asked_to_stop and not self.was_reloaded) or self.rows[
                    key
                ].status is not StepStatus.RUNNING:
                    raise Broken(f"asked to stop for no reason: {command}")
                self.asked_to_stop.add(key)

    def write_step(self, change: StepChanged) -> None:
        key = (change.path, change.attempt)
        known = self.rows.get(key)
        if change.is_new != (known is None):
            raise Broken(f"{change} is {'' if change.is_new else 'not '}new, but there is {known}")
        if known is not None and known.status.is_terminal:
            raise Broken(f"{known} had ended, and now: {change}")
        if self.status.is_terminal:
            raise Broken(f"the run had ended, and now: {change}")
        if change.attempt - change.interruptions > change.max_attempts:
            raise Broken(f"one attempt too many: {change}")
        if change.is_new and change.attempt == 1:
            self.check_turn(change)
        if change.status is StepStatus.COMPLETED:
            self.outputs[change.path] = change.output
        if known is not None:
            given = change.input if change.input is not None else known.input
            change = replace(change, input=given, action=known.action, started_at=change.started_at or known.started_at)
            change = replace(change, due_at=change.due_at if change.status in _TIMED else None)
        self.rows[key] = change
        if change.path not in self.latest or self.latest[change.path].attempt <= change.attempt:
            self.latest[change.path] = change

    def check_turn(self, change: StepChanged) -> None:
        """A step starts or is skipped only when its dependencies say so."""
        if change.status is StepStatus.CANCELLED:
            return
        node = self.plan.names[change.name]
        prefix = change.path[: len(change.path) - len(change.name)]
        settled = [self.latest.get(prefix + one.step) for one in node.step.depends_on]
        live = [branch_is_live(one, row) for one, row in zip(node.step.depends_on, settled, strict=True)]
        ended = [row is not None and row.status.is_terminal for row in settled]
        if may_start(node.step, live, ended) != (change.status is not StepStatus.SKIPPED or change.branch is not None):
            raise Broken(f"it was not its turn: {change} with {live} {ended}")

    def check_progress(self) -> None:
        before, self.progress = self.progress, (self.state.settled, self.state.total)
        if self.progress[0] < before[0] or self.progress[1] < before[1] or self.progress[0] > self.progress[1]:
            raise Broken(f"progress went from {before} to {self.progress}")

    # what can happen next

    def open_rows(self) -> list[StepChanged]:
        return [row for row in self.rows.values() if not row.status.is_terminal]

    def choices(self, *, with_losses: bool = True) -> list[Outcome]:
        """List everything that may happen next to the step runs that are going."""
        found: list[Outcome] = []
        for row in self.open_rows():
            found.extend(self.choices_of(row, with_losses=with_losses))
        return found

    def choices_of(self, row: StepChanged, *, with_losses: bool) -> list[Outcome]:
        path, attempt = row.path, row.attempt
        limit = self.plan.names[row.name].step.timeout_seconds
        if row.type is StepType.ACTION and row.status is StepStatus.RUNNING:
            if (path, attempt) in self.asked_to_stop:
                return [Stopped(path, attempt), Completed(path, attempt, {"late": True})]
            found: list[Outcome] = [Completed(path, attempt, {"at": path}), failure(path, attempt)]
            return [*found, Lost(path, attempt, True), Lost(path, attempt, False)] if with_losses else found
        if row.status is StepStatus.RETRYING:
            return [Due(path, attempt)] if row.due_at else []
        if row.type is StepType.WORKFLOW_LINK:
            found = [Completed(path, attempt, {"child": path}), failure(path, attempt)]
            return [*found, TimedOut(path, attempt)] if limit else found
        if row.type is StepType.TASK:
            words = [*self.plan.names[row.name].step.outcomes, SKIPPED, DONE]
            found = [Answered(path, attempt, word, {"outcome": word}) for word in words]
            found.append(failure(path, attempt, retryable=False))
            return [*found, TimedOut(path, attempt)] if limit else found
        if row.type is StepType.WAIT:
            return [Due(path, attempt), TimedOut(path, attempt)] if limit else [Due(path, attempt)]
        return [TimedOut(path, attempt)] if limit else []

    def is_stopping_on_wish(self) -> bool:
        """Whether something is being stopped for a reason that no row tells."""
        wished = any(isinstance(fact, CancelRequested | RunTimedOut | TimedOut) for fact, _ in self.facts)
        return wished and any((row.path, row.attempt) in self.asked_to_stop for row in self.open_rows())

    def reload(self) -> RunState:
        """Rebuild the state from the rows alone, as a restart does."""
        state = self.fresh()
        rows = [replace(row, output=ELSEWHERE, is_new=False, is_final=True) for row in self.latest.values()]
        load(state, rows, self.status, self.progress)
        return state

    def tick(self, seconds: float = 1.0) -> None:
        self.now += timedelta(seconds=seconds)


class Stored(dict[str, Any]):
    """Outputs, read from the world's rows when they are not in memory."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def __missing__(self, path: str) -> Any:
        return self._world.outputs[path]


_TIMED = (StepStatus.RETRYING, StepStatus.WAITING)
PEOPLE = (CancelRequested(), PauseRequested(), ResumeRequested(), RunTimedOut())


def failure(path: str, attempt: int, *, retryable: bool = True) -> Failed:
    return Failed(path, attempt, {"code": "no", "message": "It said no."}, retryable)


def branch_is_live(dependency: Any, row: StepChanged | None) -> bool:
    """The definition of "live", written a second time and on purpose differently."""
    if row is None or not row.status.is_terminal:
        return False
    happened = {
        StepStatus.COMPLETED: {"SUCCESS", "ALWAYS", row.branch},
        StepStatus.FAILED: {"FAILURE", "ALWAYS"},
        StepStatus.SKIPPED: {"SUCCESS", "ALWAYS"} if row.branch == "SUCCESS" else set(),
    }.get(row.status, set())
    if dependency.branch == "SWITCH_CASE":
        taken = [(type(value) is bool, value) for value in row.branch_value or []]
        return "SWITCH_CASE" in happened and (type(dependency.value) is bool, dependency.value) in taken
    return (dependency.value if dependency.branch == "OUTCOME" else str(dependency.branch)) in happened


def may_start(step: Any, live: list[bool], ended: list[bool]) -> bool | None:
    """The definition of the joins, written a second time: True runs, False is skipped, None waits."""
    mode = "activated" if step.type.is_container else step.join.mode.value
    if not live:
        return True
    wanted = {"activated": 1, "any": 1, "all": len(live), "n_of_m": step.join.n}[mode]
    if mode == "activated" and not all(ended):
        return None
    if sum(live) >= wanted:
        return True
    return False if sum(live) + ended.count(False) < wanted else None


__all__ = ["PEOPLE", "Broken", "StartChild", "World", "failure"]
