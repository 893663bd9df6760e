"""Checking what a user-defined action is called with, and the JSON Schema that says the same."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema_rs
import orjson

from canvas.domain.actions.values import Argument, UserAction
from canvas.domain.expressions import ExpressionError
from canvas.domain.expressions.limits import Meter
from canvas.domain.expressions.patterns import compile_pattern
from canvas.domain.json_schemas import validator
from canvas.domain.states import ArgumentType

BOUNDED = (ArgumentType.STRING, ArgumentType.INTEGER, ArgumentType.FLOAT, ArgumentType.LIST)
"The types that bounds mean something for."
_JSON_TYPES: Mapping[ArgumentType, str] = {
    ArgumentType.STRING: "string",
    ArgumentType.INTEGER: "integer",
    ArgumentType.FLOAT: "number",
    ArgumentType.BOOLEAN: "boolean",
    ArgumentType.LIST: "array",
    ArgumentType.OBJECT: "object",
}
_BOUND_WORDS: Mapping[ArgumentType, tuple[str, str]] = {
    ArgumentType.STRING: ("minLength", "maxLength"),
    ArgumentType.LIST: ("minItems", "maxItems"),
}
MAX_WHOLE = 2**63
"Whole numbers from here on are kept as they came: JSON here has integers of 64 bits."
_FITS: Mapping[ArgumentType, Callable[[Any], bool]] = {
    ArgumentType.STRING: lambda value: isinstance(value, str),
    ArgumentType.INTEGER: lambda value: _is_number(value) and float(value).is_integer(),
    ArgumentType.FLOAT: lambda value: _is_number(value),
    ArgumentType.BOOLEAN: lambda value: isinstance(value, bool),
    ArgumentType.LIST: lambda value: isinstance(value, list),
    ArgumentType.OBJECT: lambda value: isinstance(value, dict),
    ArgumentType.ANY: lambda value: True,
}
_MEASURED = {ArgumentType.STRING: "characters", ArgumentType.LIST: "items"}


def read_arguments(
    action: UserAction, given: Mapping[str, Any], *, is_rehearsal: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """Judge what an action is called with, and fill in the defaults. An argument that is null counts as not given.

    Args:
        given: Plain values by name; not changed.
        is_rehearsal: Whether an empty object stands for a value that nobody knows, as in a dry run.

    Returns:
        A value for every argument, null for one that has none; and a sentence for everything that is wrong.
    """
    if action.inputs_schema is not None and not action.arguments:
        values, faults = dict(given), list[str]()
    else:
        values, faults = _read_declared(action.arguments, given, is_rehearsal)
    if action.inputs_schema is not None and not faults and not is_rehearsal:
        present = {name: value for name, value in values.items() if value is not None}
        faults = [_sentence(error) for error in validator(action.inputs_schema).iter_errors(present)]
    return values, faults


def arguments_schema(action: UserAction) -> dict[str, Any]:
    """Give the JSON Schema of the arguments: the action's own one, or one derived from its arguments."""
    if action.inputs_schema is not None:
        return dict(action.inputs_schema)
    return {
        "type": "object",
        "properties": {one.name: argument_schema(one) for one in action.arguments},
        "required": [one.name for one in action.arguments if one.required and one.default is None],
        "additionalProperties": False,
    }


def argument_schema(argument: Argument) -> dict[str, Any]:
    """Give the JSON Schema of one argument, as a form shows it."""
    least, most = _BOUND_WORDS.get(argument.type, ("minimum", "maximum"))
    told = {
        "title": argument.name.replace("_", " ").capitalize(),
        "description": argument.description or None,
        "type": _JSON_TYPES.get(argument.type),
        "default": argument.default,
        least: _tidy(argument.min_value),
        most: _tidy(argument.max_value),
        "pattern": argument.pattern,
        "x-widget": "template" if argument.pattern is not None else None,
    }
    return {key: value for key, value in told.items() if value is not None}


def argument_faults(argument: Argument, value: Any) -> Iterator[str]:
    """Say everything that is wrong with a value for an argument."""
    if not _FITS[argument.type](value):
        yield f"must be {_with_article(argument.type)}, not {_brief(value)}"
        return
    yield from _bound_faults(argument, value)
    if argument.pattern is not None and isinstance(value, str) and (fault := _pattern_fault(argument.pattern, value)):
        yield fault


def _read_declared(
    arguments: tuple[Argument, ...], given: Mapping[str, Any], is_rehearsal: bool
) -> tuple[dict[str, Any], list[str]]:
    known = {one.name for one in arguments}
    takes = f"it takes {', '.join(one.name for one in arguments)}" if arguments else "it takes none"
    faults = [f"there is no argument `{str(name)[:80]}`: {takes}" for name in given if name not in known]
    values: dict[str, Any] = {}
    for argument in arguments:
        value = given.get(argument.name)
        if value is None:
            value = argument.default
        if value is None and argument.required:
            faults.append(f"`{argument.name}` is missing")
        elif value is not None and not (is_rehearsal and value == {}):
            faults.extend(f"`{argument.name}` {fault}" for fault in argument_faults(argument, value))
        if argument.type is ArgumentType.INTEGER and isinstance(value, float):
            value = _tidy(value)
        values[argument.name] = value
    return values, faults


def _bound_faults(argument: Argument, value: Any) -> Iterator[str]:
    if argument.type not in BOUNDED:
        return
    what = _MEASURED.get(argument.type)
    size = len(value) if what else value
    verb = "have" if what else "be"
    least, most = argument.min_value, argument.max_value
    if least is not None and size < least:
        yield f"must {verb} at least {_measured(least, what)}, not {size if what else _brief(value)}"
    if most is not None and size > most:
        yield f"must {verb} at most {_measured(most, what)}, not {size if what else _brief(value)}"


def _measured(bound: float, what: str | None) -> str:
    return f"{bound:g} {what}" if what else f"{bound:g}"


def _pattern_fault(pattern: str, value: str) -> str:
    try:
        return "" if compile_pattern(pattern).is_in(value, Meter()) else f"must fit {pattern}, not {_brief(value)}"
    except ExpressionError as error:
        return f"cannot be compared with {pattern}: {error}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _tidy(bound: float | None) -> float | None:
    is_whole = bound is not None and abs(bound) < MAX_WHOLE and float(bound).is_integer()
    return int(bound) if bound is not None and is_whole else bound


def _with_article(type: ArgumentType) -> str:
    return f"{'an' if type.value[0] in 'aio' else 'a'} {type}"


def _sentence(error: jsonschema_rs.ValidationError) -> str:
    place = ".".join(str(part) for part in error.instance_path)
    return f"`{place}`: {error.message[:200]}" if place else error.message[:200]


def _brief(value: Any) -> str:
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
