"""Following members and indexes through values, and saying precisely where a path breaks off."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any

from canvas.domain.expressions.faults import ExpressionError, ExpressionTypeError, MissingValue
from canvas.domain.expressions.values import describe, type_name

_COMPARED_NAMES = 200
"Names that a missing one is compared with; more would cost milliseconds."


def near_names(name: str, names: Iterable[Any]) -> list[str]:
    """Find up to three similar names, best first."""
    if len(name) > 64:
        return []
    candidates = [known for known in islice(names, _COMPARED_NAMES) if isinstance(known, str) and len(known) <= 64]
    exact = [known for known in candidates if known.casefold() == name.casefold()]
    return exact[:3] or get_close_matches(name, candidates, n=3, cutoff=0.6)


def suggestion(near: list[str]) -> str:
    """Turn similar names into a question, with a space before it; nothing for none."""
    return f" Did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""


def spell(base: str, keys: Iterable[Any]) -> str:
    """Write a path as it would stand in an expression."""
    members = (f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]" for key in keys)
    return "".join((base, *members))[:200]


def take(value: Any, key: Any) -> Any:
    """Take one member or element.

    Raises:
        MissingValue: There is none.
        ExpressionTypeError: The key is of a type that the value has no keys of.
    """
    kind = type(key)
    if isinstance(value, Mapping):
        if kind is not str:
            raise ExpressionTypeError(f"The keys of an object are strings, not {type_name(key)}.")
        if key in value:
            return value[key]
    elif type(value) is list:
        if kind is float and key.is_integer():
            key, kind = int(key), int
        if kind is int:
            if -len(value) <= key < len(value):
                return value[key]
        elif kind is not str:
            raise ExpressionTypeError(f"An element of a list is named by a whole number, not by {describe(key)}.")
    raise MissingValue


def explain(value: Any, key: Any, place: str) -> MissingValue:
    """Say why `take(value, key)` finds nothing at a place that is spelled `place`."""
    if isinstance(value, Mapping):
        near = near_names(key, value)
        return MissingValue(f"There is no `{str(key)[:80]}` in `{place}`.{suggestion(near)}", near=near)
    if type(value) is list:
        if type(key) is str:
            hint = f"Take an element first, as `{place}[0]`."
            return MissingValue(f"`{place}` is a list and has no `{key[:80]}`. {hint}", hint=hint)
        return MissingValue(f"There is no element {key} in `{place}`, which has {len(value)}.")
    return MissingValue(f"`{place}` is {describe(value)} and has no `{str(key)[:80]}`.")


def explain_path(roots: Mapping[str, Any], root: str, keys: list[Any]) -> tuple[ExpressionError, int]:
    """Say where a path breaks off, and at which of its keys; -1 stands for the root.

    A value that loads on access may be there by now; then the path broke off because of something inside it.
    """
    if root not in roots:
        near = near_names(root, roots)
        return MissingValue(f"There is no `{root[:80]}` here.{suggestion(near)}", near=near), -1
    value = roots[root]
    for index, key in enumerate(keys):
        try:
            value = take(value, key)
        except MissingValue:
            return explain(value, key, spell(root, keys[:index])), index
    return MissingValue(f"`{spell(root, keys)}` could not be read."), len(keys) - 1
