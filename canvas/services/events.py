"""Events: keeping who listens to which, and starting a run for each listener whose filter holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from canvas.domain.errors import Invalid, NotFound, UserError
from canvas.domain.expressions import compile_expression, evaluate_condition
from canvas.domain.states import TriggerType, WorkflowStatus
from canvas.services.definitions import find_workflow
from canvas.services.runs import start_triggered
from canvas.services.schedules import FollowsDefinition
from models import EventSubscription, Workflow

MAX_TYPE_LENGTH = 200


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


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one subscription made of an event: a run, or a reason why there is none."""

    subscription_id: str
    workflow: str
    run_id: str | None
    reason: str | None = None


def create_subscription(session: Session, workflow_name: str, wish: SubscriptionWish) -> str:
    """Let a workflow listen to a type of event; gives the subscription's id.

    Raises:
        WorkflowNotFound: there is no such workflow.
        Invalid: the type is empty or too long, or the filter is no expression.
    """
    subscription = EventSubscription(workflow_id=find_workflow(session, workflow_name).id, event_type="")
    session.add(_shape(subscription, wish))
    session.flush()
    return subscription.id


def change_subscription(session: Session, subscription_id: str, wish: SubscriptionWish) -> None:
    """Give a subscription another shape.

    Raises:
        SubscriptionNotFound: there is no such subscription.
        FollowsDefinition: it belongs to a published version.
        Invalid: as `create_subscription`.
    """
    _shape(_own_subscription(session, subscription_id), wish)


def switch_subscription(session: Session, subscription_id: str, *, enabled: bool) -> None:
    """Switch a subscription on or off.

    Raises:
        SubscriptionNotFound: there is no such subscription.
    """
    _find_subscription(session, subscription_id).enabled = enabled


def delete_subscription(session: Session, subscription_id: str) -> None:
    """Stop listening.

    Raises:
        SubscriptionNotFound: there is no such subscription.
        FollowsDefinition: it belongs to a published version.
    """
    session.delete(_own_subscription(session, subscription_id))


def sync_subscriptions(session: Session, workflow: Workflow, wishes: list[SubscriptionWish]) -> None:
    """Make a workflow's subscriptions those of its published version."""
    kept = session.exec(
        select(EventSubscription).where(
            EventSubscription.workflow_id == workflow.id, col(EventSubscription.is_from_definition).is_(True)
        )
    ).all()
    left = list(kept)
    for wish in wishes:
        row = next((r for r in left if (r.event_type, r.filter) == (wish.event_type, wish.filter)), None)
        if row is None:
            row = EventSubscription(workflow_id=workflow.id, is_from_definition=True, event_type="")
        else:
            left.remove(row)
        session.add(_shape(row, wish))
    for row in left:
        session.delete(row)


def receive_event(
    session: Session, event_type: str, data: Any = None, *, triggered_by: str = "event"
) -> list[Reaction]:
    """Start a run of every workflow that listens to this type and whose filter holds.

    A listener that cannot start does not keep the others from starting: its reaction says why.
    """
    rows = session.exec(
        select(EventSubscription, Workflow)
        .where(EventSubscription.workflow_id == Workflow.id)
        .where(EventSubscription.event_type == event_type, col(EventSubscription.enabled).is_(True))
        .where(Workflow.status == WorkflowStatus.ACTIVE, col(Workflow.published_version).is_not(None))
        .order_by(EventSubscription.id)
    ).all()
    event = {"type": event_type, "data": data}
    reactions = [_react(session, row, workflow, event, triggered_by) for row, workflow in rows]
    return [reaction for reaction in reactions if reaction is not None]


def _react(
    session: Session, row: EventSubscription, workflow: Workflow, event: dict[str, Any], triggered_by: str
) -> Reaction | None:
    try:
        if row.filter and not evaluate_condition(compile_expression(row.filter), {"event": event}):
            return None
        run_id = start_triggered(
            session,
            workflow,
            row.parameters,
            trigger_type=TriggerType.EVENT,
            trigger_data=event,
            triggered_by=triggered_by,
        )
        return Reaction(row.id, workflow.name, run_id)
    except UserError as error:
        return Reaction(row.id, workflow.name, None, f"{error} [{error.code}]")


def _shape(row: EventSubscription, wish: SubscriptionWish) -> EventSubscription:
    if not 0 < len(wish.event_type) <= MAX_TYPE_LENGTH:
        raise Invalid(f"An event's type has 1 to {MAX_TYPE_LENGTH} characters.")
    if wish.filter:
        compile_expression(wish.filter)
    row.event_type, row.filter = wish.event_type, wish.filter or None
    row.parameters, row.enabled = dict(wish.parameters or {}), wish.enabled
    return row


def _find_subscription(session: Session, subscription_id: str) -> EventSubscription:
    row = session.get(EventSubscription, subscription_id)
    if row is None:
        raise SubscriptionNotFound(f"There is no subscription {subscription_id!r}.", subscription_id=subscription_id)
    return row


def _own_subscription(session: Session, subscription_id: str) -> EventSubscription:
    row = _find_subscription(session, subscription_id)
    if row.is_from_definition:
        raise FollowsDefinition("This subscription stands in the workflow's definition; change it there.")
    return row
