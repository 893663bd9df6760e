"""Schedules, webhooks and event subscriptions as lists."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from canvas.domain.cron_words import cron_in_words, interval_in_words
from canvas.domain.schedules import InvalidSchedule, next_fire_times
from canvas.services.schedules import find_schedule, timing_of
from models import EventSubscription, Schedule, ScheduleFire, Webhook, Workflow

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
    next_fire_times: list[datetime] = field(default_factory=list)
    "The next five, in UTC; none while it is off."


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


def schedule_rows(session: Session, *, now: datetime) -> list[ScheduleRow]:
    """List all schedules, the next due first and those that are off last."""
    query = select(Schedule, Workflow).join(Workflow, col(Workflow.id) == Schedule.workflow_id)
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
    return [
        WebhookRow(
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
        )
        for webhook, workflow in session.exec(query)
    ]


def subscription_rows(session: Session, *, workflow: str = "") -> list[SubscriptionRow]:
    """List all event subscriptions, or those of one workflow."""
    query = select(EventSubscription, Workflow.name).where(EventSubscription.workflow_id == Workflow.id)
    query = query.order_by(EventSubscription.event_type, EventSubscription.id)
    if workflow:
        query = query.where(Workflow.name == workflow)
    return [
        SubscriptionRow(
            id=row.id,
            workflow=name,
            event=row.event_type,
            filter=row.filter,
            parameters=row.parameters,
            enabled=row.enabled,
            follows_definition=row.is_from_definition,
        )
        for row, name in session.exec(query).all()
    ]


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
        next_fire_times=_next_times(schedule, now) if schedule.enabled else [],
    )


def _next_times(schedule: Schedule, now: datetime) -> list[datetime]:
    try:
        return next_fire_times(timing_of(schedule), after=now, count=_FIRE_TIMES)
    except InvalidSchedule:
        return []
