"""Finding actions in the palette, and what their forms show first."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from canvas.actions.registry import registry
from canvas.ui.editor import offers
from tests.ui.editor_bridge import Bridge, bridge

ICONS = Path(offers.__file__).with_name("icons.js").read_text()


@pytest.fixture(scope="module")
def editor() -> Iterator[Bridge]:
    """The editor's modules."""
    with bridge() as found:
        yield found


@pytest.fixture(scope="module")
def actions() -> list[dict]:
    """The registered actions as the editor is told of them."""
    return [offers._action(action.spec) for action in registry().values()]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SEND_EMAIL", "email/send"),
        ("CREATE_NOTIFICATION", "notify/create"),
        ("TRIGGER_WEBHOOK", "webhook/send"),
        ("DELAY", "wait"),
        ("CONDITIONAL_BRANCH", "condition"),
        ("LOOP", "loop"),
        ("http", "http/request"),
        ("sched", "trigger:schedule"),
    ],
)
def test_what_is_searched_comes_first(editor: Bridge, actions: list, query: str, expected: str):
    """By title, by name, and by the constants of older systems."""
    assert expected == editor.ask("find", actions=actions, query=query)[0]


def test_groups_stand_in_a_sensible_order(editor: Bridge):
    """What starts, what leads, what the product brings; then packages, people's own, other servers, workflows."""
    categories = ["MCP: files", "Yours", "Web", "Messages", "Zoo", "AI", "Data", "Social"]
    actions = [{"name": f"a/{i}", "title": "A", "description": "", "category": c} for i, c in enumerate(categories)]

    expected = [
        "Triggers",
        "Flow",
        "Messages",
        "Social",
        "AI",
        "Data",
        "Web",
        "Zoo",
        "Yours",
        "MCP: files",
        "Workflows",
    ]
    assert expected == editor.ask("groups", actions=actions)


def test_every_action_has_its_icon(actions: list):
    """An icon that the editor does not know would be a lightning bolt."""
    known = set(re.findall(r'^  "?([a-z0-9-]+)"?: [A-Z]', ICONS, re.MULTILINE))

    assert [] == [a["icon"] for a in actions if a["icon"] not in known]


def test_long_forms_show_first_what_matters(editor: Bridge, actions: list):
    """What is required, what the example teaches, connections, and what is set; the rest is folded away."""
    request = next(a for a in actions if a["name"] == "http/request")
    given = {"schema": request["arguments"], "example": request["example"]}

    first = set(editor.ask("fields", **given))
    assert {"url", "method", "connection"} <= first
    assert "max_bytes" not in first
    assert "max_bytes" in editor.ask("fields", **given, value={"max_bytes": 5})


def test_short_forms_show_everything(editor: Bridge):
    """Folding one or two fields away would save no room."""
    schema = {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]}

    assert ["a", "b"] == editor.ask("fields", schema=schema)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 10}, "(1 to 10)"),
        ({"type": "integer", "maximum": 41943040}, "(at most 41,943,040)"),
        ({"type": "number", "exclusiveMinimum": 0}, "(more than 0)"),
        ({"type": "array", "maxItems": 20}, "(at most 20 items)"),
        ({"type": "string", "maxLength": 5}, ""),
        ({"type": "integer", "minimum": 0}, ""),
    ],
)
def test_bounds_are_told(editor: Bridge, schema: dict, expected: str):
    """Before something is refused."""
    assert expected == editor.ask("bounds", schema=schema)
