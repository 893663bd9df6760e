"""Event subscriptions: keeping who listens to which events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from canvas.domain.errors import Invalid, NotFound
from canvas.domain.events import MAX_TYPE_LENGTH
from canvas.domain.expressions import compile_expression
from canvas.services.definitions import find_workflow
from canvas.services.schedules import FollowsDefinition
from canvas.services.switches import declare, is_left_off, put, retire, switch
from models import EventSubscription, Workflow

FROM_THE_START = ""
"Where a subscription that begins to listen stands among the events that happened before."


class SubscriptionNotFound(NotFound):
    """There is no such event subscription."""

    code = "subscription_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionWish:
    """What a subscription is to be. `filter` is a condition over `event`; `parameters` are templates over `trigger`."""

    event_type: str
    filter: str | None = None
    parameters: Mapping[str, Any] | None = None
    enabled: bool = True


def create_subscription(session: Session, workflow_name: str, wish: SubscriptionWish) -> str:
    """Let a workflow listen to a type of event; gives the subscription's id.

    It soon gets the events of this type that happened before and whose time to live has not ended.

    Raises:
        WorkflowNotFound: there is no such workflow.
        Invalid: the type is empty or too long, or the filter is no expression.
    """
    row = EventSubscription(workflow_id=find_workflow(session, workflow_name).id, event_type="", enabled=False)
    session.add(_shape(row, wish))
    put(row, enabled=wish.enabled)
    session.flush()
    return row.id


def change_subscription(session: Session, subscription_id: str, wish: SubscriptionWish) -> None:
    """Give a subscription another shape.

    Raises:
        SubscriptionNotFound: there is no such subscription.
        FollowsDefinition: it belongs to a published version.
        Invalid: as `create_subscription`.
    """
    row = _own_subscription(session, subscription_id)
    _shape(row, wish)
    put(row, enabled=wish.enabled)


def switch_subscription(session: Session, subscription_id: str, *, enabled: bool) -> None:
    """Switch a subscription on or off; switched on, it gets what it has missed and what is still alive.

    Raises:
        SubscriptionNotFound: there is no such subscription.
    """
    row = find_subscription(session, subscription_id)
    if enabled and not row.enabled:
        row.behind_after = FROM_THE_START
    switch(row, enabled=enabled)


def delete_subscription(session: Session, subscription_id: str) -> None:
    """Stop listening.

    Raises:
        SubscriptionNotFound: there is no such subscription.
        FollowsDefinition: it belongs to a published version.
    """
    session.delete(_own_subscription(session, subscription_id))


def sync_subscriptions(session: Session, workflow: Workflow, wishes: list[SubscriptionWish], *, now: datetime) -> None:
    """Make a workflow's subscriptions those of its published version; what a person switched off stays off."""
    kept = session.exec(
        select(EventSubscription)
        .where(EventSubscription.workflow_id == workflow.id, col(EventSubscription.is_from_definition).is_(True))
        .order_by(col(EventSubscription.retired_at).is_not(None), EventSubscription.id)
    ).all()
    left = list(kept)
    pairs = [(wish, _take_same(left, wish)) for wish in wishes]
    is_off = is_left_off(left)
    for wish, known in pairs:
        row = known or EventSubscription(workflow_id=workflow.id, is_from_definition=True, event_type="", enabled=False)
        if known is None and is_off:
            row.switched = False
        session.add(_shape(row, wish))
        declare(row, enabled=wish.enabled)
    for row in left:
        retire(row, now=now)


def find_subscription(session: Session, subscription_id: str) -> EventSubscription:
    """Load a subscription.

    Raises:
        SubscriptionNotFound: there is no such subscription.
    """
    row = session.get(EventSubscription, subscription_id)
    if row is None or row.retired_at is not None:
        raise SubscriptionNotFound(f"There is no subscription {subscription_id!r}.", subscription_id=subscription_id)
    return row


def _take_same(left: list[EventSubscription], wish: SubscriptionWish) -> EventSubscription | None:
    wanted = (wish.event_type, wish.filter or None)
    same = next((row for row in left if (row.event_type, row.filter) == wanted), None)
    if same is not None:
        left.remove(same)
    return same


def _shape(row: EventSubscription, wish: SubscriptionWish) -> EventSubscription:
    if not 0 < len(wish.event_type) <= MAX_TYPE_LENGTH:
        raise Invalid(f"An event's type has 1 to {MAX_TYPE_LENGTH} characters.")
    if wish.filter:
        compile_expression(wish.filter)
    begins = not row.enabled and wish.enabled
    if begins or (row.event_type, row.filter) != (wish.event_type, wish.filter or None):
        row.behind_after = FROM_THE_START
    row.event_type, row.filter = wish.event_type, wish.filter or None
    row.parameters = dict(wish.parameters or {})
    return row


def _own_subscription(session: Session, subscription_id: str) -> EventSubscription:
    row = find_subscription(session, subscription_id)
    if row.is_from_definition:
        raise FollowsDefinition("This subscription stands in the workflow's definition; change it there.")
    return row
