"""Tasks that a step raises: their rows, how they came out, and the answer of a dry run."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from canvas.domain.decider import Answered, Failed, Outcome, RaiseTask
from canvas.domain.states import TaskStatus
from canvas.domain.tasks import DONE, SKIPPED
from canvas.engine import statements as sql
from canvas.engine.active import ActiveRun
from canvas.engine.reading import DueStep, Reader
from canvas.engine.text import json_text, moment_text, new_key


def rows_of_task(run_id: str, wanted: RaiseTask, at: str) -> Iterator[tuple[Any, ...]]:
    """Give the rows of a task and its sub-tasks, in the order of `INSERT_TASK`'s columns."""
    task = wanted.task
    top, *parts = sorted(new_key() for _ in range(1 + len(task["subtasks"])))  # lists go by key: parts keep their order
    yield _row(top, None, run_id, wanted.path, wanted.attempt, task, at)
    common = {key: task[key] for key in ("task_type", "owner", "subject")}
    for key, part in zip(parts, task["subtasks"], strict=True):
        yield _row(key, top, run_id, None, None, {**common, **part}, at)


def outcome_of_task(reader: Reader, due: DueStep) -> Outcome | None:
    """Read how the task that a step run waits for has ended; None while it has not."""
    row = reader.task(due.run_id, due.path, due.attempt)
    if row is None:
        error = {"code": "task_gone", "message": "The task it waits for does not exist any more."}
        return Failed(due.path, due.attempt, error, retryable=False)
    if not row.status.is_terminal:
        return None
    if row.status is TaskStatus.CANCELLED:
        told = f"The task was cancelled{f' by {row.ended_by}' if row.ended_by else ''}."
        return Failed(due.path, due.attempt, {"code": "task_cancelled", "message": told}, retryable=False)
    outcome = SKIPPED if row.status is TaskStatus.SKIPPED else row.outcome or DONE
    output = {"outcome": outcome, "answers": row.answers, "task_id": row.id, "ended_by": row.ended_by}
    if row.skip_reason:
        output["reason"] = row.skip_reason
    return Answered(due.path, due.attempt, outcome, output)


def rehearsed_task(run: ActiveRun, wanted: RaiseTask) -> Outcome:
    """Answer for a task in a dry run: from a fixture, or with its first outcome."""
    fixture = run.fixtures.get(wanted.path.rpartition("/")[2])
    known = fixture if isinstance(fixture, dict) else {}
    outcome = str(known.get("outcome") or next(iter(wanted.task["outcomes"]), DONE))
    output = {"outcome": outcome, "answers": known.get("answers"), "task_id": None, "ended_by": "dry run"}
    return Answered(wanted.path, wanted.attempt, outcome, output)


def _row(
    key: str, parent: str | None, run_id: str, path: str | None, attempt: int | None, task: dict[str, Any], at: str
) -> tuple[Any, ...]:
    values = {
        **task,
        "id": key,
        "created_at": at,
        "updated_at": at,
        "run_id": run_id,
        "original_run_id": run_id,
        "path": path,
        "attempt": attempt,
        "parent_task_id": parent,
        "surfaced_in_run_ids": "[]",
        "status": TaskStatus.PENDING.value,
        "due_at": _moment(task.get("due_at")),
        "snooze_deadline": _moment(task.get("snooze_deadline")),
        "requires_decision": task.get("requires_decision", False),
        "outcomes": json_text(task.get("outcomes") or []),
        "form": json_text(task.get("form")),
        "details": json_text(task.get("details") or {}),
        "auto_execute": False,
        "snooze_count": 0,
        "retry_count": 0,
        "revision": 0,
        "ended_by": "",
        "created_by": f"run:{run_id}",
    }
    return tuple(values[name] for name in sql.INSERT_TASK.parameters)


def _moment(text: str | None) -> str | None:
    return None if text is None else moment_text(datetime.fromisoformat(text))
