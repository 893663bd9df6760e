"""Events: every listener whose filter holds starts a run; one that cannot does not keep the others from it."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from canvas.domain.errors import Invalid
from canvas.services import events, schedules, subscriptions
from canvas.services.events import NewEvent
from canvas.services.subscriptions import SubscriptionWish
from models import EventSubscription, WorkflowRun

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def receive_event(session, event_type, data=None, now=NOON, **given):
    """Take in an event; gives the reactions."""
    return list(events.receive_event(session, NewEvent(type=event_type, data=data, **given), now=now).reactions)


def test_listeners_of_the_type_start(session, publish):
    """And no others; the run sees the event."""
    publish("one", "[{type: event, event: order.created}]")
    publish("two", "[{type: event, event: order.created}]")
    publish("three", "[{type: event, event: order.paid}]")
    reactions = receive_event(session, "order.created", {"total": 5})

    runs = session.exec(select(WorkflowRun)).all()
    assert {"one", "two"} == {reaction.workflow for reaction in reactions} == {run.workflow_name for run in runs}
    told = runs[0].trigger_data
    assert ("order.created", {"total": 5}, NOON.isoformat()) == (told["type"], told["data"], told["occurred_at"])
    assert [] == receive_event(session, "order.nothing")


def test_the_filter_decides(session, publish):
    """A condition over the event; one that cannot be decided is told as a reason."""
    publish("large", '[{type: event, event: order, filter: "event.data.total > 100"}]')

    assert [] == receive_event(session, "order", {"total": 100})
    assert receive_event(session, "order", {"total": 101})[0].run_id
    (reaction,) = receive_event(session, "order", {})
    assert reaction.run_id is None
    assert "expression_missing" in reaction.reason


def test_one_listener_that_cannot_start_leaves_the_others_alone(session, publish):
    """Its reaction says why."""
    publish(
        "bad", '[{type: event, event: order, parameters: {n: "{{ trigger.data.data.n }}"}}]', "{n: {type: integer}}"
    )
    publish("good", "[{type: event, event: order}]")
    reactions = {r.workflow: r for r in receive_event(session, "order", {"n": "text"})}

    assert (None, True) == (reactions["bad"].run_id, bool(reactions["good"].run_id))
    assert ["good"] == [run.workflow_name for run in session.exec(select(WorkflowRun)).all()]


def test_subscriptions_kept_by_hand(session, publish):
    """They can be changed, switched and forgotten; those of the definition only there."""
    publish("listener", "[{type: event, event: fixed}]")
    own = subscriptions.create_subscription(session, "listener", SubscriptionWish(event_type="mine"))
    subscriptions.change_subscription(session, own, SubscriptionWish(event_type="changed"))
    session.flush()
    assert 1 == len(receive_event(session, "changed"))

    subscriptions.switch_subscription(session, own, enabled=False)
    session.flush()
    assert [] == receive_event(session, "changed")
    subscriptions.delete_subscription(session, own)
    session.flush()
    (fixed,) = session.exec(select(EventSubscription)).all()
    with pytest.raises(schedules.FollowsDefinition):
        subscriptions.delete_subscription(session, fixed.id)


@pytest.mark.parametrize("wish", [{"event_type": ""}, {"event_type": "x" * 201}, {"event_type": "a", "filter": "1 +"}])
def test_what_cannot_be_listened_to_is_refused(session, publish, wish):
    """An event has a type, and a filter is an expression."""
    publish("listener")
    with pytest.raises(Invalid):
        subscriptions.create_subscription(session, "listener", SubscriptionWish(**wish))
