"""Commands into rows: everything that one transition of a run changes, as one unit for the writer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from canvas.actions.context import Notice
from canvas.domain.decider import (
    Command,
    ContextChanged,
    Note,
    RaiseTask,
    RunChanged,
    StartChild,
    StepChanged,
    StopAttempt,
    StopChild,
    WithdrawTask,
)
from canvas.domain.states import LogKind, LogLevel, RunStatus, StepStatus, TaskStatus, TriggerType
from canvas.engine import projections
from canvas.engine import statements as sql
from canvas.engine.active import ActiveRun, Record
from canvas.engine.endings import rows_of_end
from canvas.engine.reading import LARGE_INPUT
from canvas.engine.statements import Statement
from canvas.engine.tasks import rows_of_task
from canvas.engine.text import content_hash, json_text, moment_text, new_key, to_json
from canvas.engine.writer import Unit

APART_BYTES = 256 * 1024
"A larger value is kept in a row of its own."
_STEP, _LINE, _RUN = LogKind.STEP.value, LogKind.LINE.value, LogKind.RUN.value
_IN_ORDER = (sql.INSERT_PAYLOAD, sql.INSERT_STEP, sql.RESTART_STEP, sql.END_STEP)
"A container may open and end in one transition, so rows are written before they are changed."
_INFO, _WARNING, _ERROR = LogLevel.INFO.value, LogLevel.WARNING.value, LogLevel.ERROR.value


@dataclass(frozen=True, slots=True)
class Child:
    """A run to be started for a step run."""

    id: str
    workflow_id: str
    version_id: str
    workflow_name: str
    number: int
    parameters: dict[str, Any]


@dataclass(slots=True, eq=False)
class Transition:
    """Collects the rows of one transition."""

    run: ActiveRun
    owner: str
    now: datetime
    children: dict[str, Child]
    "Runs to be started, by the path of the step run that starts them."
    now_text: str = field(init=False)
    rows: dict[Statement, list[tuple[Any, ...]]] = field(default_factory=dict)
    logs: list[tuple[Any, ...]] = field(default_factory=list)
    ends: list[tuple[Statement, tuple[Any, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now_text = moment_text(self.now)

    @property
    def is_proposed(self) -> bool:
        """Whether the run carries out a proposal."""
        return self.run.state.info.trigger_type == TriggerType.PROPOSAL

    def add(self, statement: Statement, row: tuple[Any, ...]) -> None:
        """Add one row; rows of one statement are written together."""
        self.rows.setdefault(statement, []).append(row)

    def log(
        self, kind: str, message: str, data: Any, *, path: str | None, attempt: int | None, level: str = _INFO
    ) -> None:
        """Add one row of the run's log."""
        self.logs.append((self.run.id, path, attempt, kind, level, message, json_text(data), self.now_text))

    def apart(self, body: bytes) -> tuple[str | None, str | None]:
        """Give a value's text, or the key it is kept under when it is large."""
        if len(body) <= APART_BYTES:
            return body.decode(), None
        key = content_hash(body)
        self.add(sql.INSERT_PAYLOAD, (key, body))
        return None, key


def write_transition(
    run: ActiveRun,
    commands: Iterable[Command],
    *,
    owner: str,
    now: datetime,
    children: dict[str, Child],
    guard: tuple[Statement, tuple[Any, ...]] | None = None,
    point: str = "completion",
) -> Unit:
    """Turn what was decided into rows.

    Args:
        owner: The worker that writes; nothing is written if the run is not its own.
        guard: Takes the run, when it is not yet this worker's.
        children: The child runs that `StartChild` commands ask for.
    """
    transition = Transition(run, owner, now, children)
    for command in commands:
        _ROWS[type(command)](transition, command)
    for record in run.records:
        _write_record(transition, record)
    run.records.clear()
    run.encoded.clear()
    progress = (run.state.settled, run.state.total, run.id, owner)
    rows = transition.rows
    writes: list[Any] = [(statement, rows.pop(statement)) for statement in _IN_ORDER if statement in rows]
    writes.extend(rows.items())
    if guard is None:
        guard = (sql.RUN_PROGRESS, progress)
    else:
        writes.append((sql.RUN_PROGRESS, [progress]))
    if transition.logs:
        writes.append((sql.INSERT_LOG, transition.logs))
    writes.extend((statement, [row]) for statement, row in transition.ends)
    ends = any(isinstance(command, RunChanged) and command.status.is_terminal for command in commands)
    if ends and point == "completion":
        point = "end"
    return Unit(writes, guard, point)


