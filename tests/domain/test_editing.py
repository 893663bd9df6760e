"""Edits of a draft: each does what it says, to the step it names, and to nothing else."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.documents import every_step
from canvas.domain.editing import InvalidOperation, apply_to_document, with_explicit_dependencies


def make_draft() -> dict[str, Any]:
    """A condition with two arms, a loop with a step inside, and a step that quotes an earlier one."""
    return {
        "dsl": "canvas/v1",
        "name": "orders",
        "outputs": {"total": {"type": "number", "value": "{{ steps.load.output.total }}"}},
        "steps": [
            {"name": "load", "type": "set", "values": {"total": 1}},
            {"name": "large", "type": "condition", "condition": "steps.load.output.total > 10"},
            {
                "name": "each",
                "type": "loop",
                "times": "{{ steps.load.output.total }}",
                "depends_on": [{"step": "large", "branch": "IF_TRUE"}],
                "steps": [
                    {"name": "say", "type": "set", "values": {"text": "steps.load is {{ steps.load.output.total }}"}}
                ],
            },
            {"name": "end", "type": "set", "values": {}},
        ],
    }


@pytest.fixture
def draft() -> dict[str, Any]:
    return make_draft()


def steps(document: dict[str, Any]) -> dict[str, Any]:
    return {step["name"]: step for step, _ in every_step(document)}


def test_what_was_given_is_left_as_it_was(draft: dict[str, Any]) -> None:
    """An edit makes a new draft; whoever holds the old one still has it."""
    before = copy.deepcopy(draft)

    apply_to_document(draft, {}, [{"op": "drop", "name": "load"}, {"op": "meta", "patch": {"title": "x"}}])

    assert before == draft


def test_implied_dependencies_are_written_out(draft: dict[str, Any]) -> None:
    """A step that depends on the one before it keeps doing so when something is put in between."""
    document, _ = apply_to_document(
        draft, {}, [{"op": "put", "step": {"name": "pause", "type": "wait", "for": [{"seconds": 1}]}, "index": 1}]
    )

    assert ["load", "pause", "large", "each", "end"] == [step["name"] for step in document["steps"]]
    assert [{"step": "load", "branch": "SUCCESS"}] == steps(document)["large"]["depends_on"]
    assert [] == steps(document)["pause"]["depends_on"]


def test_put_replaces_in_place(draft: dict[str, Any]) -> None:
    """Changing a step's fields does not move it in the list."""
    document, _ = apply_to_document(
        draft,
        {},
        [{"op": "put", "step": {"name": "large", "type": "condition", "condition": "true", "depends_on": ["load"]}}],
    )

    assert ["load", "large", "each", "end"] == [step["name"] for step in document["steps"]]
    assert "true" == steps(document)["large"]["condition"]


def test_a_replaced_container_keeps_its_steps(draft: dict[str, Any]) -> None:
    """The canvas sends a container without what it holds."""
    document, _ = apply_to_document(draft, {}, [{"op": "put", "step": {"name": "each", "type": "loop", "times": 3}}])

    assert 3 == steps(document)["each"]["times"]
    assert ["say"] == [inner["name"] for inner in steps(document)["each"]["steps"]]


def test_a_step_moves_into_a_container_and_out_again(draft: dict[str, Any]) -> None:
    """Dropping a node on a frame changes its parent, and nothing else."""
    end = {"name": "end", "type": "set", "values": {}, "depends_on": []}
    inside, _ = apply_to_document(draft, {}, [{"op": "put", "step": end, "parent": "each"}])
    outside, _ = apply_to_document(inside, {}, [{"op": "put", "step": end, "parent": None}])

    assert ["say", "end"] == [inner["name"] for inner in steps(inside)["each"]["steps"]]
    assert ["load", "large", "each", "end"] == [step["name"] for step in outside["steps"]]


def test_drop_takes_along_what_it_holds_and_who_waits_for_it(draft: dict[str, Any]) -> None:
    """No dependency on a step that is gone stays behind."""
    document, layout = apply_to_document(draft, {"say": [1, 2], "end": [3, 4]}, [{"op": "drop", "name": "each"}])

    assert {"load", "large", "end"} == set(steps(document))
    assert [] == steps(document)["end"]["depends_on"]
    assert {"end": [3.0, 4.0]} == layout


def test_rename_reaches_every_reference_and_no_other_text(draft: dict[str, Any]) -> None:
    """Dependencies, conditions, templates, outputs and layout follow; prose that merely looks alike stays."""
    document, layout = apply_to_document(draft, {"load": [1, 2]}, [{"op": "rename", "name": "load", "to": "fetch"}])
    found = steps(document)

    assert "steps.fetch.output.total > 10" == found["large"]["condition"]
    assert "{{ steps.fetch.output.total }}" == found["each"]["times"]
    assert "steps.load is {{ steps.fetch.output.total }}" == found["say"]["values"]["text"]
    assert "{{ steps.fetch.output.total }}" == document["outputs"]["total"]["value"]
    assert [{"step": "fetch", "branch": "SUCCESS"}] == found["large"]["depends_on"]
    assert {"fetch": [1.0, 2.0]} == layout


