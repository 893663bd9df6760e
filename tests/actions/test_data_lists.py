"""`data/filter` and `data/aggregate` against a plain model of what they promise."""

import statistics
from fractions import Fraction
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.actions import items
from canvas.actions.failures import ActionFailed
from canvas.actions.registry import InvalidArguments, registry
from tests.yardstick import effort

rows = st.lists(
    st.fixed_dictionaries(
        {
            "group": st.sampled_from(["a", "b", "", 1, 1.0, True, None, [1], {"x": 1}]),
            "n": st.none() | st.integers(-3, 3) | st.floats(-3, 3),
            "s": st.none() | st.text(max_size=3),
        }
    ),
    max_size=30,
)


async def call(name: str, **arguments: Any) -> Any:
    return await registry()[name].call(arguments, None)


def same(a: Any, b: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def model_of_sort(found: list[Any], keys: list[tuple[str, bool]]) -> list[Any]:
    """Compare item by item, the slow and obvious way: each goes behind all that are not larger."""

    def is_before(one: Any, other: Any) -> bool:
        for key, descending in keys:
            a, b = one[key], other[key]
            if a is None or b is None:
                if (a is None) != (b is None):
                    return b is None
                continue
            if a != b:
                return (a > b) if descending else (a < b)
        return False

    result: list[Any] = []
    for item in found:
        place = len(result)
        while place and is_before(item, result[place - 1]):
            place -= 1
        result.insert(place, item)
    return result


@given(
    rows,
    st.integers(-4, 1),
    st.lists(st.tuples(st.sampled_from(["n", "s"]), st.booleans()), max_size=2),
    st.booleans(),
    st.integers(0, 5),
    st.none() | st.integers(0, 10),
)
async def test_a_filter_does_what_its_model_does(given_rows, least, keys, is_distinct, offset, limit):
    """Choose, sort (stable, null last), drop repetitions, cut: for any rows."""
    expected = [row for row in given_rows if row["n"] is not None and row["n"] >= least]
    expected = model_of_sort(expected, keys)
    if is_distinct:
        kept: list[Any] = []
        for row in expected:
            if not any(same(row["group"], other["group"]) for other in kept):
                kept.append(row)
        expected = kept

    result = await call(
        "data/filter",
        input=given_rows,
        where=f"item.n != null && item.n >= {least}",
        sort=[{"by": f"item.{key}", "descending": descending} for key, descending in keys],
        distinct_by="item.group" if is_distinct else "",
        offset=offset,
        **({} if limit is None else {"limit": limit}),
    )

    cut = expected[offset:][: len(expected) if limit is None else limit]
    assert {"items": cut, "count": len(cut), "found": len(expected)} == result


async def test_the_first_thing_to_sort_by_counts_most():
    """The second one decides among those that are equal in the first, each in its own direction."""
    rows = [{"k": key, "n": number} for key, number in [("b", 1), ("a", 1), ("b", 2), ("a", 3), ("a", 2)]]

    result = await call("data/filter", input=rows, sort=[{"by": "item.k"}, {"by": "item.n", "descending": True}])

    assert ["a3", "a2", "a1", "b2", "b1"] == [f"{row['k']}{row['n']}" for row in result["items"]]


def model_of(function: str, values: list[Any]) -> Any:
    if function in ("count", "list"):
        return len(values) if function == "count" else values
    if function == "sum":
        return float(sum(map(Fraction, values))) if values else 0
    if not values:
        return None
    models = {
        "avg": lambda: float(sum(map(Fraction, values)) / len(values)),
        "min": lambda: min(values),
        "max": lambda: max(values),
        "median": lambda: statistics.median(values),
        "first": lambda: values[0],
        "last": lambda: values[-1],
    }
    return models[function]()


FUNCTIONS = ["count", "sum", "avg", "min", "max", "median", "first", "last", "list"]


@given(rows, st.booleans())
async def test_figures_are_those_of_the_model(given_rows, is_grouped):
    """Every function, over any numbers, in groups that keep the order of their first item."""
    measures = [{"name": function, "function": function, "of": "item.n"} for function in FUNCTIONS]
    group_by = {"group": "item.group"} if is_grouped else {}

    groups = (await call("data/aggregate", input=given_rows, group_by=group_by, measures=measures))["groups"]

    expected: list[tuple[Any, list[Any]]] = [] if is_grouped else [(None, [])]
    for row in given_rows:
        fitting = [it for it in expected if not is_grouped or same(it[0], row["group"])]
        if not fitting:
            expected.append((row["group"], fitting_values := []))
        else:
            fitting_values = fitting[0][1]
        if row["n"] is not None:
            fitting_values.append(row["n"])
    assert len(expected) == len(groups)
    for (key, values), group in zip(expected, groups, strict=True):
        assert not is_grouped or same(key, group["group"])
        for function in FUNCTIONS:
            assert pytest.approx(model_of(function, values), abs=1e-9) == group[function], function


@given(rows)
async def test_groups_divide_the_list(given_rows):
    """Each item is in exactly one group, and order inside a group is that of the list."""
    groups = (
        await call(
            "data/aggregate",
            input=given_rows,
            group_by={"g": "item.group"},
            measures=[{"name": "all", "function": "list"}],
        )
    )["groups"]

    assert len(given_rows) == sum(len(group["all"]) for group in groups)
    for group in groups:
        assert [row for row in given_rows if same(row["group"], group["g"])] == group["all"]


async def test_whole_numbers_stay_whole():
    """A sum of integers is an integer, exactly; a sum with a float in it is rounded once, at the end."""
    measures = [{"name": "sum", "function": "sum"}]

    assert [{"sum": 2**62 + 1}] == (await call("data/aggregate", input=[2**62, 1], measures=measures))["groups"]
    assert [{"sum": 1.0}] == (await call("data/aggregate", input=[0.1] * 10, measures=measures))["groups"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"where": "item.nope"}, r"where, item 0: .*nope"),
        ({"where": "item.n"}, r"where, item 0: it has to be true or false, and is a number"),
        ({"where": "item.n >"}, r"where: "),
        ({"sort": [{"by": "item"}]}, r"sort: `item` gives objects; sort by"),
        ({"sort": [{"by": "item.mixed"}]}, r"gives numbers and texts; sort by"),
        ({"distinct_by": "item.nope"}, r"distinct_by, item 0: .*nope"),
    ],
)
async def test_a_filter_says_what_it_cannot_do(arguments, told):
    """The failure names the argument, the item and the reason, and is for good."""
    with pytest.raises(ActionFailed, match=told) as caught:
        await call("data/filter", input=[{"n": 1, "mixed": 1}, {"n": 2, "mixed": "x"}], **arguments)

    assert ("data_failed", False) == (caught.value.code, caught.value.retryable)


