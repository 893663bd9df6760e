"""`data/transform`: pure, bounded, and clear about what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.actions import items
from canvas.actions.failures import ActionFailed
from canvas.actions.registry import InvalidArguments, registry

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


async def transform(make_context, **arguments):
    return (await registry()["data/transform"].call(arguments, make_context()))["result"]


async def test_an_expression_gives_the_result(make_context):
    """The expression sees the values as `input`."""
    assert [3, 4] == await transform(make_context, input=[1, 2], expression="input.map(x, x + 2)")


async def test_a_mapping_makes_one_object_per_item(make_context):
    """Over a list, each field is evaluated per item."""
    result = await transform(
        make_context, input=[{"a": 1}, {"a": 2}], mapping={"b": "item.a * 10", "at": "index", "of": "size(input)"}
    )

    assert [{"b": 10, "at": 0, "of": 2}, {"b": 20, "at": 1, "of": 2}] == result


async def test_a_mapping_over_anything_else_makes_one_object(make_context):
    """Over an object or a plain value there is just `input`."""
    assert {"b": 2} == await transform(make_context, input={"a": 1}, mapping={"b": "input.a + 1"})


@pytest.mark.parametrize("arguments", [{}, {"expression": "1", "mapping": {"a": "1"}}, {"expression": "  "}])
async def test_expression_and_mapping_exclude_each_other(make_context, arguments):
    """Neither or both is told before anything is computed."""
    with pytest.raises(InvalidArguments, match="either an expression or a mapping"):
        await transform(make_context, **arguments)


@pytest.mark.parametrize("expression", ["input.nope", "1 +", "input + 1", "range(1000000)"])
async def test_a_bad_expression_fails_for_good(make_context, expression):
    """The failure carries the expression's own words and place; trying again would not help."""
    with pytest.raises(ActionFailed) as caught:
        await transform(make_context, input={}, expression=expression)

    assert ("data_failed", False) == (caught.value.code, caught.value.retryable)
    assert caught.value.details["column"] >= 1


async def test_a_long_list_is_bounded(make_context, monkeypatch):
    """More items than one step should hold are refused before any work."""
    monkeypatch.setattr(items, "MAX_ITEMS", 2)
    with pytest.raises(items.DataFailed, match="at most 2"):
        await transform(make_context, input=[1, 2, 3], mapping={"a": "item"})


async def test_a_slow_mapping_is_cut_off(make_context, monkeypatch):
    """The time limit is looked at between items."""
    monkeypatch.setattr(items, "MAX_SECONDS", -1.0)
    with pytest.raises(items.DataFailed, match="longer than"):
        await transform(make_context, input=[1, 2, 3], mapping={"a": "item"})


@given(values)
async def test_values_pass_unchanged(value):
    """Identity is identity, for any JSON value."""
    result = await registry()["data/transform"].call({"input": value, "expression": "input"}, None)

    assert {"result": value} == result
