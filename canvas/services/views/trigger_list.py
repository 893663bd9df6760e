"""Everything that starts runs by itself, in one list."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlmodel import Session

from canvas.domain.states import Signature
from canvas.services.views.history import delivery_rows, heard_rows
from canvas.services.views.runs import runs_by_id
from canvas.services.views.triggers import (
    ScheduleRow,
    SubscriptionRow,
    WebhookRow,
    schedule_rows,
    subscription_rows,
    webhook_rows,
)

_PROOF: Final[Mapping[Signature, str]] = {
    Signature.NONE: "unsigned",
    Signature.TOKEN: "with a token",
    Signature.STANDARD: "signed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRow:
    """A schedule, a webhook or an event subscription, as one line."""

    kind: str
    "`schedule`, `webhook` or `event`."
    id: str
    workflow_name: str
    workflow_title: str
    what: str
    "In plain words, such as `every weekday at 09:00` or `POST /api/hooks/orders`."
    detail: str
    enabled: bool
    is_from_definition: bool
    is_published: bool
    next_at: datetime | None
    "When it fires next; None for what waits for somebody else."
    last_at: datetime | None
    last_run_id: str
    last_result: str
    "How the last run stands, or why there was none; empty when nothing has happened."


def trigger_rows(session: Session, *, now: datetime) -> list[TriggerRow]:
    """List all triggers: schedules by when they are due, then webhooks by path, then events by type."""
    rows = [
        *map(_of_schedule, schedule_rows(session, now=now)),
        *(_of_webhook(session, row) for row in webhook_rows(session)),
        *(_of_event(session, row) for row in subscription_rows(session)),
    ]
    return _with_results(session, rows)


def _of_schedule(row: ScheduleRow) -> TriggerRow:
    return TriggerRow(
        kind="schedule",
        id=row.id,
        workflow_name=row.workflow_name,
        workflow_title=row.workflow_title,
        what=row.words,
        detail=f"{row.cron} · {row.timezone}" if row.cron else "",
        enabled=row.enabled,
        is_from_definition=row.is_from_definition,
        is_published=row.is_published,
        next_at=row.next_fire_times[0] if row.next_fire_times else None,
        last_at=row.last_fire_at,
        last_run_id=row.last_run_id,
        last_result="",
    )


def _of_webhook(session: Session, row: WebhookRow) -> TriggerRow:
    last = next(iter(delivery_rows(session, row.id, limit=1)), None)
    return TriggerRow(
        kind="webhook",
        id=row.id,
        workflow_name=row.workflow_name,
        workflow_title=row.workflow_title,
        what=f"{' '.join(row.methods)} /api/hooks/{row.path}",
        detail=_PROOF[Signature(row.signature)],
        enabled=row.enabled,
        is_from_definition=row.is_from_definition,
        is_published=row.is_published,
        next_at=None,
        last_at=last.received_at if last else row.last_called_at,
        last_run_id=last.run_id if last else "",
        last_result="refused" if last and not last.run_id else "",
    )


def _of_event(session: Session, row: SubscriptionRow) -> TriggerRow:
    last = next(iter(heard_rows(session, row.id, limit=1)), None)
    return TriggerRow(
        kind="event",
        id=row.id,
        workflow_name=row.workflow,
        workflow_title=row.workflow_title,
        what=row.event,
        detail=f"if {row.filter}" if row.filter else "",
        enabled=row.enabled,
        is_from_definition=row.follows_definition,
        is_published=row.is_published,
        next_at=None,
        last_at=row.last_heard_at,
        last_run_id=row.last_run_id,
        last_result="refused" if last and not last.run_id else "",
    )


def _with_results(session: Session, rows: list[TriggerRow]) -> list[TriggerRow]:
    stands = {run.id: run.status for run in runs_by_id(session, [row.last_run_id for row in rows if row.last_run_id])}
    return [replace(row, last_result=row.last_result or str(stands.get(row.last_run_id, ""))) for row in rows]
