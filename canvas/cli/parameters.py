"""Parameters from the command line, read as their types say."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
import orjson

from canvas.domain.definition import Definition
from canvas.domain.states import ParameterType

_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def given_parameters(definition: Definition, pairs: Sequence[str], from_file: Mapping[str, Any]) -> dict[str, Any]:
    """Read `key=value` pairs as the types of the definition's parameters say, over what a file gives.

    Raises:
        click.BadParameter: a pair has no `=`, or its value does not fit the type.
    """
    values = dict(from_file)
    for pair in pairs:
        key, separator, text = pair.partition("=")
        if not separator:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE.", param_hint="-p")
        declared = definition.parameters.get(key)
        values[key] = _read(key, text, declared.type if declared else ParameterType.STRING)
    return values


def _read(key: str, text: str, kind: ParameterType) -> Any:
    try:
        return _READERS[kind](text)
    except (ValueError, KeyError):
        raise click.BadParameter(f"{key}={text!r} is not of type {kind}.", param_hint="-p") from None


def _structure(expected: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = orjson.loads(text)
        if not isinstance(value, expected):
            raise ValueError(text)
        return value

    return read


def _anything(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


_READERS: dict[ParameterType, Callable[[str], Any]] = {
    ParameterType.STRING: str,
    ParameterType.INTEGER: int,
    ParameterType.NUMBER: float,
    ParameterType.BOOLEAN: lambda text: _WORDS[text.lower()],
    ParameterType.LIST: _structure(list),
    ParameterType.OBJECT: _structure(dict),
    ParameterType.ANY: _anything,
}
