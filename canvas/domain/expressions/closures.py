"""What runs: one factory for each kind of node. `at` is where an error points, as (text, offset)."""

from collections.abc import Callable, Mapping
from typing import Any

from canvas.domain.expressions.catalogue import Function, admit
from canvas.domain.expressions.faults import (
    ExpressionError,
    ExpressionTypeError,
    ExpressionValueError,
    MissingValue,
)
from canvas.domain.expressions.limits import Meter
from canvas.domain.expressions.macros import Loop, NotBoolean
from canvas.domain.expressions.operators import BinaryOperator, negate
from canvas.domain.expressions.paths import explain, spell, take
from canvas.domain.expressions.patterns import Pattern
from canvas.domain.expressions.values import describe, is_number, plain

Roots = Mapping[str, Any]
Evaluate = Callable[[Roots, Meter], Any]
At = tuple[str, int]
Fault = Callable[[Roots], ExpressionError]

_BROKEN = (KeyError, TypeError, IndexError)
"What plain Python raises where a path of constant names breaks off."


def list_of(items: tuple[Evaluate, ...]) -> Evaluate:
    """Make a list literal."""
    memory = 64 + 8 * len(items)

    def run(roots: Roots, meter: Meter) -> Any:
        meter.spend(1, memory)
        return [item(roots, meter) for item in items]

    return run


def object_of(pairs: tuple[tuple[Evaluate, Evaluate, At], ...]) -> Evaluate:
    """Make an object literal of (key, value, place of the key)."""
    memory = 64 + 64 * len(pairs)

    def run(roots: Roots, meter: Meter) -> Any:
        meter.spend(1, memory)
        built: dict[str, Any] = {}
        for key, value, at in pairs:
            name = key(roots, meter)
            if not isinstance(name, str):
                raise ExpressionTypeError(f"A key is a string, not {describe(name)}.").at(*at)
            if name in built:
                raise ExpressionValueError(f"The key `{name[:40]}` stands twice.").at(*at)
            built[name] = value(roots, meter)
        return built

    return run


def names_from_root(root: str, names: tuple[Any, ...], fault: Fault) -> Evaluate:
    """Follow constant names from the context: the fast path of nearly every expression."""

    def run(roots: Roots, meter: Meter) -> Any:
        try:
            value = roots[root]
            for name in names:
                value = value[name]
        except _BROKEN:
            raise fault(roots) from None
        return value

    return run if len(names) > 1 else lambda roots, meter: plain(run(roots, meter))


def names_from_variable(slot: int, variable: str, names: tuple[Any, ...], fault: Fault) -> Evaluate:
    """Follow constant names from a macro's variable."""

    def run(roots: Roots, meter: Meter) -> Any:
        value = meter.variables[slot]
        try:
            for name in names:
                value = value[name]
        except _BROKEN:
            raise fault({variable: meter.variables[slot]}) from None
        return value

    return run


def keys_from(base: Evaluate, label: str | None, steps: list[tuple[Evaluate, At]]) -> Evaluate:
    """Follow keys of any kind, computed ones too; without a label what is missing is caught, and not explained."""

    def run(roots: Roots, meter: Meter) -> Any:
        value, taken = base(roots, meter), list[Any]()
        for key_of, at in steps:
            key = key_of(roots, meter)
            try:
                value = take(value, key)
            except MissingValue:
                error = explain(value, key, spell(label, taken)).at(*at) if label is not None else MissingValue()
                raise error from None
            except ExpressionError as error:
                raise error.at(*at) from None
            taken.append(key)
        return plain(value)

    return run


def leads_somewhere(path: Evaluate) -> Evaluate:
    """Make `has`."""

    def run(roots: Roots, meter: Meter) -> Any:
        try:
            path(roots, meter)
        except MissingValue:
            return False
        return True

    return run


def first_present(attempts: tuple[Evaluate, ...], otherwise: Evaluate) -> Evaluate:
    """Make `??`."""

    def run(roots: Roots, meter: Meter) -> Any:
        for attempt in attempts:
            try:
                value = attempt(roots, meter)
            except MissingValue:
                continue
            if value is not None:
                return value
        return otherwise(roots, meter)

    return run


def inversion(operand: Evaluate, at: At) -> Evaluate:
    """Make `!`."""

    def run(roots: Roots, meter: Meter) -> Any:
        value = operand(roots, meter)
        if value is True or value is False:
            return not value
        raise ExpressionTypeError(f"`!` takes true or false, not {describe(value)}.").at(*at)

    return run


