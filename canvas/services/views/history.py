"""What came in and what was made of it: due times, deliveries to webhooks, events."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from canvas.services.deliveries import DeliveryNotFound
from canvas.services.schedules import find_schedule
from canvas.services.subscriptions import find_subscription
from canvas.services.webhooks import find_webhook
from models import Event, EventDelivery, ScheduleFire, WebhookDelivery, WorkflowRun


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One request to a webhook."""

    id: str
    received_at: datetime
    method: str
    size: int
    "Bytes of body."
    status: int
    "What was answered on receipt."
    reason: str
    "The error's code when it was refused; `duplicate` when it had come before."
    detail: str
    delivery_key: str
    run_id: str
    run_status: str
    "How that run stands now; empty when there is none any more."
    replay_of: str
    can_replay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDetail:
    """One request to a webhook with what was kept of it."""

    row: DeliveryRow
    query: dict[str, Any]
    headers: dict[str, Any]
    body: str
    "As text; what is not UTF-8 is replaced."


@dataclass(frozen=True, slots=True, kw_only=True)
class FireRow:
    """One due time of a schedule."""

    fire_at: datetime
    outcome: str
    run_id: str
    run_status: str
    is_backfill: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event that is remembered."""

    id: str
    type: str
    source: str
    key: str
    occurred_at: datetime
    expires_at: datetime
    is_alive: bool
    "Whether somebody who begins to listen now still gets it."
    data: Any
    run_ids: list[str]
    "The runs it started."
    refusals: list[str]
    "Why listeners could not start."


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardRow:
    """An event as one subscription had it."""

    event_id: str
    at: datetime
    run_id: str
    run_status: str
    reason: str


def fire_rows(session: Session, schedule_id: str, *, limit: int = 50) -> list[FireRow]:
    """List what became of a schedule's latest due times, the newest first.

    Raises:
        ScheduleNotFound: There is no such schedule.
    """
    find_schedule(session, schedule_id)
    query = select(ScheduleFire, WorkflowRun.status).join(
        WorkflowRun, col(WorkflowRun.id) == ScheduleFire.run_id, isouter=True
    )
    query = query.where(ScheduleFire.schedule_id == schedule_id)
    query = query.order_by(col(ScheduleFire.fire_at).desc()).limit(limit)
    return [
        FireRow(
            fire_at=fire.fire_at,
            outcome=fire.outcome,
            run_id=fire.run_id or "",
            run_status=str(status or ""),
            is_backfill=fire.is_backfill,
        )
        for fire, status in session.exec(query)
    ]


def delivery_rows(session: Session, webhook_id: str, *, limit: int = 50) -> list[DeliveryRow]:
    """List the latest deliveries of a webhook, the newest first.

    Raises:
        WebhookNotFound: There is no such webhook.
    """
    find_webhook(session, webhook_id)
    query = _deliveries().where(WebhookDelivery.webhook_id == webhook_id)
    query = query.order_by(col(WebhookDelivery.id).desc()).limit(limit)
    return [_delivery_row(delivery, status) for delivery, status in session.exec(query)]


def delivery_detail(session: Session, delivery_id: str) -> DeliveryDetail:
    """Give one delivery with what was kept of it.

    Raises:
        DeliveryNotFound: There is no such delivery.
    """
    found = session.exec(_deliveries().where(WebhookDelivery.id == delivery_id)).first()
    if found is None:
        raise DeliveryNotFound(f"There is no delivery {delivery_id!r}; only the latest are kept.")
    delivery = found[0]
    return DeliveryDetail(
        row=_delivery_row(*found),
        query=delivery.query,
        headers=delivery.headers,
        body=(delivery.body or b"").decode(errors="replace"),
    )


def event_rows(session: Session, *, now: datetime, event_type: str = "", limit: int = 50) -> list[EventRow]:
    """List the latest events, the newest first, with what they started."""
    query = select(Event).where(col(Event.error_workflow).is_(None)).order_by(col(Event.id).desc()).limit(limit)
    if event_type:
        query = query.where(Event.type == event_type)
    events = session.exec(query).all()
    had: dict[str, list[EventDelivery]] = {event.id: [] for event in events}
    heard = select(EventDelivery).where(col(EventDelivery.event_id).in_(had)).order_by(col(EventDelivery.id))
    for delivery in session.exec(heard):
        had[delivery.event_id].append(delivery)
    return [_event_row(event, had[event.id], now) for event in events]


def heard_rows(session: Session, subscription_id: str, *, limit: int = 50) -> list[HeardRow]:
    """List the latest events that a subscription had, the newest first.

    Raises:
        SubscriptionNotFound: There is no such subscription.
    """
    find_subscription(session, subscription_id)
    query = select(EventDelivery, WorkflowRun.status).join(
        WorkflowRun, col(WorkflowRun.id) == EventDelivery.run_id, isouter=True
    )
    query = query.where(EventDelivery.subscription_id == subscription_id)
    return [
        HeardRow(
            event_id=had.event_id,
            at=had.at,
            run_id=had.run_id or "",
            run_status=str(status or ""),
            reason=had.reason,
        )
        for had, status in session.exec(query.order_by(col(EventDelivery.id).desc()).limit(limit))
    ]


def _deliveries() -> Any:
    query = select(WebhookDelivery, WorkflowRun.status)
    return query.join(WorkflowRun, col(WorkflowRun.id) == WebhookDelivery.run_id, isouter=True)


def _delivery_row(delivery: WebhookDelivery, status: Any) -> DeliveryRow:
    return DeliveryRow(
        id=delivery.id,
        received_at=delivery.received_at,
        method=delivery.method,
        size=delivery.size,
        status=delivery.status,
        reason=delivery.reason,
        detail=delivery.detail,
        delivery_key=delivery.delivery_key or "",
        run_id=delivery.run_id or "",
        run_status=str(status or ""),
        replay_of=delivery.replay_of or "",
        can_replay=delivery.body is not None,
    )


def _event_row(event: Event, had: list[EventDelivery], now: datetime) -> EventRow:
    return EventRow(
        id=event.id,
        type=event.type,
        source=event.source,
        key=event.dedupe_key or "",
        occurred_at=event.occurred_at,
        expires_at=event.expires_at,
        is_alive=event.expires_at > now,
        data=event.data,
        run_ids=[one.run_id for one in had if one.run_id],
        refusals=[one.reason for one in had if one.reason],
    )
