"""Schedules, webhooks and event subscriptions as lists."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from canvas.domain.cron_words import cron_in_words, interval_in_words
from canvas.domain.schedules import InvalidSchedule, next_firings
from canvas.services.schedules import find_schedule, timing_of
from canvas.services.webhooks import find_webhook
from models import EventDelivery, EventSubscription, Schedule, ScheduleFire, Webhook, Workflow

_FIRE_TIMES: Final = 5


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule on the triggers page."""

    id: str
    workflow_name: str
    workflow_title: str
    cron: str
    words: str
    timezone: str
    overlap: str
    catch_up: str
    enabled: bool
    is_from_definition: bool
    is_published: bool
    "Whether its workflow has a published version; without one nothing starts."
    last_fire_at: datetime | None
    last_run_id: str
    interval_seconds: float | None
    parameters: dict[str, Any]
    jitter_seconds: float = 0
    is_switched_by_hand: bool = False
    "Whether a person switched it against its definition."
    next_fire_times: list[datetime] = field(default_factory=list)
    "When it fires next, jitter included: five moments in UTC; none while it is off."


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook on the triggers page."""

    id: str
    workflow_name: str
    workflow_title: str
    path: str
    methods: list[str]
    enabled: bool
    is_from_definition: bool
    is_published: bool
    last_called_at: datetime | None
    parameters: dict[str, Any]
    signature: str = "none"
    has_secret: bool = False
    previous_secret_until: datetime | None = None
    "While this lies ahead, the secret before the newest one is taken too."
    respond: str = "at_once"
    respond_timeout_seconds: float = 0
    is_switched_by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRow:
    """One event subscription."""

    id: str
    workflow: str
    event: str
    filter: str | None
    parameters: dict[str, Any]
    enabled: bool
    follows_definition: bool
    workflow_title: str = ""
    is_published: bool = True
    last_heard_at: datetime | None = None
    last_run_id: str = ""
    is_switched_by_hand: bool = False


def schedule_rows(session: Session, *, now: datetime) -> list[ScheduleRow]:
    """List all schedules, the next due first and those that are off last."""
    query = select(Schedule, Workflow).join(Workflow, col(Workflow.id) == Schedule.workflow_id)
    query = query.where(col(Schedule.retired_at).is_(None))
    rows = [_schedule_row(session, schedule, workflow, now) for schedule, workflow in session.exec(query)]
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(rows, key=lambda row: (row.next_fire_times or [never])[0])


def schedule_row(session: Session, schedule_id: str, *, now: datetime) -> ScheduleRow:
    """Give one schedule.

    Raises:
        ScheduleNotFound: There is no such schedule.
    """
    schedule = find_schedule(session, schedule_id)
    return _schedule_row(session, schedule, session.get_one(Workflow, schedule.workflow_id), now)


def webhook_rows(session: Session) -> list[WebhookRow]:
    """List all webhooks by path."""
    query = select(Webhook, Workflow).join(Workflow, col(Workflow.id) == Webhook.workflow_id).order_by(Webhook.path)
    return [_webhook_row(*pair) for pair in session.exec(query.where(col(Webhook.retired_at).is_(None)))]


def webhook_row(session: Session, webhook_id: str) -> WebhookRow:
    """Give one webhook.

    Raises:
        WebhookNotFound: There is no such webhook.
    """
    webhook = find_webhook(session, webhook_id)
    return _webhook_row(webhook, session.get_one(Workflow, webhook.workflow_id))


def subscription_rows(session: Session, *, workflow: str = "") -> list[SubscriptionRow]:
    """List all event subscriptions, or those of one workflow."""
    query = select(EventSubscription, Workflow).where(EventSubscription.workflow_id == Workflow.id)
    query = query.where(col(EventSubscription.retired_at).is_(None))
    query = query.order_by(EventSubscription.event_type, EventSubscription.id)
    if workflow:
        query = query.where(Workflow.name == workflow)
    return [_subscription_row(session, row, owner) for row, owner in session.exec(query).all()]


def _webhook_row(webhook: Webhook, workflow: Workflow) -> WebhookRow:
    return WebhookRow(
        id=webhook.id,
        workflow_name=workflow.name,
        workflow_title=workflow.title or workflow.name,
        path=webhook.path,
        methods=webhook.methods,
        enabled=webhook.enabled,
        is_from_definition=webhook.is_from_definition,
        is_published=workflow.published_version is not None,
        last_called_at=webhook.last_called_at,
        parameters=webhook.parameters,
        signature=webhook.signature.value,
        has_secret=webhook.secret is not None,
        previous_secret_until=webhook.previous_until if webhook.previous_secret else None,
        respond=webhook.respond.value,
        respond_timeout_seconds=webhook.respond_timeout_seconds,
        is_switched_by_hand=webhook.switched is not None,
    )


def _subscription_row(session: Session, row: EventSubscription, workflow: Workflow) -> SubscriptionRow:
    heard = select(EventDelivery).where(EventDelivery.subscription_id == row.id)
    last = session.exec(heard.order_by(col(EventDelivery.id).desc()).limit(1)).first()
    return SubscriptionRow(
        id=row.id,
        workflow=workflow.name,
        event=row.event_type,
        filter=row.filter,
        parameters=row.parameters,
        enabled=row.enabled,
        follows_definition=row.is_from_definition,
        workflow_title=workflow.title or workflow.name,
        is_published=workflow.published_version is not None,
        last_heard_at=last.at if last else None,
        last_run_id=(last.run_id or "") if last else "",
        is_switched_by_hand=row.switched is not None,
    )


def _schedule_row(session: Session, schedule: Schedule, workflow: Workflow, now: datetime) -> ScheduleRow:
    words = cron_in_words(schedule.cron) if schedule.cron else interval_in_words(schedule.interval_seconds or 0)
    fired = select(ScheduleFire.run_id).where(ScheduleFire.schedule_id == schedule.id)
    last_run_id = session.exec(fired.order_by(col(ScheduleFire.fire_at).desc()).limit(1)).first()
    return ScheduleRow(
        id=schedule.id,
        workflow_name=workflow.name,
        workflow_title=workflow.title or workflow.name,
        cron=schedule.cron or "",
        words=words,
        timezone=schedule.timezone,
        overlap=schedule.overlap.value,
        catch_up=schedule.catch_up.value,
        enabled=schedule.enabled,
        is_from_definition=schedule.is_from_definition,
        is_published=workflow.published_version is not None,
        last_fire_at=schedule.last_fire_at,
        last_run_id=last_run_id or "",
        interval_seconds=schedule.interval_seconds,
        parameters=schedule.parameters,
        jitter_seconds=schedule.jitter_seconds,
        is_switched_by_hand=schedule.switched is not None,
        next_fire_times=_next_times(schedule, now) if schedule.enabled else [],
    )


def _next_times(schedule: Schedule, now: datetime) -> list[datetime]:
    try:
        return next_firings(timing_of(schedule), after=now, count=_FIRE_TIMES)
    except InvalidSchedule:
        return []
