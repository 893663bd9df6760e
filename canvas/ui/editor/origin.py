"""Which node of the canvas a run was started by."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from canvas.domain.errors import UserError
from canvas.domain.states import TriggerType
from canvas.services import views

START: Final = "trigger:start"


def origin_of(session: Any, document: Mapping[str, Any], trigger_type: str, data: Any) -> str:
    """Give the id of the trigger's node, or that of the start when the version has no such trigger.

    Args:
        document: The version that ran.
        trigger_type: What started the run.
        data: What it brought: a webhook's `path`, an event's `type`, a schedule's `schedule_id`.
    """
    brought = _brought(session, trigger_type, data if isinstance(data, Mapping) else {})
    for index, trigger in enumerate(document.get("triggers") or ()):
        if trigger.get("type") == trigger_type and brought.items() <= {**_SILENT, **trigger}.items():
            return f"trigger:{index}"
    return START


_SILENT: Final[Mapping[str, Any]] = {"cron": None, "interval_seconds": None, "timezone": "UTC"}


def _brought(session: Any, trigger_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a trigger of the definition must say to be the one."""
    if trigger_type == TriggerType.WEBHOOK:
        return {"path": data.get("path")}
    if trigger_type == TriggerType.EVENT:
        return {"event": data.get("type")}
    return _timing(session, str(data.get("schedule_id"))) if trigger_type == TriggerType.SCHEDULE else {}


def _timing(session: Any, schedule_id: str) -> dict[str, Any]:
    """Give what the schedule says; nothing when it is gone, so that the first one of the version counts."""
    try:
        row = views.schedule_row(session, schedule_id, now=datetime.now(UTC))
    except UserError:
        return {}
    return {"cron": row.cron or None, "interval_seconds": row.interval_seconds, "timezone": row.timezone}
