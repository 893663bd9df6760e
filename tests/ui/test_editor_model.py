"""The editor's own picture of a workflow, held against what Python makes of it."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from canvas.domain.documents import every_step
from canvas.domain.editing import apply_to_document, with_explicit_dependencies
from canvas.domain.schema import step_schema
from canvas.domain.states import StepType
from tests.ui.editor_bridge import Bridge, bridge

NAMES = tuple("abcdefgh")
PLACES = st.tuples(st.integers(-200, 400), st.integers(-200, 400)).map(list)
ROW_HEIGHT, STEP_WIDTH, FRAME_TOP, FRAME_PADDING = 64, 220, 50, 20


@pytest.fixture(scope="module")
def editor() -> Iterator[Bridge]:
    """The editor's modules."""
    with bridge() as found:
        yield found


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Any]:
    """A draft with up to eight steps in any nesting, dependencies on earlier siblings, and places."""
    names = draw(st.permutations(NAMES))[: draw(st.integers(0, len(NAMES)))]
    document: dict[str, Any] = {"dsl": "canvas/v1", "name": "drawn", "steps": []}
    scopes = [document["steps"]]
    for name in names:
        scope = draw(st.sampled_from(scopes))
        earlier = draw(st.lists(st.sampled_from([s["name"] for s in scope]), unique=True)) if scope else []
        step = {"name": name, "type": draw(st.sampled_from(["set", "loop", "parallel"])), "values": {}}
        step["depends_on"] = [{"step": other, "branch": "SUCCESS"} for other in earlier]
        if step["type"] != "set":
            del step["values"]
            step["steps"] = []
            scopes.append(step["steps"])
        if draw(st.booleans()):
            step["title"] = draw(st.sampled_from(["One", "Two"]))
        scope.append(step)
    if draw(st.booleans()):
        document["title"] = draw(st.sampled_from(["First", "Second"]))
    return {"document": document, "layout": {name: draw(PLACES) for name in names}}


@settings(max_examples=300, deadline=None)
@given(before=drafts(), after=drafts())
def test_operations_lead_from_any_draft_to_any_other(editor: Bridge, before: dict, after: dict):
    """What the editor sends, applied by the server, gives exactly what is on the screen, order included."""
    operations = editor.ask("difference", before=before, after=after)

    document, layout = apply_to_document(before["document"], before["layout"], operations)

    assert with_explicit_dependencies(after["document"]) == document
    assert after["layout"] == {name: [round(x), round(y)] for name, (x, y) in layout.items()}


@settings(max_examples=200, deadline=None)
@given(before=drafts(), after=drafts(), data=st.data())
def test_what_is_typed_while_a_step_is_renamed_stays(editor: Bridge, before: dict, after: dict, data: st.DataObject):
    """Renaming on the server and editing on the screen at the same time gives what one after the other gives."""
    common = sorted(set(before["layout"]) & set(after["layout"]))
    assume(common)
    rename = {"op": "rename", "name": data.draw(st.sampled_from(common)), "to": "renamed"}
    document, layout = apply_to_document(before["document"], before["layout"], [rename])
    answered = {"document": document, "layout": layout}

    found = editor.ask(
        "carried", before=before, after=after, answered=answered, **{"from": rename["name"], "to": "renamed"}
    )

    expected, places = apply_to_document(after["document"], after["layout"], [rename])
    assert with_explicit_dependencies(expected) == with_explicit_dependencies(found["document"])
    assert places == found["layout"]


@given(draft=drafts())
def test_nothing_is_sent_when_nothing_has_changed(editor: Bridge, draft: dict):
    """A draft that says the same needs no operation."""
    assert editor.ask("difference", before=draft, after=draft) == []


@given(sizes=st.lists(st.integers(0, 300), max_size=12), limit=st.integers(50, 400))
def test_parts_hold_every_operation_in_order(editor: Bridge, sizes: list[int], limit: int):
    """Large edits go in several messages, none larger than the limit unless one operation alone is."""
    operations = [{"op": "drop", "name": "x" * size} for size in sizes]

    parts = editor.ask("parts", operations=operations, limit=limit)

    assert operations == [operation for part in parts for operation in part]
    assert all(len(part) <= 1 or sum(map(_length, part)) <= limit for part in parts)


