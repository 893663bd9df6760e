"""Edits of arbitrary valid definitions: they keep them valid, and can be taken back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.definition import Definition, walk
from canvas.domain.diff import diff
from canvas.domain.documents import every_step
from canvas.domain.dsl import from_document, to_document
from canvas.domain.editing import InvalidOperation, apply_to_document, with_explicit_dependencies
from canvas.domain.layout import arrange
from canvas.domain.validation import check
from tests.domain.strategies import CATALOG, definitions


def names_of(definition: Definition) -> list[str]:
    return [placed.step.name for placed in walk(definition.scope)]


def errors_in(document: dict[str, Any]) -> list[Any]:
    return [problem for problem in check(from_document(document), CATALOG) if problem.is_error]


@given(definition=definitions(), data=st.data())
def test_a_rename_keeps_a_definition_valid(definition: Definition, data: Any) -> None:
    """Wherever a step is named, in lines, conditions, templates, cases or outputs, the new name stands there after."""
    name = data.draw(st.sampled_from(names_of(definition)))

    document, _ = apply_to_document(to_document(definition), {}, [{"op": "rename", "name": name, "to": "renamed"}])

    assert [] == errors_in(document)
    assert {"renamed" if one == name else one for one in names_of(definition)} == {
        step["name"] for step, _ in every_step(document)
    }


@given(definition=definitions(), data=st.data())
def test_renaming_there_and_back_is_the_identity(definition: Definition, data: Any) -> None:
    """The definition is the same afterwards, every expression to the letter."""
    name = data.draw(st.sampled_from(names_of(definition)))
    there = {"op": "rename", "name": name, "to": "elsewhere"}
    back = {"op": "rename", "name": "elsewhere", "to": name}

    document, _ = apply_to_document(to_document(definition), {}, [there, back])

    assert definition == from_document(document).definition


@given(definition=definitions(), data=st.data())
def test_putting_and_dropping_is_the_identity(definition: Definition, data: Any) -> None:
    """A new step, wherever it is put, leaves no trace when it is dropped."""
    containers = [p.step.name for p in walk(definition.scope) if p.step.scope is not None]
    put = {
        "op": "put",
        "step": {"name": "new_one", "type": "stop", "depends_on": []},
        "parent": data.draw(st.sampled_from([None, *containers])),
        "index": data.draw(st.none() | st.integers(0, 9)),
    }

    document, _ = apply_to_document(to_document(definition), {}, [put, {"op": "drop", "name": "new_one"}])

    assert definition == from_document(document).definition


@given(definition=definitions(), data=st.data())
def test_putting_a_step_as_it_is_changes_nothing(definition: Definition, data: Any) -> None:
    """The canvas sends a step's own document back: what it holds, its place and all others stay."""
    explicit = with_explicit_dependencies(to_document(definition))
    steps = {step["name"]: (step, holder) for step, holder in every_step(explicit)}
    step, holder = steps[data.draw(st.sampled_from(sorted(steps)))]
    sent = {key: value for key, value in step.items() if key != "steps"}
    parent = holder["name"] if holder is not explicit else None

    document, _ = apply_to_document(explicit, {}, [{"op": "put", "step": sent, "parent": parent, "index": None}])

    assert definition == from_document(document).definition


@given(definition=definitions(), data=st.data())
def test_dropping_a_step_leaves_the_others_as_they_are(definition: Definition, data: Any) -> None:
    """Only the dropped step, what it holds and the lines from it are gone."""
    name = data.draw(st.sampled_from(names_of(definition)))
    before = {step["name"]: step for step, _ in every_step(with_explicit_dependencies(to_document(definition)))}

    document, _ = apply_to_document(to_document(definition), {}, [{"op": "drop", "name": name}])

    gone = {name, *(step["name"] for step, _ in every_step(before[name]))}
    after = {step["name"]: step for step, _ in every_step(document)}
    assert set(before) - gone == set(after)
    for kept, step in after.items():
        expected = [one for one in before[kept]["depends_on"] if one["step"] not in gone]
        assert expected == step["depends_on"]
        assert {**step, "depends_on": [], "steps": []} == {**before[kept], "depends_on": [], "steps": []}


@given(definition=definitions(), data=st.data())
def test_moving_a_step_leaves_no_line_across_a_frame(definition: Definition, data: Any) -> None:
    """A step dropped into a container, or out of one, is no longer waited for from where it was."""
    name = data.draw(st.sampled_from(names_of(definition)))
    inside = {p.step.name: {parent.name for parent in p.parents} for p in walk(definition.scope)}
    containers = [p.step.name for p in walk(definition.scope) if p.step.scope and name not in inside[p.step.name]]
    parent = data.draw(st.sampled_from([None, *(one for one in containers if one != name)]))
    explicit = with_explicit_dependencies(to_document(definition))
    step = next(step for step, _ in every_step(explicit) if step["name"] == name)
    sent = {key: value for key, value in step.items() if key != "steps"} | {"depends_on": []}

    document, _ = apply_to_document(explicit, {}, [{"op": "put", "step": sent, "parent": parent, "index": None}])

    across = {"dependency_out_of_scope", "unknown_step", "duplicate_name", "cycle"}
    assert not [p for p in errors_in(document) if p.code in across and "depends_on" in p.pointer]


@given(definition=definitions(max_steps=5))
def test_a_batch_is_applied_as_a_whole_or_not_at_all(definition: Definition) -> None:
    """When the last of several operations is refused, what was given is as it was."""
    document = to_document(definition)
    kept = to_document(definition)
    operations = [{"op": "drop", "name": names_of(definition)[0]}, {"op": "drop", "name": "nobody"}]

    with pytest.raises(InvalidOperation):
        apply_to_document(document, {}, operations)

    assert kept == document


@given(definition=definitions())
def test_a_definition_does_not_differ_from_itself(definition: Definition) -> None:
    """However it is written, the same definition has no difference."""
    assert diff(to_document(definition), to_document(definition, explicit=True)).is_empty


@given(one=definitions(max_steps=5), other=definitions(max_steps=5))
def test_different_definitions_differ(one: Definition, other: Definition) -> None:
    """A diff is empty only if both say the same, apart from status and version."""
    documents = [{**to_document(d), "status": "draft", "version": "1.0.0"} for d in (one, other)]

    same = from_document(documents[0]).definition == from_document(documents[1]).definition
    assert same == diff(*documents).is_empty


@given(definition=definitions())
def test_every_step_gets_a_place(definition: Definition) -> None:
    """Arranging places each step once, to the right of what it waits for."""
    document = to_document(definition)

    places = arrange(document)

    assert set(names_of(definition)) == set(places)
    for placed in walk(definition.scope):
        for one in placed.step.depends_on:
            assert places[one.step][0] < places[placed.step.name][0]