def negation(operand: Evaluate, at: At) -> Evaluate:
    """Make the sign `-`."""

    def run(roots: Roots, meter: Meter) -> Any:
        value = operand(roots, meter)
        try:
            return negate(value)
        except ExpressionError as error:
            raise error.at(*at) from None

    return run


def operation(first: Evaluate, steps: list[tuple[BinaryOperator, Evaluate, At]]) -> Evaluate:
    """Make operators of one level, from left to right."""

    def run(roots: Roots, meter: Meter) -> Any:
        value = first(roots, meter)
        for calculate, operand, at in steps:
            other = operand(roots, meter)
            try:
                value = calculate(value, other, meter)
            except ExpressionError as error:
                raise error.at(*at) from None
        return value

    return run


def equality_with(operand: Evaluate, wanted: Any, *, is_equal: bool) -> Evaluate:
    """Make `==` or `!=` with a constant, which no container equals."""
    if wanted is None or wanted is True or wanted is False:
        return lambda roots, meter: (operand(roots, meter) is wanted) is is_equal
    fits: Callable[[Any], bool] = is_number if is_number(wanted) else lambda value: isinstance(value, str)

    def run(roots: Roots, meter: Meter) -> Any:
        value = operand(roots, meter)
        return (value == wanted and fits(value)) is is_equal

    return run


def logic(sign: str, operands: tuple[tuple[Evaluate, At], ...], *, stops_at: bool) -> Evaluate:
    """Make `&&`, which stops at false, or `||`, which stops at true."""

    def run(roots: Roots, meter: Meter) -> Any:
        for operand, at in operands:
            value = operand(roots, meter)
            if value is stops_at:
                return value
            if value is not True and value is not False:
                raise ExpressionTypeError(f"`{sign}` takes true or false, not {describe(value)}.").at(*at)
        return not stops_at

    return run


def choice(condition: Evaluate, then: Evaluate, otherwise: Evaluate, at: At) -> Evaluate:
    """Make `condition ? then : otherwise`."""

    def run(roots: Roots, meter: Meter) -> Any:
        value = condition(roots, meter)
        if value is True:
            return then(roots, meter)
        if value is False:
            return otherwise(roots, meter)
        raise ExpressionTypeError(f"Before `?` stands true or false, not {describe(value)}.").at(*at)

    return run


def call(function: Function, arguments: tuple[Evaluate, ...], at: At) -> Evaluate:
    """Make the call of a function, whose arguments' types are checked first."""
    run_function = function.run
    parameters = function.parameters_for(len(arguments))
    checks = tuple((index, parameter.kinds) for index, parameter in enumerate(parameters) if parameter.kinds)

    def run(roots: Roots, meter: Meter) -> Any:
        values = [argument(roots, meter) for argument in arguments]
        try:
            for index, kinds in checks:
                if type(values[index]) not in kinds:
                    values[index] = admit(function.name, parameters[index], values[index])
            return run_function(meter, *values)
        except ExpressionError as error:
            raise error.at(*at) from None

    return run


def search(subject: Evaluate, pattern: Pattern, at: At) -> Evaluate:
    """Make `matches` with a constant pattern."""

    def run(roots: Roots, meter: Meter) -> Any:
        value = subject(roots, meter)
        try:
            if not isinstance(value, str):
                raise ExpressionTypeError(f"`matches` takes a string as `text`, not {describe(value)}.")
            return pattern.is_in(value, meter)
        except ExpressionError as error:
            raise error.at(*at) from None

    return run


def repetition(name: str, target: Evaluate, loop: Loop, at: At, body_at: At) -> Evaluate:
    """Make a macro: a loop over the elements of a list or the keys of an object."""

    def run(roots: Roots, meter: Meter) -> Any:
        items = target(roots, meter)
        if isinstance(items, Mapping):
            items = list(items)
        if type(items) is not list:
            raise ExpressionTypeError(f"`{name}` takes a list or an object, not {describe(items)}.").at(*at)
        try:
            return loop(items, roots, meter)
        except NotBoolean as error:
            sentence = f"The condition of `{name}` is true or false, not {error}."
            raise ExpressionTypeError(sentence).at(*body_at) from None
        except ExpressionError as error:
            raise error.at(*at) from None

    return run
