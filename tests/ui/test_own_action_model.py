"""The editor's own picture of a user-defined action, held against what Python makes of it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from canvas.domain.actions import Invariant, is_checked, prepare_call, read_action, write_action
from canvas.domain.problems import Report
from tests.domain.action_strategies import user_actions
from tests.ui.editor_bridge import Bridge, bridge

MANY = settings(max_examples=60, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def editor() -> Iterator[Bridge]:
    """The editor's modules."""
    with bridge() as found:
        yield found


@MANY
@given(action=user_actions())
def test_what_is_sent_says_what_is_shown(editor, action):
    """Leaving out what says nothing changes nothing of what it says."""
    shown = write_action(replace(action, inputs_schema=None))
    sent = editor.ask("tidy", document={**shown, "icon": "", "title": action.title, "actors": shown.get("actors", {})})
    report = Report()

    assert replace(action, inputs_schema=None) == replace(read_action(sent, report), icon=action.icon)
    assert () == report.problems


def test_another_name_for_an_argument_reaches_everything_that_names_it(editor):
    """Templates at any depth, and invariants; names that only begin alike are left alone."""
    document = {
        "arguments": [{"name": "host"}, {"name": "hosts"}],
        "invariants": ["args.host != args.hosts", {"text": "size(args.host) > 1", "is_expression": True}],
        "body": {
            "action": "log/event",
            "parameters": {"message": "{{ args.host }}", "data": {"all": ["{{ args.hosts }}"]}},
        },
    }
    changed = editor.ask("renamed", document=document, **{"from": "host", "to": "machine"})

    assert [{"name": "machine"}, {"name": "hosts"}] == changed["arguments"]
    assert ["args.machine != args.hosts", {"text": "size(args.machine) > 1", "is_expression": True}] == changed[
        "invariants"
    ]
    assert {"message": "{{ args.machine }}", "data": {"all": ["{{ args.hosts }}"]}} == changed["body"]["parameters"]


@pytest.mark.parametrize("text", ["args.x > 1", "output.status == 200", "Be kind", "args.x < size(output.items)"])
@pytest.mark.parametrize("said", [None, True, False])
def test_it_is_told_how_an_invariant_is_read(editor, text, said):
    """As the engine reads it."""
    invariant = Invariant(text=text, is_expression=said)
    document = {"name": "a/b", "invariants": [text if said is None else {"text": text, "is_expression": said}]}
    (kept,) = document["invariants"]
    checks = prepare_call(read_action(document, Report())).checks
    expected = "people" if not checks else "after" if checks[0].is_after else "before"

    assert expected == editor.ask("readAs", invariant=kept, isChecked=is_checked(invariant)) or text == "Be kind"
