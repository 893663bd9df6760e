"""The triggers page."""

import os
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from canvas import db
from canvas.domain.signatures import check_standard, check_token
from canvas.services import webhooks, workflows
from canvas.settings import Settings
from canvas.ui.triggers.backfill import BackfillState
from canvas.ui.triggers.curl import curl_example
from canvas.ui.triggers.event_dialog import EventDialogState
from canvas.ui.triggers.form import TriggerFormState
from canvas.ui.triggers.state import ShownTrigger, TriggersState

DEFINITION = """
dsl: canvas/v1
name: nightly
title: Nightly
parameters:
  who: {type: string, default: nobody}
triggers:
  - {type: schedule, cron: "0 2 * * *", timezone: Europe/Paris}
  - {type: webhook, path: go, methods: [POST], signature: standard}
  - {type: event, event: order.created, filter: "event.data.total > 10"}
steps:
  - {name: remember, type: set, values: {a: "1"}}
"""


@pytest.fixture
def nightly(database: Settings) -> None:
    """A published workflow with a schedule, a webhook and an event trigger."""
    with db.transaction(database) as session:
        workflows.import_workflow(session, DEFINITION, publish=True)


def shown(tab, kind: str):
    """Open the page at the first trigger of a kind; gives the detail's state."""
    listed, _ = tab((TriggersState.load, {}))
    (row,) = [row for row in listed.rows if row.kind == kind]
    state, _ = tab((ShownTrigger.open, {}), path=f"/triggers?kind={kind}&id={row.id}")
    return state


def test_all_kinds_stand_in_one_list(tab, nightly):
    """In plain words, with when they are due and what they need."""
    state, _ = tab((TriggersState.load, {}))

    assert [
        ("schedule", "every day at 02:00", "0 2 * * * · Europe/Paris", "Nightly", True),
        ("webhook", "POST /api/hooks/go", "signed", "Nightly", True),
        ("event", "order.created", "if event.data.total > 10", "Nightly", True),
    ] == [(row.kind, row.what, row.detail, row.workflow_title, row.enabled) for row in state.rows]
    assert [True, False, False] == [row.next_at is not None for row in state.rows]


@pytest.mark.parametrize(
    ("narrowing", "expected"),
    [
        ((TriggersState.narrow, {"name": "kind", "value": "webhook"}), ["webhook"]),
        ((TriggersState.narrow, {"name": "standing", "value": "off"}), []),
        ((TriggersState.narrow, {"name": "standing", "value": "on"}), ["schedule", "webhook", "event"]),
        ((TriggersState.search, {"text": "nightly ORDER"}), ["event"]),
    ],
)
def test_the_list_is_narrowed(tab, nightly, narrowing, expected):
    """By kind, by standing, and by words of the trigger or its workflow."""
    state, _ = tab((TriggersState.load, {}), narrowing)

    assert (expected, 3) == ([row.kind for row in state.rows], state.total)


@pytest.mark.parametrize("kind", ["schedule", "webhook", "event"])
def test_switches_switch(tab, nightly, kind):
    """Off and on again; what is off has no next time."""
    listed, _ = tab((TriggersState.load, {}))
    (row,) = [row for row in listed.rows if row.kind == kind]
    turn = {"kind": kind, "trigger_id": row.id}

    off, _ = tab((TriggersState.turn, {**turn, "enabled": False}), (TriggersState.refresh, {}))
    on, _ = tab((TriggersState.turn, {**turn, "enabled": True}), (TriggersState.refresh, {}))

    found = [next(row for row in state.rows if row.kind == kind) for state in (off, on)]
    assert ([False, True], None) == ([row.enabled for row in found], found[0].next_at)


def test_what_is_gone_is_said(tab, nightly):
    """A page that was open too long gets a sentence, not a crash."""
    gone = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    _, browser = tab((TriggersState.turn, {"kind": "schedule", "trigger_id": gone, "enabled": True}))
    state, _ = tab((ShownTrigger.open, {}), path=f"/triggers?kind=webhook&id={gone}")

    assert "no schedule" in browser.was_told()
    assert ([], "") == (state.webhooks, state.trigger_id)


def test_a_schedule_shows_its_next_five_times(tab, nightly):
    """And makes up for a window, telling first how many runs that is."""
    state = shown(tab, "schedule")
    (row,) = state.schedules
    opened, _ = tab((BackfillState.begin, {"schedule_id": row.id}))
    three_days = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    wider, _ = tab(
        (BackfillState.begin, {"schedule_id": row.id}), (BackfillState.put, {"name": "start", "value": three_days})
    )
    _, browser = tab(
        (BackfillState.begin, {"schedule_id": row.id}),
        (BackfillState.put, {"name": "start", "value": three_days}),
        (BackfillState.fire, {}),
    )
    again, _ = tab((BackfillState.begin, {"schedule_id": row.id}))

    assert ("Europe/Paris", 5) == (row.timezone, len(row.next_fire_times))
    assert (1, 3, 0) == (opened.count, wider.count, again.count)
    assert "3 started" in browser.was_told()


@pytest.mark.parametrize(("start", "said"), [("", "a beginning and an end"), ("2001-01-01T00:00", "at most")])
def test_an_impossible_window_is_explained(tab, nightly, start, said):
    """Under the fields, with nothing to start."""
    (row,) = shown(tab, "schedule").schedules

    state, _ = tab(
        (BackfillState.begin, {"schedule_id": row.id}), (BackfillState.put, {"name": "start", "value": start})
    )

    assert (0, True) == (state.count, said in state.problem)