def _length(operation: dict) -> int:
    return len(json.dumps(operation, separators=(",", ":")))


@given(draft=drafts())
def test_pointers_lead_to_the_steps(editor: Bridge, draft: dict):
    """Problems are told by JSON pointer; the editor knows each step's."""
    pointers = editor.ask("pointers", document=draft["document"])

    assert {name: name for name in draft["layout"]} == {
        name: _at(draft["document"], pointer)["name"] for name, pointer in pointers.items()
    }


def _at(document: Any, pointer: str) -> Any:
    for key in pointer.split("/")[1:]:
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


@given(draft=drafts())
def test_only_connections_that_make_sense_are_allowed(editor: Bridge, draft: dict):
    """Within one frame, not twice, not onto itself, and never in a circle."""
    document = draft["document"]
    waits = {step["name"]: {d["step"] for d in step["depends_on"]} for step, _ in every_step(document)}
    home = {step["name"]: id(holder) for step, holder in every_step(document)}
    expected = [
        [source, target]
        for source in home
        for target in home
        if source != target
        and home[source] == home[target]
        and source not in waits[target]
        and target not in _all_before(waits, source)
    ]

    assert sorted(expected) == sorted(editor.ask("allowed", document=document))


def _all_before(waits: dict[str, set[str]], name: str) -> set[str]:
    found: set[str] = set()
    open_names = [name]
    while open_names:
        fresh = waits[open_names.pop()] - found
        found |= fresh
        open_names += fresh
    return found


@given(draft=drafts())
def test_frames_hold_their_steps_and_nothing_jumps(editor: Bridge, draft: dict):
    """After a drop every frame is around its steps, below its header, and no step has moved on the screen."""
    settled = editor.ask("settle", **draft)
    plain = {step["name"] for step, _ in every_step(draft["document"]) if "steps" not in step}

    assert {n: settled["before"][n] for n in plain} == {n: settled["after"][n] for n in plain}
    for step, _ in every_step(draft["document"]):
        width, height = settled["sizes"][step["name"]]
        for inner in step.get("steps", []):
            x, y = settled["positions"][inner["name"]]
            inner_width, inner_height = settled["sizes"][inner["name"]]
            assert x >= FRAME_PADDING
            assert y >= FRAME_TOP
            assert x + inner_width + FRAME_PADDING <= width
            assert y + inner_height + FRAME_PADDING <= height


def test_a_switch_has_a_way_out_for_each_case(editor: Bridge):
    """Cases may be plain values or values with a condition; the same case twice is one way out."""
    step = {"name": "kind", "type": "switch", "cases": ["refund", {"value": 7, "when": "true"}, "refund"]}

    ways = editor.ask("branches", step=step)

    assert ["SWITCH_CASE:refund", "SWITCH_CASE:7", "DEFAULT", "FAILURE", "ALWAYS", "SUCCESS"] == ways


RESULT = {"type": "object", "properties": {"status": {"type": "integer"}, "body": {"$ref": "#/$defs/Body"}}}
RESULT["$defs"] = {"Body": {"type": "object", "properties": {"total": {"type": "number"}}}}
FLOW = {
    "name": "flow",
    "parameters": {"city": {"type": "string"}},
    "steps": [
        {"name": "ask", "type": "action", "action": "http/request", "parameters": {}},
        {"name": "keep", "type": "set", "values": {"kept": 1}},
        {
            "name": "each",
            "type": "loop",
            "collection": "{{ [1] }}",
            "item_variable": "town",
            "steps": [{"name": "inner", "type": "set", "values": {}}, {"name": "second", "type": "set", "values": {}}],
        },
        {"name": "aside", "type": "set", "values": {}, "depends_on": []},
    ],
}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("second", "{{ steps.", ["inner", "keep", "ask"]),
        ("keep", "{{ steps.", ["ask"]),
        ("aside", "{{ steps.", None),
        ("keep", "{{ steps.ask.output.", ["status", "body"]),
        ("keep", "{{ steps.ask.output.body.t", ["total"]),
        ("keep", "x {{ workflow.parameters.", ["city"]),
        ("second", "{{ to", ["town"]),
        ("keep", "{{ town", None),
        ("each", "{{ context.", ["kept"]),
        ("keep", "plain steps.", None),
        ("keep", "{{ 'steps.", None),
        ("keep", "{{ done }} steps.", None),
        ("keep", "{{ 1 + lo", ["lower"]),
    ],
)
def test_completion_offers_what_can_be_named_here(editor: Bridge, name: str, text: str, expected: list[str] | None):
    """Only earlier steps, with the fields of their results; loop variables inside the loop; nothing outside braces."""
    functions = [{"name": "lower", "signature": "lower(text: string) -> string", "summary": ""}]
    catalog = {"byAction": {"http/request": {"result": RESULT}}}

    found = editor.ask(
        "complete", document=FLOW, name=name, text=text, isTemplate=True, catalog=catalog, functions=functions
    )

    assert expected == found


