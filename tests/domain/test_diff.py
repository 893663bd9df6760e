"""What changed between two versions, in meaning."""

import copy
from typing import Any

from hypothesis import given

from canvas.domain.diff import FieldChange, diff
from canvas.domain.editing import apply_to_document
from canvas.domain.states import ChangeType
from tests.domain.test_editing import make_draft
from tests.domain.test_layout import documents


def edited(*operations: dict[str, Any]) -> dict[str, Any]:
    return apply_to_document(make_draft(), {}, operations)[0]


@given(document=documents())
def test_nothing_changed_is_nothing_to_show(document: dict[str, Any]) -> None:
    """A definition does not differ from itself, however its dependencies are written down."""
    assert diff(document, copy.deepcopy(document)).is_empty
    assert diff(document, apply_to_document(document, {}, [])[0]).is_empty


def test_where_steps_lie_does_not_count() -> None:
    """Tidying up makes no new version."""
    assert diff({**make_draft(), "layout": {"load": [0, 0]}}, {**make_draft(), "layout": {"load": [9, 9]}}).is_empty


def test_a_field_is_named_with_both_values() -> None:
    """People see what it was and what it is."""
    found = diff(make_draft(), edited({"op": "put", "step": {"name": "load", "type": "set", "values": {"total": 2}}}))

    assert [("load", (FieldChange("/values/total", 1, 2),))] == [(c.name, c.fields) for c in found.changed]
    assert ChangeType.PATCH == found.change_type


def test_a_step_that_comes_or_goes() -> None:
    """Added and removed steps are told apart, those inside containers too."""
    put = {"op": "put", "step": {"name": "more", "type": "set", "values": {"x": 1}}, "parent": "each"}
    found = diff(make_draft(), edited(put, {"op": "drop", "name": "say"}))

    assert (("more",), ("say",)) == (found.added, found.removed)
    assert ChangeType.MINOR == found.change_type


def test_a_renamed_step_is_not_a_new_one() -> None:
    """A rename shows as one change of that step; who waits for it is unchanged."""
    found = diff(make_draft(), edited({"op": "rename", "name": "end", "to": "finish"}))

    assert ((), ()) == (found.added, found.removed)
    assert [("finish", "end", ())] == [(c.name, c.old_name, c.fields) for c in found.changed]


def test_a_step_that_moves_into_a_container_changes() -> None:
    """Where a step stands is part of its meaning."""
    move = {"op": "put", "step": {"name": "end", "type": "set", "values": {}, "depends_on": []}, "parent": "each"}
    found = diff(make_draft(), edited(move))

    assert FieldChange("/parent", None, "each") in found.changed[0].fields


def test_true_is_not_one() -> None:
    """A value that changes its type has changed, even where Python calls both equal."""
    old, new = {"steps": [], "settings": {"max_retries": 1}}, {"steps": [], "settings": {"max_retries": True}}

    assert [FieldChange("/settings/max_retries", 1, True)] == list(diff(old, new).meta)


def test_what_breaks_callers_is_said() -> None:
    """A parameter or output that goes, changes its type, or becomes needed makes a major version."""
    old = {"parameters": {"a": {"type": "string"}, "b": {"type": "integer"}}, "outputs": {"x": {"type": "string"}}}
    new = {"parameters": {"b": {"type": "string"}, "c": {"type": "string", "required": True}}}
    found = diff(old, new)

    assert [
        "The parameter 'a' is gone.",
        "The parameter 'c' is now needed.",
        "The parameter 'b' is now string.",
        "The output 'x' is gone.",
    ] == list(found.breaking)
    assert ChangeType.MAJOR == found.change_type


def test_a_new_optional_parameter_breaks_nobody() -> None:
    """Callers who do not know it go on as before."""
    found = diff({"parameters": {}}, {"parameters": {"a": {"type": "string", "default": "x", "required": True}}})

    assert () == found.breaking
    assert ChangeType.MINOR == found.change_type
