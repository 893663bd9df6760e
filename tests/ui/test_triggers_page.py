"""The triggers page."""

import pytest

from canvas import db
from canvas.services import workflows
from canvas.settings import Settings
from canvas.ui.pages.triggers import TriggersState

DEFINITION = """
dsl: canvas/v1
name: nightly
triggers:
  - {type: schedule, cron: "0 2 * * *", timezone: Europe/Paris}
  - {type: webhook, path: go, methods: [POST]}
steps:
  - {name: remember, type: set, values: {a: "1"}}
"""


@pytest.fixture
def nightly(database: Settings) -> None:
    """A published workflow with a schedule and a webhook."""
    with db.transaction(database) as session:
        workflows.import_workflow(session, DEFINITION, publish=True)


def test_schedules_and_webhooks_are_listed(tab, nightly):
    """In words, with the next five times; webhooks with their path."""
    state, _ = tab((TriggersState.load, {}))

    (schedule,), (webhook,) = state.schedules, state.webhooks
    assert ("every day at 02:00", 5, True) == (schedule.words, len(schedule.next_fire_times), schedule.is_published)
    assert ("go", ["POST"]) == (webhook.path, webhook.methods)


def test_switches_switch(tab, nightly):
    """Off and on again; what is off has no next times."""
    shown, _ = tab((TriggersState.load, {}))
    schedule, webhook = shown.schedules[0].id, shown.webhooks[0].id

    off, _ = tab(
        (TriggersState.switch_schedule, {"schedule_id": schedule, "enabled": False}),
        (TriggersState.switch_webhook, {"webhook_id": webhook, "enabled": False}),
    )
    on, _ = tab((TriggersState.switch_schedule, {"schedule_id": schedule, "enabled": True}))

    assert ([], False) == (off.schedules[0].next_fire_times, off.webhooks[0].enabled)
    assert (5, True) == (len(on.schedules[0].next_fire_times), on.schedules[0].enabled)


def test_what_is_gone_is_said(tab, nightly):
    """A page that was open too long gets a sentence, not a crash."""
    _, browser = tab((TriggersState.switch_schedule, {"schedule_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "enabled": True}))

    assert "no schedule" in browser.was_told()
