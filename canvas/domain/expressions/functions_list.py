"""Functions on lists and objects."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from canvas.domain.expressions import values
from canvas.domain.expressions.catalogue import function
from canvas.domain.expressions.faults import ExpressionTypeError, ExpressionValueError, MissingValue
from canvas.domain.expressions.limits import Meter
from canvas.domain.expressions.operators import checked

_list = partial(function, "Lists")
_object = partial(function, "Objects")


def _built(meter: Meter, count: int, *, each: int = 1) -> None:
    meter.spend(1 + count * each, 64 + 8 * count)


@_list("first(items: list) -> any", "first([1, 2])", 1)
def first(meter: Meter, items: list[Any]) -> Any:
    """The first element; an empty list has none, which `??` can answer."""
    if not items:
        raise MissingValue("This list is empty and has no first element.")
    return items[0]


@_list("last(items: list) -> any", "last([1, 2])", 2)
def last(meter: Meter, items: list[Any]) -> Any:
    """The last element; an empty list has none, which `??` can answer."""
    if not items:
        raise MissingValue("This list is empty and has no last element.")
    return items[-1]


@_list("slice(value: string|list, start: integer, end?: integer) -> any", "slice([1, 2, 3, 4], 1, 3)", [2, 3])
def slice_of(meter: Meter, value: Any, start: int, end: int | None = None) -> Any:
    """The part from `start` up to, without, `end`; from 0, and negative positions count from the end."""
    part = value[start:end]
    meter.spend(1 + len(part) // 16, 64 + 8 * len(part))
    return part


@_list("range(start: integer, end?: integer, step?: integer) -> list", "range(3)", [0, 1, 2])
def numbers(meter: Meter, start: int, end: int | None = None, step: int = 1) -> list[int]:
    """Whole numbers from `start` up to, without, `end`; with one argument from 0 up to it."""
    if step == 0:
        raise ExpressionValueError("`range` cannot step by 0.")
    found = range(start) if end is None else range(start, end, step)
    count = max(0, (found.stop - found.start + found.step - (1 if found.step > 0 else -1)) // found.step)
    _built(meter, count)
    return list(found)


@_list("sort(items: list, key?: string) -> list", "sort([{'n': 2}, {'n': 1}], 'n')", [{"n": 1}, {"n": 2}])
def sort(meter: Meter, items: list[Any], key: str | None = None) -> list[Any]:
    """Put numbers or strings in order, or objects by one of their keys; equals keep their order."""
    _built(meter, len(items), each=len(items).bit_length() + 2)
    ranks = items if key is None else [_member(item, key) for item in items]
    _check_comparable("sort", ranks)
    if key is None:
        return sorted(items)
    return [items[index] for index in sorted(range(len(items)), key=ranks.__getitem__)]


def _member(item: Any, key: str) -> Any:
    if not isinstance(item, Mapping) or key not in item:
        raise MissingValue(f"`sort` finds no `{key[:40]}` in one of the elements.")
    return item[key]


def _check_comparable(name: str, items: list[Any]) -> None:
    is_text = bool(items) and isinstance(items[0], str)
    for item in items:
        if not (isinstance(item, str) if is_text else values.is_number(item)):
            raise ExpressionTypeError(f"`{name}` takes numbers only or strings only, not {values.describe(item)}.")


@_list("reverse(items: list) -> list", "reverse([1, 2])", [2, 1])
def reverse(meter: Meter, items: list[Any]) -> list[Any]:
    """The elements from the last to the first."""
    _built(meter, len(items))
    return items[::-1]


@_list("distinct(items: list) -> list", "distinct([1, 2, 1])", [1, 2])
def distinct(meter: Meter, items: list[Any]) -> list[Any]:
    """Every element once, where it came first."""
    _built(meter, len(items), each=4)
    seen: set[Any] = set()
    found = []
    for item in items:
        mark = _mark(item, meter)
        if mark not in seen:
            seen.add(mark)
            found.append(item)
    return found


def _mark(value: Any, meter: Meter) -> Any:
    """Equal values, and only they, have equal marks."""
    if isinstance(value, Mapping):
        meter.spend(4 + 6 * len(value), 64 * len(value))
        return (dict, frozenset((key, _mark(item, meter)) for key, item in value.items()))
    if type(value) is list:
        meter.spend(4 + 4 * len(value), 32 * len(value))
        return (list, tuple(_mark(item, meter) for item in value))
    return (float if values.is_number(value) else type(value), value)


@_list("flatten(items: list) -> list", "flatten([[1], [2, 3], 4])", [1, 2, 3, 4])
def flatten(meter: Meter, items: list[Any]) -> list[Any]:
    """Replace the lists among the elements by their elements, one level deep."""
    found: list[Any] = []
    for item in items:
        part = item if type(item) is list else [item]
        _built(meter, len(part), each=1)
        found.extend(part)
    return found


@_list("sum(items: list) -> number", "sum([1, 2.5])", 3.5)
def total(meter: Meter, items: list[Any]) -> Any:
    """Add the elements; nothing adds up to 0."""
    meter.spend(1 + len(items))
    for item in items:
        if not values.is_number(item):
            raise ExpressionTypeError(f"`sum` takes numbers, not {values.describe(item)}.")
    return checked(_added(items))


def _added(items: list[Any]) -> Any:
    try:
        return sum(items)
    except OverflowError:
        raise ExpressionValueError("The sum is too large a number.") from None


@_list("avg(items: list) -> number", "avg([1, 2])", 1.5)
def average(meter: Meter, items: list[Any]) -> Any:
    """The mean of the elements."""
    if not items:
        raise MissingValue("This list is empty and has no average.")
    return checked(total(meter, items) / len(items))


@_list("min(...values: any) -> any", "min([3, 1, 2])", 1)
def least(meter: Meter, *found: Any) -> Any:
    """The smallest element of a list, or of several arguments: numbers only or strings only."""
    return min(_candidates("min", meter, found))


@_list("max(...values: any) -> any", "max(3, 7)", 7)
def greatest(meter: Meter, *found: Any) -> Any:
    """The largest element of a list, or of several arguments: numbers only or strings only."""
    return max(_candidates("max", meter, found))


def _candidates(name: str, meter: Meter, found: tuple[Any, ...]) -> list[Any]:
    items = found[0] if len(found) == 1 and type(found[0]) is list else list(found)
    meter.spend(1 + len(items))
    if not items:
        raise MissingValue(f"`{name}` of nothing is nothing.")
    _check_comparable(name, items)
    return items


@_object("keys(value: object) -> list", "keys({'a': 1, 'b': 2})", ["a", "b"])
def keys(meter: Meter, value: dict[str, Any]) -> list[str]:
    """The keys, in their order."""
    _built(meter, len(value))
    return list(value)


@_object("values(value: object) -> list", "values({'a': 1, 'b': 2})", [1, 2])
def values_of(meter: Meter, value: dict[str, Any]) -> list[Any]:
    """The values, in the order of their keys."""
    _built(meter, len(value))
    return list(value.values())


@_object("entries(value: object) -> list", "entries({'a': 1})", [{"key": "a", "value": 1}])
def entries(meter: Meter, value: dict[str, Any]) -> list[dict[str, Any]]:
    """A list of `{key, value}`, so that the macros can see both."""
    meter.spend(1 + 2 * len(value), 256 * len(value))
    return [{"key": key, "value": item} for key, item in value.items()]


@_object("merge(...objects: object) -> object", "merge({'a': 1}, {'a': 2, 'b': 3})", {"a": 2, "b": 3})
def merge(meter: Meter, *objects: dict[str, Any]) -> dict[str, Any]:
    """One object with the keys of all; where two have the same key the later one counts."""
    found: dict[str, Any] = {}
    for part in objects:
        meter.spend(1 + len(part), 64 + 64 * len(part))
        found.update(part)
    return found