def test_renaming_a_container_keeps_its_steps_reachable(draft: dict[str, Any]) -> None:
    """A batch may rename a frame and then touch what is in it."""
    document, _ = apply_to_document(
        draft,
        {},
        [
            {"op": "rename", "name": "each", "to": "every"},
            {"op": "put", "step": {"name": "more", "type": "set", "values": {}}, "parent": "every"},
            {"op": "drop", "name": "say"},
        ],
    )

    assert ["more"] == [inner["name"] for inner in steps(document)["every"]["steps"]]


def test_meta_sets_and_removes(draft: dict[str, Any]) -> None:
    """The workflow's own fields change without touching its steps."""
    document, _ = apply_to_document(draft, {}, [{"op": "meta", "patch": {"title": "Orders", "outputs": None}}])

    assert "Orders" == document["title"]
    assert "outputs" not in document


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        ({"op": "explode"}, "unknown kind 'explode'"),
        ("drop", "unknown kind None"),
        ({"op": "drop", "name": "nobody"}, "no step called 'nobody'"),
        ({"op": "put", "step": {"type": "set"}}, "object with a name"),
        ({"op": "put", "step": {"name": "x", "steps": []}}, "without what it holds"),
        ({"op": "put", "step": {"name": "x"}, "parent": "load"}, "no container"),
        ({"op": "put", "step": {"name": "each", "type": "loop"}, "parent": "each"}, "inside itself"),
        ({"op": "put", "step": {"name": "x"}, "index": -1}, "whole number"),
        ({"op": "rename", "name": "load", "to": "end"}, "already"),
        ({"op": "rename", "name": "load", "to": ""}, "to nothing"),
        ({"op": "place", "positions": {"load": [1]}}, "must be [x, y]"),
        ({"op": "place", "positions": {"load": ["a", None]}}, "two numbers"),
        ({"op": "place", "positions": {"load": [float("nan"), 0]}}, "two numbers"),
        ({"op": "place", "positions": 3}, "must map names"),
        ({"op": "meta", "patch": {"steps": []}}, "'steps' cannot be set"),
        ({"op": "meta", "patch": []}, "must map keys"),
    ],
)
def test_a_bad_operation_is_named_and_nothing_is_applied(draft: dict[str, Any], operation: Any, says: str) -> None:
    """The error says which operation of the batch and what is wrong with it."""
    with pytest.raises(InvalidOperation) as caught:
        apply_to_document(draft, {}, [{"op": "meta", "patch": {"title": "half"}}, operation])

    assert says in str(caught.value)
    assert 1 == caught.value.details["index"]
    assert "title" not in draft


NAMES = ("load", "large", "each", "say", "end")


@given(name=st.sampled_from(NAMES), new=st.from_regex(r"[a-z]{6,9}", fullmatch=True))
def test_renaming_there_and_back_changes_nothing(name: str, new: str) -> None:
    """A rename loses no reference, or the way back would not restore it."""
    document = with_explicit_dependencies(make_draft())
    away, _ = apply_to_document(document, {}, [{"op": "rename", "name": name, "to": new}])
    back, _ = apply_to_document(away, {}, [{"op": "rename", "name": new, "to": name}])

    assert document == back
    assert name not in {step["name"] for step, _ in every_step(away)}


@given(
    name=st.from_regex(r"new_[a-z]{1,5}", fullmatch=True),
    parent=st.sampled_from([None, "each"]),
    index=st.integers(0, 9),
)
def test_put_and_drop_is_as_if_nothing_had_happened(name: str, parent: str | None, index: int) -> None:
    """A step that comes and goes leaves no trace in the others."""
    document = with_explicit_dependencies(make_draft())
    put = {"op": "put", "step": {"name": name, "type": "set", "values": {}}, "parent": parent, "index": index}

    after, layout = apply_to_document(
        document, {}, [put, {"op": "place", "positions": {name: [1, 1]}}, {"op": "drop", "name": name}]
    )

    assert document == after
    assert {} == layout


@given(
    operations=st.lists(
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)
        | st.dictionaries(
            st.sampled_from(["op", "name", "to", "step", "parent", "index", "positions", "patch"]),
            st.sampled_from(
                [
                    "put",
                    "drop",
                    "rename",
                    "place",
                    "meta",
                    "load",
                    "each",
                    {},
                    {"name": "x", "type": "loop"},
                    [],
                    None,
                    1,
                ]
            ),
        )
    )
)
def test_rubbish_is_refused_and_nothing_else_is_raised(operations: list[Any]) -> None:
    """Whatever a browser sends, the answer is a new draft or one clear error."""
    try:
        document, _ = apply_to_document(make_draft(), {}, operations)
    except InvalidOperation:
        return

    names = [step["name"] for step, _ in every_step(document)]
    assert len(set(names)) == len(names)
