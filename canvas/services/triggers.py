"""A workflow's triggers as a whole: on publishing, what the version says takes the place of what was there."""

from datetime import datetime

from sqlmodel import Session

from canvas.domain.definition import Definition, EventTrigger, ScheduleTrigger, Trigger, WebhookTrigger
from canvas.services.schedules import ScheduleWish, sync_schedules
from canvas.services.subscriptions import SubscriptionWish, sync_subscriptions
from canvas.services.webhooks import WebhookWish, sync_webhooks
from models import Workflow


def sync_triggers(session: Session, workflow: Workflow, definition: Definition | None, *, now: datetime) -> None:
    """Make a workflow's triggers those of a definition; None lets all of them rest. Those kept by hand stay.

    Raises:
        WebhookPathTaken: another workflow listens on one of the paths.
        InvalidSchedule: a timing cannot be read.
    """
    triggers: tuple[Trigger, ...] = definition.triggers if definition else ()
    schedules = [
        ScheduleWish(
            cron=t.cron,
            interval_seconds=t.interval_seconds,
            timezone=t.timezone,
            jitter_seconds=t.jitter_seconds,
            parameters=t.parameters,
            overlap=t.overlap,
            catch_up=t.catch_up,
            enabled=t.enabled,
        )
        for t in triggers
        if isinstance(t, ScheduleTrigger)
    ]
    webhooks = [
        WebhookWish(
            path=t.path,
            methods=t.methods,
            parameters=t.parameters,
            signature=t.signature,
            respond=t.respond,
            respond_timeout_seconds=t.respond_timeout_seconds,
            enabled=t.enabled,
        )
        for t in triggers
        if isinstance(t, WebhookTrigger)
    ]
    events = [
        SubscriptionWish(event_type=t.event, filter=t.filter, parameters=t.parameters, enabled=t.enabled)
        for t in triggers
        if isinstance(t, EventTrigger)
    ]
    sync_schedules(session, workflow, schedules, now=now)
    sync_webhooks(session, workflow, webhooks, now=now)
    sync_subscriptions(session, workflow, events, now=now)
