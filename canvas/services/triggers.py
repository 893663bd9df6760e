"""A workflow's triggers as a whole: on publishing, what the version says takes the place of what was there."""

from datetime import datetime

from sqlmodel import Session

from canvas.domain.definition import Definition, EventTrigger, ScheduleTrigger, Trigger, WebhookTrigger
from canvas.services.events import SubscriptionWish, receive_event, sync_subscriptions
from canvas.services.schedules import ScheduleWish, fire_due, sync_schedules
from canvas.services.webhooks import WebhookWish, receive_webhook, sync_webhooks
from models import Workflow

__all__ = ["fire_due", "receive_event", "receive_webhook", "sync_triggers"]


def sync_triggers(session: Session, workflow: Workflow, definition: Definition | None, *, now: datetime) -> None:
    """Make a workflow's triggers those of a definition; None takes all of them away. Those kept by hand stay.

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
            parameters=t.parameters,
            overlap=t.overlap,
            catch_up=t.catch_up,
            enabled=t.enabled,
        )
        for t in triggers
        if isinstance(t, ScheduleTrigger)
    ]
    webhooks = [
        WebhookWish(path=t.path, methods=t.methods, parameters=t.parameters, enabled=t.enabled)
        for t in triggers
        if isinstance(t, WebhookTrigger)
    ]
    events = [
        SubscriptionWish(event_type=t.event, filter=t.filter, parameters=t.parameters, enabled=t.enabled)
        for t in triggers
        if isinstance(t, EventTrigger)
    ]
    sync_schedules(session, workflow, schedules, now=now)
    sync_webhooks(session, workflow, webhooks)
    sync_subscriptions(session, workflow, events)