@pytest.mark.parametrize(
    ("function", "values", "told"),
    [
        ("sum", [1, "2"], "sum needs numbers, and some values are numbers and texts"),
        ("avg", [True], "avg needs numbers, and some values are truth values"),
        ("max", [1, "2"], "max needs numbers or texts; the values are numbers and texts"),
        ("min", [[1]], "min needs numbers or texts; the values are lists"),
        ("sum", [2**62, 2**62], "the sum is larger than numbers can be here"),
        ("sum", [1e308, 1e308], "the sum is larger than numbers can be here"),
    ],
)
async def test_a_figure_that_makes_no_sense_fails(function, values, told):
    """Nothing is guessed: numbers in quotes are no numbers, and what does not fit is told."""
    with pytest.raises(items.DataFailed, match=told):
        await call("data/aggregate", input=values, measures=[{"name": "it", "function": function}])


async def test_names_of_figures_differ():
    """A measure that would overwrite another, or the group's own name, is refused at once."""
    with pytest.raises(InvalidArguments, match="'a' is there twice"):
        await call("data/aggregate", input=[], group_by={"a": "item"}, measures=[{"name": "a"}])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("data/filter", {"where": "true"}), ("data/aggregate", {"measures": [{"name": "n"}]})],
)
async def test_lists_are_bounded(monkeypatch, name, arguments):
    """More items than one step should hold, or too much time, ends the step."""
    monkeypatch.setattr(items, "MAX_ITEMS", 2)
    with pytest.raises(items.DataFailed, match="at most 2"):
        await call(name, input=[1, 2, 3], **arguments)

    monkeypatch.setattr(items, "MAX_SECONDS", -1.0)
    with pytest.raises(items.DataFailed, match="longer than"):
        await call(name, input=[1, 2], **arguments)


def test_effort_grows_with_the_list_and_no_faster():
    """Ten times the items cost about ten times the effort."""
    from canvas.actions.data_aggregate import Aggregate, Measure, _aggregate
    from canvas.actions.data_filter import Filter, Order, _filter

    def work(size: int) -> float:
        values = [{"k": number % 97, "n": number} for number in range(size)]
        chosen = Filter(input=values, where="item.n % 2 == 0", sort=[Order(by="item.k")], distinct_by="item.n")
        summed = Aggregate(input=values, group_by={"k": "item.k"}, measures=[Measure(name="n", of="item.n")])
        return effort(lambda: (_filter(chosen), _aggregate(summed)))

    work(100)
    assert work(20_000) < 25 * max(work(2_000), 0.001)


def test_equal_values_are_one_key():
    """What is compared as one is what JSON calls equal, whatever its nesting."""
    values = [1, 1.0, True, "1", None, [1], [1.0], [True], {"a": 1}, {"a": 1.0}, {"a": True}, [["a", 1]]]

    keys = [items.same(value) for value in values]

    assert [0, 0, 2, 3, 4, 5, 5, 7, 8, 8, 10, 11] == [keys.index(key) for key in keys]
    assert 9 == len(list(groupby(sorted(keys.index(key) for key in keys))))


def test_a_value_nested_too_deep_cannot_be_compared():
    """It ends as a failure, not as an error of ours."""
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]

    with pytest.raises(items.DataFailed, match="too deep"):
        items.same(deep)