def test_a_secret_is_shown_once(tab, nightly, database):
    """It signs what the webhook takes; closing the dialog forgets it."""
    listed, _ = tab((TriggersState.load, {}))
    hook = next(row for row in listed.rows if row.kind == "webhook")
    path = f"/triggers?kind=webhook&id={hook.id}"

    made, _ = tab((ShownTrigger.open, {}), (ShownTrigger.rotate, {}), path=path)
    closed, _ = tab((ShownTrigger.open, {}), (ShownTrigger.rotate, {}), (ShownTrigger.forget_secret, {}), path=path)

    assert made.secret.startswith("whsec_")
    assert (True, "") == (closed.webhooks[0].has_secret, closed.secret)
    with db.reading(database) as session:
        assert made.secret not in str(webhooks.find_webhook(session, hook.id))


def test_a_test_event_tells_what_it_started(tab, nightly):
    """The run of each listener; a filter that does not hold starts nothing; what is no JSON is told."""
    begin = (EventDialogState.begin, {"event_type": "order.created"})
    fits, _ = tab(begin, (EventDialogState.write, {"data": '{"total": 11, "who": "Ada"}'}), (EventDialogState.send, {}))
    small, _ = tab(begin, (EventDialogState.write, {"data": '{"total": 1, "who": "x"}'}), (EventDialogState.send, {}))
    bad, _ = tab(begin, (EventDialogState.write, {"data": "{"}), (EventDialogState.send, {}))
    known, _ = tab((EventDialogState.begin, {"event_type": "run.failed"}))

    assert [("nightly", True)] == [(one.workflow, bool(one.run_id)) for one in fits.reactions]
    assert (True, []) == (small.is_sent, small.reactions)
    assert (False, True) == (bad.is_sent, "no JSON" in bad.problem)
    assert '"error"' in known.data


@pytest.mark.parametrize(
    ("kind", "fields", "what"),
    [
        ("schedule", {"cron": "0 8 * * 1", "timezone": "Europe/Paris"}, "at 08:00 on Monday"),
        ("schedule", {"cron": "", "interval": "600"}, "every 10 minutes"),
        ("webhook", {"path": "orders", "methods": "post, put"}, "POST PUT /api/hooks/orders"),
        ("event", {"event": "order.paid", "filter": "event.data.total > 1"}, "order.paid"),
    ],
)
def test_triggers_are_kept_by_hand(tab, nightly, kind, fields, what):
    """Made in a dialog, changed in the same one, deleted after asking."""
    filled = [(TriggerFormState.put, {"name": name, "value": value}) for name, value in fields.items()]
    _, browser = tab((TriggerFormState.begin, {"kind": kind}), *filled, (TriggerFormState.save, {}))
    (address,) = browser.went_to()
    listed, _ = tab((TriggersState.load, {}))
    (row,) = [row for row in listed.rows if not row.is_from_definition]
    change = (TriggerFormState.change, {"kind": kind, "trigger_id": row.id})
    opened, _ = tab(change)
    tab(change, (TriggerFormState.put, {"name": "parameters", "value": '{"who": "Ada"}'}), (TriggerFormState.save, {}))
    tab((ShownTrigger.open, {}), (ShownTrigger.delete, {}), path=address)
    after, _ = tab((TriggersState.load, {}))

    assert (what, True) == (row.what, address.endswith(row.id))
    assert fields.items() <= {**opened.fields, "methods": "post, put"}.items()
    assert all(row.is_from_definition for row in after.rows)


@pytest.mark.parametrize(
    ("kind", "name", "value", "said"),
    [
        ("schedule", "cron", "0 8 * *", "five fields"),
        ("schedule", "interval", "soon", "no number"),
        ("webhook", "path", "not good", "path"),
        ("event", "event", "", "type"),
        ("event", "parameters", "[1]", "object"),
    ],
)
def test_what_cannot_be_kept_is_explained(tab, nightly, kind, name, value, said):
    """The dialog stays open and says why."""
    state, _ = tab(
        (TriggerFormState.begin, {"kind": kind}),
        (TriggerFormState.put, {"name": name, "value": value}),
        (TriggerFormState.save, {}),
    )

    assert state.is_open
    assert said in state.problem.lower()


def test_a_definitions_trigger_is_changed_on_the_canvas(tab, nightly):
    """The page refuses to change or delete it."""
    (row,) = shown(tab, "schedule").schedules

    _, browser = tab((ShownTrigger.open, {}), (ShownTrigger.delete, {}), path=f"/triggers?kind=schedule&id={row.id}")

    assert "change it there" in browser.was_told()


def test_the_command_is_what_the_webhook_takes(tmp_path):
    """Run by a shell, the signed one carries a signature that fits, the one with a token its token."""
    secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    told = tmp_path / "told"
    (tmp_path / "curl").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {told}\n')
    (tmp_path / "curl").chmod(0o700)
    command = curl_example("http://127.0.0.1/api/hooks/go", ["POST"], "standard").replace("whsec_…", secret)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", "-ec", command], env={**os.environ, "PATH": path}, check=True)

    arguments = told.read_text().splitlines()
    headers = dict(one.split(": ", 1) for one in arguments if ": " in one and not one.startswith("{"))
    body = arguments[arguments.index("-d") + 1]
    check_standard([secret], headers, body.encode())
    token = curl_example("http://127.0.0.1/x", ["GET"], "token").replace("TOKEN", "t0ken")
    check_token(["t0ken"], {"authorization": token.partition("Authorization: ")[2].rstrip("'")}, {})
