"""A person's switch and what a definition says are kept apart: publishing takes nothing of it back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from canvas.services import schedules, subscriptions, versions, views, webhooks, workflows
from canvas.services.switches import declare, put, retire, switch
from canvas.vault import Vault
from models import EventSubscription, Schedule, Webhook
from tests.services.test_schedules import NOON

KINDS = [
    pytest.param(
        Schedule,
        lambda session, key, enabled: schedules.switch_schedule(session, key, enabled=enabled, now=NOON),
        'type: schedule, cron: "0 * * * *"',
        id="schedule",
    ),
    pytest.param(
        Webhook,
        lambda session, key, enabled: webhooks.switch_webhook(session, key, enabled=enabled),
        "type: webhook, path: go",
        id="webhook",
    ),
    pytest.param(
        EventSubscription,
        lambda session, key, enabled: subscriptions.switch_subscription(session, key, enabled=enabled),
        "type: event, event: order.created",
        id="subscription",
    ),
]


def only(session, model):
    session.flush()
    return session.exec(select(model).where(col(model.retired_at).is_(None))).one()


@pytest.mark.parametrize(("model", "flip", "trigger"), KINDS)
def test_publishing_leaves_off_what_a_person_switched_off(session, publish, model, flip, trigger):
    """Whether the version says nothing of it, says `enabled: true`, or has something else changed."""
    publish("tick", f"[{{{trigger}}}]")
    flip(session, only(session, model).id, False)
    for text in (f"[{{{trigger}, enabled: true}}]", f"[{{{trigger}, parameters: {{}}}}]", f"[{{{trigger}}}]"):
        publish("tick", text)
        assert not only(session, model).enabled

    flip(session, only(session, model).id, True)
    publish("tick", f"[{{{trigger}}}]")
    assert only(session, model).enabled


@pytest.mark.parametrize(("model", "flip", "trigger"), KINDS)
def test_publishing_leaves_on_what_a_person_switched_on(session, publish, model, flip, trigger):
    """Although the version says `enabled: false`; once it says on by itself, it decides again."""
    publish("tick", f"[{{{trigger}, enabled: false}}]")
    assert not only(session, model).enabled
    flip(session, only(session, model).id, True)
    publish("tick", f"[{{{trigger}, enabled: false, parameters: {{}}}}]")
    assert only(session, model).enabled

    publish("tick", f"[{{{trigger}, enabled: true}}]")
    publish("tick", f"[{{{trigger}, enabled: false}}]")
    assert not only(session, model).enabled


@pytest.mark.parametrize(("model", "flip", "trigger"), KINDS)
def test_unpublishing_and_rolling_back_forget_nothing(session, publish, model, flip, trigger):
    """The switch is still there when the trigger comes back; until then nothing listens and nothing is listed."""
    publish("tick", f"[{{{trigger}}}]")
    before = only(session, model).id
    flip(session, before, False)
    publish("tick", "[]")
    assert [] == [
        *views.schedule_rows(session, now=NOON),
        *views.webhook_rows(session),
        *views.subscription_rows(session),
    ]
    versions.publish_version(session, "tick", 1)
    assert (before, False) == (only(session, model).id, only(session, model).enabled)
    versions.unpublish_workflow(session, "tick")
    versions.publish_version(session, "tick", 1)
    workflows.archive_workflow(session, "tick")
    workflows.restore_workflow(session, "tick")
    assert (before, False) == (only(session, model).id, only(session, model).enabled)


def test_a_schedule_whose_time_is_changed_stays_off(session, publish):
    """To the person who switched it off it is the same schedule."""
    publish("tick", '[{type: schedule, cron: "0 2 * * *"}]')
    schedules.switch_schedule(session, only(session, Schedule).id, enabled=False, now=NOON)
    publish("tick", '[{type: schedule, cron: "0 3 * * *"}]')

    assert ("0 3 * * *", False) == (only(session, Schedule).cron, only(session, Schedule).enabled)


def test_a_webhook_keeps_its_secret_over_a_roll_back(session, publish, settings):
    """Senders need not be told a new one because a version without the webhook was published for a while."""
    publish("tick", "[{type: webhook, path: go, signature: token}]")
    vault = Vault(settings)
    secret = webhooks.rotate_secret(session, only(session, Webhook).id, vault=vault, now=NOON)
    publish("tick", "[]")
    versions.publish_version(session, "tick", 1)

    assert [secret] == webhooks.secrets_of(only(session, Webhook), vault=vault, now=NOON)


def test_a_path_that_rests_is_free_for_others(session, publish):
    """Until its own workflow wants it back, which is then refused."""
    publish("first", "[{type: webhook, path: go}]")
    publish("first", "[]")
    publish("second", "[{type: webhook, path: go}]")

    with pytest.raises(webhooks.WebhookPathTaken):
        versions.publish_version(session, "first", 1)


@given(st.lists(st.one_of(st.booleans().map(lambda on: ("person", on)), st.booleans().map(lambda on: ("text", on)))))
def test_a_person_who_switched_off_is_right_until_they_switch_on(words):
    """Whatever versions say in between, and however often the trigger rests."""
    row = Schedule(workflow_id="w", anchor_at=NOON)
    put(row, enabled=True)
    said_off = False
    for who, enabled in words:
        if who == "person":
            switch(row, enabled=enabled)
            said_off = not enabled
            assert enabled == row.enabled
        else:
            retire(row, now=NOON)
            assert not row.enabled
            declare(row, enabled=enabled)
            assert row.enabled or said_off or not enabled
        if said_off:
            assert not row.enabled
