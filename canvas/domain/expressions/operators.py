"""What the operators do with two values. Numbers are 64-bit integers or finite floats; they mix."""

import math
import operator
from collections.abc import Callable
from typing import Any

from canvas.domain.expressions.faults import ExpressionTypeError, ExpressionValueError
from canvas.domain.expressions.limits import Meter
from canvas.domain.expressions.values import contains, describe, equals, is_number

BinaryOperator = Callable[[Any, Any, Meter], Any]


def checked(value: Any) -> Any:
    """Let a number pass that fits: 64 bits for an integer, finite for a float.

    Raises:
        ExpressionValueError: It does not fit.
    """
    if type(value) is int:
        if not -(2**63) <= value < 2**63:
            raise ExpressionValueError("The result is beyond 64 bits.")
    elif not math.isfinite(value):
        raise ExpressionValueError("The result is too large a number.")
    return value


def _refused(sign: str, a: Any, b: Any) -> ExpressionTypeError:
    hint = ""
    if sign == "+" and isinstance(a, str) != isinstance(b, str):
        hint = "Write `string(…)` around the other value to join it as text."
    sentence = f"`{sign}` cannot take {describe(a)} and {describe(b)}." + (f" {hint}" if hint else "")
    return ExpressionTypeError(sentence, hint=hint)


def add(a: Any, b: Any, meter: Meter) -> Any:
    """Add numbers, join strings or lists."""
    if is_number(a) and is_number(b):
        return checked(a + b)
    if type(a) is list and type(b) is list:
        size = len(a) + len(b)
        meter.spend(1 + size // 16, 64 + 8 * size)
        return a + b
    if isinstance(a, str) and isinstance(b, str):
        size = len(a) + len(b)
        meter.spend(1 + size // 1024, size)
        return a + b
    raise _refused("+", a, b)


def _arithmetic(sign: str, calculate: Callable[[Any, Any], Any]) -> BinaryOperator:
    def run(a: Any, b: Any, meter: Meter) -> Any:
        if not (is_number(a) and is_number(b)):
            raise _refused(sign, a, b)
        try:
            return checked(calculate(a, b))
        except ZeroDivisionError:
            raise ExpressionValueError("This divides by zero.") from None
        except OverflowError:
            raise ExpressionValueError("The result is too large a number.") from None

    return run


def _remainder(a: Any, b: Any) -> Any:
    """The remainder with the sign of `a`, as in CEL and JavaScript."""
    if type(a) is int and type(b) is int:
        rest = abs(a) % abs(b)
        return -rest if a < 0 else rest
    if b == 0:
        raise ZeroDivisionError
    return math.fmod(a, b)


def _order(sign: str, compare: Callable[[Any, Any], Any]) -> BinaryOperator:
    def run(a: Any, b: Any, meter: Meter) -> Any:
        if (is_number(a) and is_number(b)) or (isinstance(a, str) and isinstance(b, str)):
            return compare(a, b)
        raise _refused(sign, a, b)

    return run


def negate(value: Any) -> Any:
    """Change a number's sign.

    Raises:
        ExpressionTypeError: It is no number.
        ExpressionValueError: The result does not fit 64 bits.
    """
    if not is_number(value):
        raise ExpressionTypeError(f"`-` takes a number, not {describe(value)}.")
    return checked(-value)


OPERATORS: dict[str, BinaryOperator] = {
    "+": add,
    "-": _arithmetic("-", operator.sub),
    "*": _arithmetic("*", operator.mul),
    "/": _arithmetic("/", operator.truediv),
    "%": _arithmetic("%", _remainder),
    "<": _order("<", operator.lt),
    "<=": _order("<=", operator.le),
    ">": _order(">", operator.gt),
    ">=": _order(">=", operator.ge),
    "==": equals,
    "!=": lambda a, b, meter: not equals(a, b, meter),
    "in": lambda a, b, meter: contains(b, a, meter),
    "not in": lambda a, b, meter: not contains(b, a, meter),
    "contains": contains,
}
UNMETERED_OPERATORS = frozenset({"-", "*", "/", "%", "<", "<=", ">", ">="})
"Those whose cost does not depend on their values."