def _step(transition: Transition, change: StepChanged) -> None:
    if change.is_new:
        _insert_step(transition, change)
    elif change.status.is_terminal:
        _end_step(transition, change)
    else:
        _restart_step(transition, change)
    state = transition.run.state
    data: dict[str, Any] = {"status": change.status.value, "settled": state.settled, "total": state.total}
    if change.branch is not None:
        data["branch"] = change.branch
    if change.branch_value is not None:
        data["branch_value"] = change.branch_value
    if change.error is not None:
        data["error"] = change.error
    level = _ERROR if change.status is StepStatus.FAILED else _INFO
    transition.log(_STEP, "", data, path=change.path, attempt=change.attempt, level=level)
    if transition.is_proposed:
        transition.ends.extend(projections.of_step(transition.run.id, change, transition.now_text))


def _insert_step(transition: Transition, change: StepChanged) -> None:
    has_ended = change.status.is_terminal
    output, output_hash = _output(transition, change)
    child = transition.children.get(change.path)
    transition.add(
        sql.INSERT_STEP,
        (
            new_key(),
            transition.run.id,
            change.path,
            change.name,
            change.type.value,
            change.action,
            change.attempt,
            change.max_attempts,
            change.interruptions,
            change.status.value,
            change.branch,
            json_text(change.branch_value),
            _input(transition, change),
            output,
            output_hash,
            json_text(change.error),
            child.id if child else None,
            transition.owner,
            None if change.status is StepStatus.RETRYING else transition.now_text,
            moment_text(change.due_at) if change.due_at else None,
            transition.now_text if has_ended else None,
        ),
    )


def _end_step(transition: Transition, change: StepChanged) -> None:
    output, output_hash = _output(transition, change)
    transition.add(
        sql.END_STEP,
        (
            change.interruptions,
            change.status.value,
            change.branch,
            output,
            output_hash,
            json_text(change.error),
            transition.now_text,
            transition.run.id,
            change.path,
            change.attempt,
        ),
    )


def _restart_step(transition: Transition, change: StepChanged) -> None:
    child = transition.children.get(change.path)
    row = (
        change.status.value,
        child.id if child else None,
        transition.owner,
        transition.now_text,
        transition.run.id,
        change.path,
        change.attempt,
    )
    transition.add(sql.RESTART_STEP, row)


def _input(transition: Transition, change: StepChanged) -> str | None:
    if change.input is None:
        return None
    text, key = transition.apart(to_json(change.input))
    return text if key is None else json_text({LARGE_INPUT: key})


def _output(transition: Transition, change: StepChanged) -> tuple[str | None, str | None]:
    if change.status is not StepStatus.COMPLETED:
        return None, None
    body = transition.run.encoded.pop(change.path, None)
    return transition.apart(to_json(change.output) if body is None else body)


def _run(transition: Transition, change: RunChanged) -> None:
    run, owner = transition.run.id, transition.owner
    data: dict[str, Any] = {"status": change.status.value}
    if change.error is not None:
        data["error"] = change.error
    level = _ERROR if change.status is RunStatus.FAILED else _INFO
    transition.log(_RUN, "", data, path=None, attempt=None, level=level)
    if transition.is_proposed:
        transition.ends.extend(projections.of_run(run, change, transition.now_text))
    if not change.status.is_terminal:
        paused_at = transition.now_text if change.status is RunStatus.PAUSED else None
        transition.ends.append((sql.RUN_STATUS, (change.status.value, paused_at, run, owner)))
        if change.is_held:
            transition.ends.append((sql.RUN_HOLD, (True, run, owner)))
        return
    output, output_hash = (None, None) if change.output is None else transition.apart(to_json(change.output))
    row = (change.status.value, output, output_hash, json_text(change.error), transition.now_text, run, owner)
    transition.ends.append((sql.RUN_END, row))
    transition.ends.extend(rows_of_end(transition.run, change, transition.now))
    if transition.run.parent_run_id is not None:
        transition.add(sql.WAKE_PARENT, (transition.now_text, run))


