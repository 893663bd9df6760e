"""Triggers on SQLite and on PostgreSQL: what starts runs does the same on both, also when two do it at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from canvas import db
from canvas.services import (
    backfill,
    deliveries,
    events,
    migrations,
    retention,
    schedules,
    subscriptions,
    views,
    webhooks,
    workflows,
)
from canvas.services.deliveries import Call
from canvas.services.events import NewEvent
from canvas.vault import Vault
from models import Schedule, WorkflowRun
from tests.migrations.conftest import empty, postgres

__all__ = ["empty", "postgres"]

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
WORKFLOW = """
dsl: canvas/v1
name: tick
triggers:
  - {type: schedule, cron: "0 * * * *", jitter_seconds: 30}
  - {type: webhook, path: go, signature: token, respond: result}
  - {type: event, event: order.created, filter: "event.data.n > 0"}
steps: [{name: note, type: action, action: log/event, parameters: {message: hi}}]
"""


@pytest.fixture
def both(empty):
    """A database of each kind with a published workflow that has one trigger of each kind."""
    migrations.upgrade(empty)
    with db.transaction(empty) as session:
        workflows.import_workflow(session, WORKFLOW, publish=True)
    return empty


def count(settings) -> int:
    with db.reading(settings) as session:
        return len(session.exec(select(WorkflowRun.id)).all())


def at_once(work, times=6) -> list:
    """Do the same several times at the same moment."""
    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(work) for _ in range(times)]]


def test_a_due_time_is_fired_once(both):
    """By several processes at once, and by backfills beside them."""
    with db.transaction(both) as session:
        schedule = session.exec(select(Schedule)).one()
        schedule.anchor_at, schedule.last_fire_at, schedule.next_fire_at = NOON, NOON, NOON + timedelta(hours=1)
        key = schedule.id
    now = NOON + timedelta(hours=3, minutes=5)

    def fire() -> None:
        with db.transaction(both) as session:
            schedules.fire_due(session, now=now, since=NOON)

    def fill() -> None:
        with db.transaction(both) as session:
            backfill.backfill(session, key, start=NOON + timedelta(hours=1), end=now, now=now)

    at_once(fire)
    at_once(fill)
    assert 3 == count(both)
    with db.transaction(both) as session:
        assert {"started"} == {row.outcome for row in views.fire_rows(session, key)}
        retention.prune_triggers(session, now=now + timedelta(days=365))


def test_a_delivery_is_taken_once(both):
    """Although it comes several times at the same moment; what was refused and what was taken is listed."""
    vault = Vault(both)
    with db.transaction(both) as session:
        (row,) = views.webhook_rows(session)
        secret = webhooks.rotate_secret(session, row.id, vault=vault, now=NOON)
    headers = {"webhook-id": "d1", "authorization": f"Bearer {secret}"}
    call = Call(method="POST", path="go", query={}, headers=headers, content=b'{"n": 1}')

    def take() -> str:
        with db.transaction(both) as session:
            return deliveries.receive_webhook(session, call, vault=vault, now=NOON).run_id

    assert 1 == len(set(at_once(take))) == count(both)
    with db.transaction(both) as session:
        error = deliveries.SecretMissing("none")
        deliveries.note_refusal(session, call, error, status=409, now=NOON)
    with db.transaction(both) as session:
        rows = views.delivery_rows(session, row.id)
        assert (7, 1) == (len(rows), sum(one.reason == "secret_missing" for one in rows))
        again = next(one.id for one in rows if one.run_id)
        assert views.delivery_detail(session, again).body == '{"n": 1}'
        deliveries.replay_delivery(session, again, now=NOON)
        assert 8 == deliveries.prune_deliveries(session, now=NOON + timedelta(days=31)) - 1
    assert 2 == count(both)


def test_an_event_is_had_once(both):
    """Sent several times at once with one id, and by whoever begins to listen later."""

    def send() -> bool:
        with db.transaction(both) as session:
            new = NewEvent(type="order.created", data={"n": 1}, key="k1")
            return events.receive_event(session, new, now=NOON).is_duplicate

    assert [False] + [True] * 5 == sorted(at_once(send))
    assert 1 == count(both)
    with db.transaction(both) as session:
        (row,) = views.subscription_rows(session)
        subscriptions.switch_subscription(session, row.id, enabled=False)
        events.receive_event(session, NewEvent(type="order.created", data={"n": 2}), now=NOON)
        subscriptions.switch_subscription(session, row.id, enabled=True)

    def tell() -> None:
        with db.transaction(both) as session:
            events.dispatch_events(session, now=NOON)
            events.catch_up(session, now=NOON)

    at_once(tell, 4)
    assert 2 == count(both)
    with db.transaction(both) as session:
        assert not events.has_work(session)
        assert 2 == len(views.heard_rows(session, row.id)) == len(views.event_rows(session, now=NOON))
        assert 2 == events.prune_events(session, now=NOON + timedelta(days=3))


def test_a_switch_outlives_a_version(both):
    """On both databases the trigger rests and comes back as it was."""
    with db.transaction(both) as session:
        (row,) = views.webhook_rows(session)
        webhooks.switch_webhook(session, row.id, enabled=False)
        workflows.archive_workflow(session, "tick")
    with db.transaction(both) as session:
        assert [] == views.webhook_rows(session)
        workflows.restore_workflow(session, "tick")
    with db.reading(both) as session:
        (after,) = views.webhook_rows(session)

    assert (row.id, False, True) == (after.id, after.enabled, after.is_switched_by_hand)
