"""Summing up a list: groups of items, and a few figures about each."""

import asyncio
import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field, model_validator

from canvas.actions.context import ActionContext
from canvas.actions.items import DataFailed, Expression, bounded, compiled, evaluated, kind_of, many, same
from canvas.actions.registry import Arguments, action

_WHOLE = 2**63


class Function(StrEnum):
    """What to work out about the items of a group."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    MEDIAN = "median"
    FIRST = "first"
    LAST = "last"
    LIST = "list"


class Measure(Arguments):
    """One figure about each group."""

    name: str = Field(min_length=1, max_length=200, description="What the figure is called in the result.")
    function: Function = Field(
        default=Function.COUNT,
        description="count, sum, avg (the mean), min, max, median, first, last, or list (all the values).",
    )
    of: Expression = Field(
        default="",
        description="The value of each item, for example `item.amount`. Without braces. Items for which it is null do "
        "not count. Empty: the item itself.",
    )


class Aggregate(Arguments):
    """A list, how to group it, and what to work out about each group."""

    input: list[Any] = Field(
        description="The list to sum up, for example `{{ steps.orders.output.body }}`.",
        json_schema_extra={"x-widget": "value"},
    )
    group_by: dict[str, Expression] = Field(
        default_factory=dict,
        description="Names and expressions, for example `country` and `item.address.country`: one group for each "
        "different value. Without braces. Empty: everything is one group.",
    )
    measures: list[Measure] = Field(min_length=1, max_length=50, description="What to work out about each group.")

    @model_validator(mode="after")
    def _names_differ(self) -> "Aggregate":
        names = [*self.group_by, *(measure.name for measure in self.measures)]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"the name {twice!r} is there twice")
        return self


class Aggregated(BaseModel):
    """The figures."""

    groups: list[dict[str, Any]] = Field(
        description="One object per group: what it is grouped by, and the measures. In the order the groups first "
        "appear. Without group_by exactly one, also for an empty list."
    )
    count: int = Field(description="How many groups there are.")


@action(
    "data/aggregate",
    title="Sum up a list",
    category="Data",
    icon="chart-column",
    idempotent=True,
    touches_world=False,
    permissions=(),
    security="Only computes, on the values it is given; expressions cannot reach anything else. "
    "At most 100,000 items and 10 seconds.",
    example=Aggregate(
        input=[{"country": "FR", "net": 100}, {"country": "ES", "net": 50}, {"country": "FR", "net": 20}],
        group_by={"country": "item.country"},
        measures=[Measure(name="orders"), Measure(name="total", function=Function.SUM, of="item.net")],
    ),
    example_result=Aggregated(
        groups=[{"country": "FR", "orders": 2, "total": 120}, {"country": "ES", "orders": 1, "total": 50}], count=2
    ),
)
async def aggregate(args: Aggregate, context: ActionContext) -> Aggregated:
    """Group the items of a list and work out figures about each group: count, sum, average, median and so on.

    Of nothing, count and sum are 0, list is empty, and everything else is null. Computes only: the same input gives the
    same result, and a dry run really does it.
    """
    del context
    groups = await asyncio.to_thread(_aggregate, args)
    return Aggregated(groups=groups, count=len(groups))


def _aggregate(args: Aggregate) -> list[dict[str, Any]]:
    keys = {name: compiled(text, f"group_by.{name}") for name, text in args.group_by.items()}
    values = {measure.name: compiled(measure.of or "item", measure.name) for measure in args.measures}
    found: dict[Any, tuple[dict[str, Any], dict[str, list[Any]]]] = {}
    if not keys:
        found[()] = {}, {name: [] for name in values}
    for index, item in bounded(args.input, "summed up"):
        names = {"input": args.input, "item": item, "index": index}
        group = {name: evaluated(program, names, f"group_by.{name}") for name, program in keys.items()}
        _, columns = found.setdefault(
            tuple(same(part) for part in group.values()), (group, {name: [] for name in values})
        )
        for name, program in values.items():
            if (value := evaluated(program, names, name)) is not None:
                columns[name].append(value)
    return [group | _figures(args.measures, columns) for group, columns in found.values()]


def _figures(measures: list[Measure], columns: Mapping[str, list[Any]]) -> dict[str, Any]:
    return {measure.name: _figure(measure, columns[measure.name]) for measure in measures}


def _figure(measure: Measure, values: list[Any]) -> Any:
    kinds = {kind_of(value) for value in values}
    if measure.function in _NUMBERS and kinds - {"number"}:
        raise DataFailed(f"{measure.name}: {measure.function} needs numbers, and some values are {many(kinds)}.")
    if measure.function in (Function.MIN, Function.MAX) and (len(kinds) > 1 or kinds - {"number", "text"}):
        raise DataFailed(f"{measure.name}: {measure.function} needs numbers or texts; the values are {many(kinds)}.")
    if not values and measure.function not in _OF_NOTHING:
        return None
    try:
        figure = _FUNCTIONS[measure.function](values)
    except OverflowError:
        figure = math.inf
    if isinstance(figure, int | float) and (not math.isfinite(figure) or _is_too_large(figure)):
        raise DataFailed(f"{measure.name}: the {measure.function} is larger than numbers can be here.")
    return figure


def _is_too_large(figure: float) -> bool:
    return isinstance(figure, int) and not -_WHOLE <= figure < _WHOLE


def _sum(values: list[Any]) -> Any:
    return sum(values) if all(isinstance(value, int) for value in values) else math.fsum(values)


def _median(values: list[Any]) -> Any:
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


_NUMBERS = frozenset({Function.SUM, Function.AVG, Function.MEDIAN})
_OF_NOTHING = frozenset({Function.COUNT, Function.SUM, Function.LIST})
_FUNCTIONS: Mapping[Function, Callable[[list[Any]], Any]] = {
    Function.COUNT: len,
    Function.SUM: _sum,
    Function.AVG: lambda values: _sum(values) / len(values),
    Function.MIN: min,
    Function.MAX: max,
    Function.MEDIAN: _median,
    Function.FIRST: lambda values: values[0],
    Function.LAST: lambda values: values[-1],
    Function.LIST: list,
}
