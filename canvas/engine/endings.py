"""What the end of a run tells others, in the transaction that ends it: an event, and a start for its error workflow."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canvas.domain.decider import RunChanged
from canvas.domain.events import OWN_TIME_TO_LIVE
from canvas.domain.states import RunStatus, TriggerType
from canvas.engine.active import ActiveRun
from canvas.engine.statements import Statement, compiled, given
from canvas.engine.text import json_text, moment_text, new_key
from models import Event, EventSubscription
from models.columns import table_of

_EVENT = table_of(Event)
_LISTENER = table_of(EventSubscription)
_COLUMNS = ("id", "type", "data", "source", "occurred_at", "expires_at", "depth", "workflow")
_HEARD = sa.exists().where(_LISTENER.c.event_type == given("heard_type"), _LISTENER.c.retired_at.is_(None))
INSERT_IF_HEARD = compiled(
    sa.insert(_EVENT).from_select(
        _COLUMNS, sa.select(*(given(name) for name in _COLUMNS)).where(_HEARD), include_defaults=False
    ),
    *_COLUMNS,
    "heard_type",
)
"""Keep an event if there is anybody who listens to its type, switched on or off."""
INSERT_FOR_ERROR_WORKFLOW = compiled(
    sa.insert(_EVENT).values({name: given(name) for name in (*_COLUMNS, "error_workflow")}),
    *_COLUMNS,
    "error_workflow",
)
"""Keep a failure for the one workflow that is to be started by it."""


def rows_of_end(run: ActiveRun, change: RunChanged, now: datetime) -> list[tuple[Statement, tuple[Any, ...]]]:
    """Give the rows that tell of the end of a run; a dry run tells nothing."""
    if run.dry_run:
        return []
    info, error = run.state.info, change.error
    kind = f"run.{change.status.value}"
    told: dict[str, Any] = {
        "run_id": run.id,
        "workflow": info.workflow_name,
        "version": info.version,
        "status": change.status.value,
        "trigger_type": info.trigger_type,
        "parent_run_id": run.parent_run_id,
    }
    if error is not None:
        told["error"] = error
    event = _event(run, kind, told, now)
    rows = [(INSERT_IF_HEARD, (*event, kind))]
    wanted = run.state.plan.definition.settings.error_workflow
    if change.status is RunStatus.FAILED and wanted and _may_start(wanted, run):
        failure = {
            "run_id": run.id,
            "workflow": info.workflow_name,
            "error": error,
            "step": (error or {}).get("step"),
            "url": f"/runs/{run.id}",
        }
        rows.append((INSERT_FOR_ERROR_WORKFLOW, (*_event(run, kind, failure, now), wanted)))
    return rows


def _may_start(wanted: str, run: ActiveRun) -> bool:
    """Whatever handles errors does not handle its own, nor those of others that do."""
    return wanted != run.state.info.workflow_name and run.state.info.trigger_type != TriggerType.ERROR.value


def _event(run: ActiveRun, kind: str, data: dict[str, Any], now: datetime) -> tuple[Any, ...]:
    return (
        new_key(),
        kind,
        json_text(data),
        f"run:{run.id}",
        moment_text(now),
        moment_text(now + OWN_TIME_TO_LIVE),
        run.depth + 1,
        run.state.info.workflow_name,
    )
