"""Functions on numbers, and the changes of type."""

import math
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import partial
from typing import Any

import orjson

from canvas.domain.expressions import values
from canvas.domain.expressions.catalogue import function
from canvas.domain.expressions.faults import ExpressionValueError
from canvas.domain.expressions.limits import MAX_VALUE_DEPTH, Meter
from canvas.domain.expressions.operators import checked

_number = partial(function, "Numbers")
_type = partial(function, "Types")


@_number("abs(number: number) -> number", "abs(-3)", 3)
def absolute(meter: Meter, number: float) -> Any:
    """The number without its sign."""
    return checked(abs(number))


@_number("round(number: number, digits?: integer) -> number", "round(2.675, 2)", 2.68)
def rounded(meter: Meter, number: float, digits: int = 0) -> Any:
    """Round to so many digits after the point (0 to 15, none at first); a half goes away from zero."""
    if not 0 <= digits <= 15:
        raise ExpressionValueError("`round` takes 0 to 15 digits.")
    if type(number) is int:
        return number
    with localcontext(prec=400):
        exact = Decimal(repr(number)).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return checked(float(exact) if digits else int(exact))


@_number("floor(number: number) -> integer", "floor(7 / 2)", 3)
def floor(meter: Meter, number: float) -> Any:
    """The next whole number below."""
    return checked(math.floor(number))


@_number("ceil(number: number) -> integer", "ceil(7 / 2)", 4)
def ceil(meter: Meter, number: float) -> Any:
    """The next whole number above."""
    return checked(math.ceil(number))


@_type("int(value: string|number|boolean) -> integer", "int('42')", 42)
def integer(meter: Meter, value: Any) -> Any:
    """Read a whole number from text, or cut off what is behind a number's point."""
    if type(value) is not str:
        return checked(int(value))
    try:
        return checked(int(value[:64].replace("_", "x")))
    except ValueError:
        raise ExpressionValueError(f"`{value[:40]}` is no whole number.") from None


@_type("double(value: string|number) -> number", "double('1.5')", 1.5)
def double(meter: Meter, value: Any) -> Any:
    """Read a number from text, or make a whole number one with a point."""
    try:
        return checked(float(value[:64].replace("_", "x") if type(value) is str else value))
    except ValueError:
        raise ExpressionValueError(f"`{str(value)[:40]}` is no number.") from None


@_type("bool(value: string|boolean) -> boolean", "bool('true')", True)
def boolean(meter: Meter, value: Any) -> bool:
    """Read true or false from text; upper and lower case are the same."""
    if type(value) is bool:
        return value
    found = {"true": True, "false": False}.get(value[:8].lower())
    if found is None:
        raise ExpressionValueError(f"`{value[:40]}` is neither true nor false.")
    return found


@_type("type(value: any) -> string", "type([1])", "list")
def type_of(meter: Meter, value: Any) -> str:
    """Name the type: string, integer, number, boolean, list, object or null."""
    return values.type_name(value)


@_type("json(value: any) -> string", "json({'a': [1, true]})", '{"a":[1,true]}')
def json(meter: Meter, value: Any) -> str:
    """Write a value as JSON."""
    return values.to_json(value, meter)


@_type("parseJson(text: string) -> any", "parseJson('[1, 2]')", [1, 2])
def parse_json(meter: Meter, text: str) -> Any:
    """Read a value from JSON text."""
    meter.spend(1 + len(text) // 8, 4 * len(text))
    try:
        value = orjson.loads(text)
    except ValueError as error:
        raise ExpressionValueError(f"This is no JSON: {error}.") from None
    _check_depth(value, meter)
    return value


def _check_depth(value: Any, meter: Meter) -> None:
    level = [value]
    for _ in range(MAX_VALUE_DEPTH + 1):
        containers = [item for item in level if type(item) in (list, dict)]
        if not containers:
            return
        level = [part for item in containers for part in (item.values() if type(item) is dict else item)]
        meter.spend(1 + len(level) // 2)
    raise ExpressionValueError(f"This JSON goes more than {MAX_VALUE_DEPTH} levels deep.")