def _context(transition: Transition, change: ContextChanged) -> None:
    text = json_text(transition.run.state.context) or "{}"
    row = (text, transition.run.id, transition.owner)
    transition.rows[sql.RUN_CONTEXT] = [row]  # once, however many steps wrote


def _start_child(transition: Transition, wanted: StartChild) -> None:
    child = transition.children.get(wanted.path)
    if child is None:
        return
    run = transition.run
    transition.add(
        sql.INSERT_RUN,
        (
            child.id,
            transition.now_text,
            child.workflow_id,
            child.version_id,
            child.workflow_name,
            child.number,
            RunStatus.PENDING.value,
            "workflow",
            json_text({"run_id": run.id, "path": wanted.path}),
            f"run:{run.id}",
            json_text(child.parameters),
            "{}",
            0,
            0,
            run.priority,
            run.dry_run,
            json_text(run.fixtures),
            False,
            False,
            0,
            run.id,
            wanted.path,
            run.depth + 1,
        ),
    )


def _stop_child(transition: Transition, command: StopChild) -> None:
    transition.add(sql.CANCEL_CHILD, (transition.run.id, command.path))


def _note(transition: Transition, note: Note) -> None:
    transition.log(_LINE, note.message, note.data or None, path=note.path, attempt=None, level=note.level.value)


def _nothing(transition: Transition, command: StopAttempt) -> None:
    """Asking an attempt to stop leaves no row."""


def _write_record(transition: Transition, record: Record) -> None:
    for line in record.lines:
        transition.log(
            _LINE, line.message, line.data or None, path=record.path, attempt=record.attempt, level=line.level.value
        )
    for notice in record.notices:
        _tell(transition, notice)


def _tell(transition: Transition, notice: Notice) -> None:
    key, run = new_key(), transition.run.id
    link = notice.link or f"/runs/{run}"
    said = (notice.title, notice.body, notice.level.value, link)
    transition.add(sql.INSERT_NOTIFICATION, (key, transition.now_text, *said, run, not notice.to))
    for name in notice.to:
        transition.add(sql.INSERT_RECIPIENT, (name, key))


def _raise_task(transition: Transition, wanted: RaiseTask) -> None:
    if transition.run.dry_run:
        return
    for row in rows_of_task(transition.run.id, wanted, transition.now_text):
        transition.add(sql.INSERT_TASK, row)
    title, assignee = f"Task: {wanted.task['action']}"[:200], wanted.task["assignee"]
    to = (assignee,) if assignee else ()
    _tell(transition, Notice(title, wanted.task["description"], LogLevel.INFO, "", to))


def _withdraw_task(transition: Transition, command: WithdrawTask) -> None:
    at = transition.now_text
    transition.add(sql.WITHDRAW_TASK, (transition.run.id, command.path, at, TaskStatus.CANCELLED.value, at))


_ROWS: dict[type, Callable[[Transition, Any], None]] = {
    StepChanged: _step,
    RunChanged: _run,
    ContextChanged: _context,
    StartChild: _start_child,
    StopAttempt: _nothing,
    StopChild: _stop_child,
    RaiseTask: _raise_task,
    WithdrawTask: _withdraw_task,
    Note: _note,
}


def write_defect(run_id: str, told: str, now: datetime, run: ActiveRun | None) -> Unit:
    """End a run that the engine cannot lead any further, and leave nothing of it open.

    Args:
        run: What is in memory of it; None when it was never read.
    """
    at = moment_text(now)
    error = {"code": "engine_defect", "message": f"Canvas made a mistake and ended this run: {told}"}
    data = json_text({"status": RunStatus.FAILED.value, "error": error})
    change = RunChanged(status=RunStatus.FAILED, error=error)
    rows = [] if run is None else rows_of_end(run, change, now)
    return Unit(
        [
            *((statement, [row]) for statement, row in rows),
            (sql.CANCEL_OPEN_STEPS, [(StepStatus.CANCELLED.value, at, run_id)]),
            (sql.INSERT_LOG, [(run_id, None, None, _RUN, _ERROR, "", data, at)]),
            (sql.WAKE_PARENT, [(at, run_id)]),
            *((statement, [row]) for statement, row in projections.of_defect(run_id, error, at)),
        ],
        (sql.FAIL_RUN, (RunStatus.FAILED.value, json_text(error), at, run_id)),
    )
