"""Events: every listener whose filter holds starts a run; one that cannot does not keep the others from it."""

import contextlib
from datetime import UTC, datetime, timedelta

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from canvas.domain.errors import Invalid
from canvas.domain.events import MAX_CHAIN
from canvas.services import events, schedules, subscriptions, versions, views
from canvas.services.events import NewEvent
from canvas.services.subscriptions import SubscriptionWish
from models import Event, EventDelivery, EventSubscription, Notification, WorkflowRun

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


def runs_of(session):
    return session.exec(select(WorkflowRun)).all()


def settle(session, now=NOON):
    """Do what the clock does until nothing is left."""
    for _ in range(20):
        session.flush()
        if not events.has_work(session):
            return
        events.dispatch_events(session, now=now)
        events.catch_up(session, now=now)
    raise AssertionError("there is always more to do")


def test_an_event_with_the_same_id_is_the_first_one(session, publish):
    """Of the same type, as long as it is remembered; nothing starts a second time."""
    publish("one", "[{type: event, event: order.created}]")
    first, again, other = (
        events.receive_event(session, NewEvent(type=kind, key="k1"), now=NOON)
        for kind in ("order.created", "order.created", "order.paid")
    )

    assert (first.id, True, ()) == (again.id, again.is_duplicate, again.reactions)
    assert (False, True) == (first.is_duplicate, other.id != first.id)
    assert 1 == len(runs_of(session))


@pytest.mark.parametrize(
    "given",
    [{"type": ""}, {"type": "x" * 201}, {"type": "a", "key": ""}, {"type": "a", "key": "x" * 256},
     {"type": "a", "time_to_live": timedelta(days=31)}, {"type": "a", "time_to_live": timedelta(seconds=-1)}],
)  # fmt: skip
def test_an_impossible_event_is_refused(session, given):
    """Nothing of it is kept."""
    with pytest.raises(Invalid):
        events.receive_event(session, NewEvent(**given), now=NOON)

    assert [] == session.exec(select(Event)).all()


def test_whoever_begins_to_listen_gets_what_is_still_alive(session, publish):
    """Once, in the order it happened, and nothing whose time to live has ended."""
    receive_event(session, "order.created", 1, time_to_live=timedelta(hours=1))
    receive_event(session, "order.created", 2, time_to_live=timedelta(minutes=1))
    receive_event(session, "order.created", 3, now=NOON + timedelta(minutes=1))
    receive_event(session, "order.paid", 4)
    publish("late", '[{type: event, event: order.created, filter: "event.data != 7"}]')
    settle(session, NOON + timedelta(minutes=5))
    settle(session, NOON + timedelta(minutes=6))
    assert [1, 3] == sorted(run.trigger_data["data"] for run in runs_of(session))

    publish("late", '[{type: event, event: order.created, filter: "event.data != 7", parameters: {}}]')
    settle(session, NOON + timedelta(minutes=7))
    assert 2 == len(runs_of(session))


def test_what_happened_while_it_was_off_is_made_up_for(session, publish):
    """As long as it is alive; what it had before is not had again."""
    publish("one", "[{type: event, event: order}]")
    settle(session)
    receive_event(session, "order", 1)
    (row,) = session.exec(select(EventSubscription)).all()
    subscriptions.switch_subscription(session, row.id, enabled=False)
    session.flush()
    assert [] == receive_event(session, "order", 2)

    subscriptions.switch_subscription(session, row.id, enabled=True)
    settle(session)
    assert [1, 2] == sorted(run.trigger_data["data"] for run in runs_of(session))


def test_a_long_past_is_made_up_for_in_parts(session, publish):
    """More events than one transaction takes; a filter that holds back most of them costs no endless round."""
    for number in range(events.BATCH + 30):
        receive_event(session, "tick", number)
    publish("late", '[{type: event, event: tick, filter: "event.data >= 95 && event.data < 110"}]')
    settle(session)

    assert list(range(95, 110)) == sorted(run.trigger_data["data"] for run in runs_of(session))


