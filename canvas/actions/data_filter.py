"""Choosing from a list: what fits, in which order, how many."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from canvas.actions.context import ActionContext
from canvas.actions.items import DataFailed, Expression, bounded, compiled, evaluated, kind_of, many, same
from canvas.actions.registry import Arguments, action

_IN_ORDER = frozenset({"number", "text", "truth value"})


class Order(Arguments):
    """One thing to sort by."""

    by: Expression = Field(min_length=1, description="What to compare, for example `item.due`. Without braces.")
    descending: bool = Field(default=False, description="The largest, or the last of the alphabet, comes first.")


class Filter(Arguments):
    """A list and what to keep of it."""

    input: list[Any] = Field(
        description="The list to choose from, for example `{{ steps.orders.output.body }}`.",
        json_schema_extra={"x-widget": "value"},
    )
    where: Expression = Field(
        default="",
        description="True for the items to keep, for example `item.amount > 100`. Sees `item`, `index` and `input`. "
        "Without braces. Empty: all of them.",
    )
    sort: list[Order] = Field(
        default_factory=list,
        max_length=8,
        description="What to sort by; the second counts where the first is equal. Numbers and texts can be sorted; "
        "items for which it is null come last. Empty: the order of the input.",
    )
    distinct_by: Expression = Field(
        default="",
        description="Of items for which this is equal only the first is kept, for example `item.customer`. "
        "`item` drops exact repetitions. Empty: all stay.",
    )
    offset: int = Field(default=0, ge=0, description="Leave out so many from the start of what was found.")
    limit: int | None = Field(default=None, ge=0, description="Keep at most so many. Empty: all of them.")


class Filtered(BaseModel):
    """What was kept."""

    items: list[Any] = Field(description="The chosen items.")
    count: int = Field(description="How many were chosen.")
    found: int = Field(description="How many there were before offset and limit.")


@action(
    "data/filter",
    title="Filter a list",
    category="Data",
    icon="filter",
    idempotent=True,
    touches_world=False,
    permissions=(),
    security="Only computes, on the values it is given; expressions cannot reach anything else. "
    "At most 100,000 items and 10 seconds.",
    example=Filter(
        input=[{"id": 7, "net": 100}, {"id": 8, "net": 50}, {"id": 9, "net": 300}],
        where="item.net >= 100",
        sort=[Order(by="item.net", descending=True)],
        limit=10,
    ),
    example_result=Filtered(items=[{"id": 9, "net": 300}, {"id": 7, "net": 100}], count=2, found=2),
)
async def filter_list(args: Filter, context: ActionContext) -> Filtered:
    """Keep the items of a list that fit, sort them, drop repetitions, and take the first so many.

    It goes in this order: choose, sort, drop repetitions, cut. Computes only: the same input gives the same result, and
    a dry run really does it.
    """
    del context
    return await asyncio.to_thread(_filter, args)


def _filter(args: Filter) -> Filtered:
    found = _distinct(_sorted(_chosen(args), args), args)
    end = None if args.limit is None else args.offset + args.limit
    items = found[args.offset : end]
    return Filtered(items=items, count=len(items), found=len(found))


def _chosen(args: Filter) -> list[Any]:
    if not args.where.strip():
        return [item for _, item in bounded(args.input, "filtered")]
    program = compiled(args.where, "where")
    kept = []
    for index, item in bounded(args.input, "filtered"):
        verdict = evaluated(program, {"input": args.input, "item": item, "index": index}, "where")
        if not isinstance(verdict, bool):
            raise DataFailed(
                f"where, item {index}: it has to be true or false, and is a {kind_of(verdict)}; compare it with "
                "something, such as `item.amount > 100`.",
                item=index,
            )
        if verdict:
            kept.append(item)
    return kept


def _sorted(items: list[Any], args: Filter) -> list[Any]:
    for order in reversed(args.sort):  # sorting is stable: what counts most comes last
        keys = _values(items, order.by, args, "sort")
        kinds = {kind_of(key) for key in keys} - {"null"}
        if len(kinds) > 1 or kinds - _IN_ORDER:
            raise DataFailed(f"sort: `{order.by}` gives {many(kinds)}; sort by numbers alone or by texts alone.")
        present = [place for place, key in enumerate(keys) if key is not None]
        absent = [place for place, key in enumerate(keys) if key is None]
        present.sort(key=keys.__getitem__, reverse=order.descending)
        items = [items[place] for place in (*present, *absent)]
    return items


def _distinct(items: list[Any], args: Filter) -> list[Any]:
    if not args.distinct_by.strip():
        return items
    first: dict[Any, Any] = {}
    for key, item in zip(_values(items, args.distinct_by, args, "distinct_by"), items, strict=True):
        first.setdefault(same(key), item)
    return list(first.values())


def _values(items: Sequence[Any], text: str, args: Filter, argument: str) -> list[Any]:
    program = compiled(text, argument)
    return [
        evaluated(program, {"input": args.input, "item": item, "index": index}, argument)
        for index, item in bounded(items, "filtered")
    ]