@pytest.mark.parametrize("step_type", list(StepType))
def test_every_property_of_a_step_has_a_control(editor: Bridge, step_type: StepType):
    """No property of any step type falls back to raw JSON unless it may hold any value."""
    controls = {
        key: editor.ask("widget", schema=schema) for key, schema in step_schema(step_type)["properties"].items()
    }
    known = {"template", "line", "text", "expression", "number", "boolean", "enum", "list", "map", "group", "any"}

    assert set(controls.values()) <= known | {"action", "workflow"}


SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text() | st.sampled_from(["3", "true", '"a"'])


@given(value=SCALARS)
def test_a_line_of_text_says_what_the_value_is(editor: Bridge, value: Any):
    """A field for any value keeps numbers numbers and text text, also text that looks like a number."""
    assert (None if value == "" else value) == editor.ask("line", value=value)


TRIGGERS = st.lists(
    st.sampled_from([{"type": "schedule", "cron": "0 9 * * *"}, {"type": "webhook", "path": "go"}]), max_size=5
)


@given(draft=drafts(), triggers=TRIGGERS)
def test_what_starts_a_workflow_stands_before_it(editor: Bridge, draft: dict, triggers: list):
    """The start stands left of every step, the triggers left of the start, and none of them covers another."""
    draft["document"]["triggers"] = triggers
    found = editor.ask("entries", **draft)

    places, steps = found["places"], draft["document"]["steps"]
    assert (len(triggers) + 1 if steps or triggers else 0) == len(places)
    if places:
        x, _, width, _ = places.pop("trigger:start")
        assert all(x + width < draft["layout"][step["name"]][0] for step in steps)
        boxes = sorted(places.values(), key=lambda box: box[1])
        assert all(left + wide < x for left, _, wide, _ in boxes)
        assert all(one[1] + one[3] < other[1] for one, other in pairwise(boxes))


@given(before=drafts(), old=TRIGGERS, new=TRIGGERS)
def test_triggers_are_sent_with_the_rest(editor: Bridge, before: dict, old: list, new: list):
    """A change of the triggers is one change of the document's own keys; places of their nodes are not sent."""
    after = json.loads(json.dumps(before))
    before["document"]["triggers"], after["document"]["triggers"] = old, new

    operations = editor.ask("difference", before=before, after=after)

    assert operations == ([] if old == new else [{"op": "meta", "patch": {"triggers": new}}])


@pytest.mark.parametrize(
    ("trigger", "text", "expected"),
    [
        ({"type": "webhook"}, "trigger.data.b", ["body"]),
        ({"type": "schedule"}, "trigger.data.f", ["fire_at"]),
        ({"type": "event"}, "event.", ["type", "data"]),
        ({"type": "webhook"}, "steps", None),
    ],
)
def test_a_triggers_expressions_name_what_it_brings(editor: Bridge, trigger: dict, text: str, expected: list | None):
    """Nothing has run yet when a trigger's templates are read: they see the trigger, and a filter the event."""
    document = {"name": "drawn", "steps": [], "triggers": [trigger]}

    assert expected == editor.ask("complete", document=document, name="trigger:0", text=text, isTemplate=False)
