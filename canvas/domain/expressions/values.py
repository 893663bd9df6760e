"""JSON values: their types' names, their size, equality, and how they read as text. Every walk pays for itself."""

from collections.abc import Mapping
from typing import Any

import orjson

from canvas.domain.expressions.faults import ExpressionLimitError, ExpressionTypeError
from canvas.domain.expressions.limits import MAX_RESULT, Meter

_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "list", dict: "object"}
_NUMBERS = (int, float)
_SCALARS = (str, int, float, bool, type(None))


def type_name(value: Any) -> str:
    """Name a value's type as parameters do: string, integer, number, boolean, list, object, null."""
    if value is None:
        return "null"
    found = _NAMES.get(type(value))
    return found or ("object" if isinstance(value, Mapping) else type(value).__name__)


def article(name: str) -> str:
    """Put `a` or `an` before a type's name; null has neither."""
    return name if name == "null" else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def describe(value: Any) -> str:
    """Name a value's type with its article."""
    return article(type_name(value))


def plain(value: Any) -> Any:
    """Turn a lazily read mapping into a dict; leave everything else as it is."""
    return dict(value) if isinstance(value, Mapping) and type(value) is not dict else value


def measure(value: Any, meter: Meter) -> int:
    """Estimate the bytes of a value's JSON, paying one unit of work for each part.

    Raises:
        ExpressionLimitError: The work is used up before the walk is.
        ExpressionTypeError: A part is no JSON.
    """
    size, left = 0, [value]
    while left:
        item = left.pop()
        kind = type(item)
        if kind is list:
            meter.spend(3 + len(item))
            size += 2 + len(item)
            left.extend(item)
        elif isinstance(item, Mapping):
            meter.spend(3 + 2 * len(item))
            size += 2 + sum(len(key) + 4 for key in item)
            left.extend(item.values())
        elif isinstance(item, str):
            size += len(item) + 2
        elif isinstance(item, _SCALARS):
            size += 8
        else:
            raise ExpressionTypeError(f"{kind.__name__} is no JSON value.")
    return size


def check_result(value: Any, meter: Meter) -> Any:
    """Let a result pass that is JSON and within the limit.

    Raises:
        ExpressionLimitError: It is larger than 1 MiB.
        ExpressionTypeError: It is no JSON.
    """
    kind = type(value)
    if kind is bool or kind is int or value is None or kind is float:
        return value
    value = plain(value)
    size = len(value) if kind is str else measure(value, meter)
    if size > MAX_RESULT:
        raise ExpressionLimitError(f"The result is larger than {MAX_RESULT // 1024**2} MiB.", limit="result")
    return value


def to_json(value: Any, meter: Meter) -> str:
    """Write a value as compact JSON.

    Raises:
        ExpressionLimitError: It is larger than what is left of the budget.
        ExpressionTypeError: A part is no JSON.
    """
    meter.spend(1, measure(value, meter))
    try:
        return orjson.dumps(value, default=plain).decode()
    except TypeError as error:
        raise ExpressionTypeError(f"This cannot be written as JSON: {error}.") from None


def to_text(value: Any, meter: Meter) -> str:
    """Write a value as people read it: strings as they are, whole numbers without a point, lists as JSON."""
    kind = type(value)
    if kind is str:
        return str(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return str(value) if isinstance(value, str) else to_json(value, meter)


def is_number(value: Any) -> bool:
    """Tell whether a value is a number; true and false are not."""
    kind = type(value)
    return kind is int or kind is float


def equals(a: Any, b: Any, meter: Meter) -> bool:
    """Compare by value and type: 1 equals 1.0, and true equals nothing but true."""
    kind, other = type(a), type(b)
    if kind is other and kind in _SCALARS:
        return bool(a == b)
    if kind in _NUMBERS and other in _NUMBERS:
        return bool(a == b)
    if isinstance(a, str) and isinstance(b, str):
        return str(a) == str(b)
    if kind is list and other is list:
        return len(a) == len(b) and _lists_equal(a, b, meter)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return len(a) == len(b) and _objects_equal(a, b, meter)
    return False


def _lists_equal(a: list[Any], b: list[Any], meter: Meter) -> bool:
    for one, other in zip(a, b, strict=True):
        meter.spend(4)
        if not equals(one, other, meter):
            return False
    return True


def _objects_equal(a: Mapping[str, Any], b: Mapping[str, Any], meter: Meter) -> bool:
    for key, one in a.items():
        meter.spend(4)
        if key not in b or not equals(one, b[key], meter):
            return False
    return True


def contains(container: Any, part: Any, meter: Meter) -> bool:
    """Tell whether a list has an element, an object a key, or a string a part.

    Raises:
        ExpressionTypeError: The container is none of the three, or the part does not fit a string.
    """
    if isinstance(container, str):
        if not isinstance(part, str):
            raise ExpressionTypeError(f"A string contains strings, not {describe(part)}.")
        meter.spend(1 + len(container) // 64)
        return part in container
    if type(container) is list:
        return _list_contains(container, part, meter)
    if isinstance(container, Mapping):
        return isinstance(part, str) and part in container
    raise ExpressionTypeError(f"Only a string, a list or an object contains something; this is {describe(container)}.")


def _list_contains(items: list[Any], part: Any, meter: Meter) -> bool:
    for item in items:
        meter.spend(2)
        if equals(item, part, meter):
            return True
    return False
