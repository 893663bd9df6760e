"""Text fields, values that hold them, and renaming."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canvas.domain.expressions import (
    ExpressionError,
    ExpressionLimitError,
    MissingValue,
    compile_template,
    compile_value,
    rename_step,
    rename_step_in_template,
    rename_step_in_value,
    resolve,
    value_references,
)

CONTEXT = {"a": "x", "n": 1, "f": 2.0, "none": None, "list": [1, {"k": "v"}], "steps": {"s": {"output": {"id": "i-1"}}}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain } text {", "plain } text {"),
        ("", ""),
        ("{{ n }}", 1),
        ("{{n}}", 1),
        ("{{ list }}", [1, {"k": "v"}]),
        ("{{ none }}", None),
        (" {{ n }}", " 1"),
        ("{{ a }}-{{ n }}-{{ f }}-{{ none }}", "x-1-2-null"),
        ("list: {{ list }}", 'list: [1,{"k":"v"}]'),
        ("{{ {'a': {'b': n}} }}", {"a": {"b": 1}}),
        ("{{{'a': n}}}", {"a": 1}),
        ("{{ '}}' }}!", "}}!"),
        ('{{ "{{" }} a {{ "}}" }}', "{{ a }}"),
        ("{{ a }} }} {{ n }}", "x }} 1"),
        ("{{ {{ n }} + 1 }}", 2),
        ("'quoted' {{ a }} # not ~ lexed `", "'quoted' x # not ~ lexed `"),
    ],
)
def test_templates(text: str, expected: Any) -> None:
    """One expression alone keeps its type; several parts are joined as text."""
    found = compile_template(text).evaluate(CONTEXT)

    assert (expected, type(expected)) == (found, type(found))


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("ab {{ n", 4),
        ("{{ }}", 1),
        ("{{ n } }", 6),
        ("x {{ n m }}", 8),
        ("x {{ 'open }}", 6),
        ("x {{ nope('a') }}", 6),
    ],
)
def test_a_broken_template_says_where(text: str, column: int) -> None:
    """The column is the one in the whole text."""
    with pytest.raises(ExpressionError) as caught:
        compile_template(text)

    assert column == caught.value.details["column"]


def test_an_error_at_run_time_points_into_the_whole_text() -> None:
    """The column of a missing name counts from the start of the field."""
    with pytest.raises(MissingValue) as caught:
        compile_template("id {{ steps.s.output.idd }}").evaluate(CONTEXT)

    assert 22 == caught.value.details["column"]
    assert ["id"] == caught.value.details["near"]


def test_values_are_filled_in_everywhere_but_in_keys() -> None:
    """Strings inside lists and objects are templates; keys are left alone."""
    value = {"{{ a }}": ["{{ n }}", {"url": "/{{ steps.s.output.id }}"}, 5], "same": {"deep": [1, 2]}}

    assert {"{{ a }}": [1, {"url": "/i-1"}, 5], "same": {"deep": [1, 2]}} == resolve(value, CONTEXT)
    assert ["{{ n }}", {"url": "/{{ steps.s.output.id }}"}, 5] == value["{{ a }}"]


def test_constant_parts_cost_nothing() -> None:
    """What holds no template is handed on as it is, and a value without any is itself."""
    constant = {"big": list(range(100))}
    value = {"constant": constant, "filled": "{{ n }}"}

    assert constant is resolve(value, CONTEXT)["constant"]
    assert compile_value(constant).is_constant
    assert constant is compile_value(constant).evaluate(CONTEXT)


def test_references_of_a_value_have_pointers() -> None:
    """Each reference says which string it stands in."""
    value = {"a/b": ["{{ steps.s.output }} {{ n }}"], "c~": "{{ steps.t.error ?? '' }}"}

    found = [(it.pointer, it.reference.path, it.reference.is_optional) for it in value_references(value)]

    assert [
        ("/a~1b/0", ("steps", "s", "output"), False),
        ("/a~1b/0", ("n",), False),
        ("/c~0", ("steps", "t", "error"), True),
    ] == found
    assert frozenset({"s", "t"}) == compile_value(value).step_names
    assert frozenset({"steps", "n"}) == compile_value(value).roots


@pytest.mark.parametrize("text", ["{{ nope }}", "{{ nope"])
def test_an_error_in_a_value_has_a_pointer(text: str) -> None:
    """Compile-time and run-time errors both say which part of the value they are in."""
    with pytest.raises(ExpressionError) as caught:
        resolve({"json": [1, text]}, CONTEXT)

    assert "/json/1" == caught.value.details["pointer"]
    assert str(caught.value).startswith("/json/1: ")


def test_a_value_nested_too_deep_is_refused() -> None:
    """Depth is bounded before recursion is."""
    value: Any = "{{ n }}"
    for _ in range(5_000):
        value = [value]

    with pytest.raises(ExpressionLimitError):
        compile_value(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps.old.output.old == 'steps.old'", "steps.new.output.old == 'steps.old'"),
        ("steps['old'].x + steps[\"old\"].y", "steps['new'].x + steps[\"new\"].y"),
        ("{{ steps.old }} == 1 &&  old.steps.old", "{{ steps.new }} == 1 &&  old.steps.old"),
        ("steps.older.x", "steps.older.x"),
        ("x.map(steps, steps.old)", "x.map(steps, steps.old)"),
        ("x.map(i, steps.old[i])", "x.map(i, steps.new[i])"),
        ("has(steps . old . x)", "has(steps . new . x)"),
        ("steps.old.x ??", "steps.old.x ??"),
    ],
)
def test_renaming_a_step_in_an_expression(text: str, expected: str) -> None:
    """Exactly the references to the step change, and broken text stays as it is."""
    assert expected == rename_step(text, "old", "new")


def test_renaming_a_step_in_templates_and_values() -> None:
    """Text outside the braces is text, whatever it looks like."""
    assert "steps.old {{ steps.new.x }}" == rename_step_in_template("steps.old {{ steps.old.x }}", "old", "new")
    value = {"steps.old": ["{{ steps.old.x }}", "steps.old", 1, None]}
    assert {"steps.old": ["{{ steps.new.x }}", "steps.old", 1, None]} == rename_step_in_value(value, "old", "new")


NAMES = st.sampled_from(["alpha", "beta", "gamma_2"])
PIECES = st.lists(
    st.one_of(
        st.text(alphabet="ab {}é'\n", max_size=6).filter(lambda text: "{{" not in text and not text.endswith("{")),
        NAMES.map(lambda name: f"{{{{ steps.{name}.output }}}}"),
        NAMES.map(lambda name: f"{{{{steps['{name}'].x ?? 'steps.{name}'}}}}"),
    ),
    max_size=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pieces=PIECES, old=NAMES)
def test_renaming_there_and_back_changes_nothing(pieces: list[str], old: str) -> None:
    """Renaming to a fresh name and back is the identity, and afterwards nobody names the old one."""
    text = "".join(pieces)
    try:
        compile_template(text)
    except ExpressionError:
        return

    renamed = rename_step_in_template(text, old, "fresh")

    assert old not in compile_template(renamed).step_names
    assert text == rename_step_in_template(renamed, "fresh", old)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(alphabet="ab{} n", max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=JSON)
def test_only_expression_errors_come_out_of_values(value: Any) -> None:
    """Whatever the JSON: it resolves, or one typed error says why not; without braces it is unchanged."""
    try:
        resolved = resolve(value, CONTEXT)
    except ExpressionError as error:
        assert error.details["column"]
        return
    if "{{" not in repr(value):
        assert value == resolved