@given(data=st.data())
@hypothesis.settings(max_examples=30, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_every_listener_has_every_living_event_once(session, publish, data):
    """Whatever is switched, published and sent in whatever order."""
    with contextlib.suppress(Rollback), session.begin_nested():
        publish("one", "[{type: event, event: tick}]")
        session.flush()
        row = session.exec(select(EventSubscription)).one()
        sent = 0
        for move in data.draw(st.lists(st.sampled_from(["send", "off", "on", "publish", "unpublish", "settle"]))):
            if move == "send":
                sent += 1
                receive_event(session, "tick", sent)
            elif move in ("on", "off") and row.retired_at is None:
                subscriptions.switch_subscription(session, row.id, enabled=move == "on")
            elif move == "publish":
                versions.publish_version(session, "one", 1)
            elif move == "unpublish":
                versions.unpublish_workflow(session, "one")
            elif move == "settle":
                settle(session)
        versions.publish_version(session, "one", 1)
        subscriptions.switch_subscription(session, row.id, enabled=True)
        settle(session)
        had = sorted(run.trigger_data["data"] for run in runs_of(session))
        assert list(range(1, sent + 1)) == had
        raise Rollback


class Rollback(Exception):
    """Takes an example back."""


def test_our_own_events_are_kept_only_for_somebody(session, publish):
    """Nothing is written when nobody ever listened; the workflow it is about does not hear of itself."""
    events.emit(session, "task.completed", {"task_id": "t"})
    assert [] == session.exec(select(Event)).all()
    publish("watcher", "[{type: event, event: workflow.published}]")
    assert [] == runs_of(session)
    publish("other")

    (run,) = runs_of(session)
    assert ("watcher", "workflow:other", "other") == (
        run.workflow_name,
        run.triggered_by,
        run.trigger_data["data"]["workflow"],
    )


def test_a_circle_of_events_ends(session, publish):
    """Runs that start each other stop after a bounded number of times, and people are told."""
    publish("one", "[{type: event, event: ping}]")
    events.emit(session, "ping", None, depth=MAX_CHAIN)
    events.emit(session, "ping", None, depth=MAX_CHAIN + 1)

    (run,) = runs_of(session)
    assert MAX_CHAIN == run.depth
    assert "circle" in session.exec(select(Notification)).one().title
    assert ["", "event_chain_too_long"] == [
        row.reason.rpartition("[")[2].rstrip("]") for row in session.exec(select(EventDelivery)).all()
    ]


def test_events_are_forgotten_in_time(session, publish):
    """A day after their end, with what was noted of them; the runs stay."""
    publish("one", "[{type: event, event: tick}]")
    receive_event(session, "tick", 1, time_to_live=timedelta(0))
    receive_event(session, "tick", 2, time_to_live=timedelta(hours=1))
    assert 0 == events.prune_events(session, now=NOON + timedelta(hours=24))
    assert 1 == events.prune_events(session, now=NOON + timedelta(hours=24, minutes=1))

    assert [2] == [event.data for event in session.exec(select(Event)).all()]
    assert (1, 2) == (len(session.exec(select(EventDelivery)).all()), len(runs_of(session)))


def test_events_are_listed_with_what_they_started(session, publish):
    """The newest first, with runs and refusals; and by subscription."""
    publish("one", '[{type: event, event: tick, filter: "event.data.n > 0"}]')
    receive_event(session, "tick", {"n": 1}, key="k")
    receive_event(session, "tick", {})
    good, broken = sorted(views.event_rows(session, now=NOON + timedelta(hours=2)), key=lambda row: not row.key)
    (row,) = views.subscription_rows(session)
    heard = views.heard_rows(session, row.id)

    assert ("k", [runs_of(session)[0].id], [], False) == (good.key, good.run_ids, good.refusals, good.is_alive)
    assert "expression_missing" in broken.refusals[0]
    assert [("", True), ("pending", False)] == [(one.run_status, bool(one.reason)) for one in heard]
    assert (NOON, "", ["tick"]) == (
        row.last_heard_at,
        row.last_run_id,
        [*{one.type for one in views.event_rows(session, now=NOON, event_type="tick")}],
    )


def test_what_happened_while_it_rested_is_made_up_for(session, publish):
    """A workflow that is published again gets what was sent while it was not, once."""
    publish("one", "[{type: event, event: tick}]")
    settle(session)
    versions.unpublish_workflow(session, "one")
    session.flush()
    assert [] == receive_event(session, "tick", 1)
    versions.publish_version(session, "one", 1)
    settle(session)

    assert [1] == [run.trigger_data["data"] for run in runs_of(session)]
