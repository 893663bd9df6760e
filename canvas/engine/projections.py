"""What proposals show of their runs: written with the run's own transition, so that both always say the same."""

from typing import Any

from canvas.domain.decider import RunChanged, StepChanged
from canvas.domain.proposals import STEP_PREFIX, status_of_run, status_of_step
from canvas.domain.states import ProposalStatus, RunStatus, StepStatus, StepType
from canvas.engine import statements as sql
from canvas.engine.statements import Statement
from canvas.engine.text import json_text, moment_text

Rows = list[tuple[Statement, tuple[Any, ...]]]


def of_step(run_id: str, change: StepChanged, now: str) -> Rows:
    """Give what a change of a step run means for the proposed action that it carries out."""
    if change.type is not StepType.ACTION or not change.name.startswith(STEP_PREFIX):
        return []
    order = int(change.name.removeprefix(STEP_PREFIX))
    rows: Rows = []
    if change.error is not None:
        rows.append((sql.PROJECT_ACTION_ERROR, (str(change.error.get("message", "")), run_id, order)))
    if change.status is StepStatus.FAILED and not change.is_final:
        return rows  # the attempt that follows says how it goes on
    due = moment_text(change.due_at) if change.status is StepStatus.RETRYING and change.due_at else None
    ended = now if change.status.is_terminal else None
    status = status_of_step(change.status).value
    rows.append((sql.PROJECT_ACTION, (status, change.attempt - 1, due, now, ended, run_id, order)))
    return rows


def of_run(run_id: str, change: RunChanged, now: str) -> Rows:
    """Give what a change of a run means for the proposal that it carries out."""
    rows: Rows = [(sql.PROJECT_PROPOSAL, (status_of_run(change.status).value, json_text(change.error), now, run_id))]
    if change.status.is_terminal:
        rows.append((sql.CANCEL_ACTIONS, (ProposalStatus.CANCELLED.value, now, run_id)))
    return rows


def of_defect(run_id: str, error: dict[str, Any], now: str) -> Rows:
    """Give what the end of a run that cannot be led any further means for its proposal, if it has one."""
    return of_run(run_id, RunChanged(status=RunStatus.FAILED, error=error), now)
