"""The kinds of value a key can have. Each kind reads a value, writes it back, and gives its JSON Schema.

Reading checks the shape of a value and reports what does not fit; whether a value makes sense is for the validator.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, Protocol

from canvas.domain.problems import Report, child

UNREADABLE: Final[Any] = object()
"What `read` gives for a value it has reported."

_NAMES = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}


class Kind(Protocol):
    """What one sort of value looks like in the text form."""

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Turn plain data into the definition's value, or report and give UNREADABLE."""

    def write(self, value: Any) -> Any:
        """Turn the definition's value into plain data."""

    def schema(self) -> dict[str, Any]:
        """Give the JSON Schema of what `read` takes."""


def misfit(report: Report, at: str, wanted: str, value: Any, hint: str = "") -> Any:
    """Report a value of the wrong type."""
    found = "nothing" if value is None else _NAMES.get(type(value), "something else")
    if value is None and not hint:
        hint = "Leave the key out if there is nothing to say."
    report.error("wrong_type", at, f"This must be {wanted}, not {found}.", hint)
    return UNREADABLE


@dataclass(frozen=True)
class Text:
    """A line or more of text."""

    widget: str = "text"
    pattern: str | None = None
    "Told by the schema; checked by the validator."
    longest: int | None = None

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take text only, so that `1.10` or `on` without quotes is never guessed at."""
        if isinstance(value, str):
            return value
        hint = f'Put it in quotes: "{str(value).lower()}".' if isinstance(value, bool | int | float) else ""
        return misfit(report, at, "text", value, hint)

    def write(self, value: Any) -> Any:
        """Text as it is."""
        return value

    def schema(self) -> dict[str, Any]:
        """A string, with its form's widget."""
        told: dict[str, Any] = {"type": "string"}
        if self.pattern:
            told["pattern"] = self.pattern
        if self.longest:
            told["maxLength"] = self.longest
        return told | ({"x-widget": self.widget} if self.widget != "text" else {})


@dataclass(frozen=True)
class Flag:
    """true or false."""

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take a boolean only."""
        return value if isinstance(value, bool) else misfit(report, at, "true or false", value)

    def write(self, value: Any) -> Any:
        """The boolean as it is."""
        return value

    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class Number:
    """A number within bounds; the bounds are told by the schema and checked by the validator."""

    whole: bool = False
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take a number; where it must be whole, `3.0` is 3."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return misfit(report, at, "a whole number" if self.whole else "a number", value)
        value = _without_needless_point(value)
        if self.whole and isinstance(value, float):
            return misfit(report, at, "a whole number", value)
        return value

    def write(self, value: Any) -> Any:
        """The number, without a needless `.0`."""
        return _without_needless_point(value)

    def fault(self, number: float) -> str:
        """Say what a number would have to be to keep the bounds; empty when it does."""
        if self.above is not None and not number > self.above:
            return f"above {self.above:g}"
        if self.at_least is not None and not number >= self.at_least:
            return f"at least {self.at_least:g}"
        if self.at_most is not None and not number <= self.at_most:
            return f"at most {self.at_most:,.0f}"
        return ""

    def schema(self) -> dict[str, Any]:
        """A number or integer with its bounds."""
        bounds = {"minimum": self.at_least, "exclusiveMinimum": self.above, "maximum": self.at_most}
        kept = {key: bound for key, bound in bounds.items() if bound is not None}
        return {"type": "integer" if self.whole else "number", **kept}


@dataclass(frozen=True)
class Word:
    """One word out of a few."""

    words: type[StrEnum]
    only: tuple[StrEnum, ...] = ()
    "The words that fit here; empty for all."

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take one of the words exactly as they are written."""
        if not isinstance(value, str):
            return misfit(report, at, "one of " + self._listed(), value)
        if value in self._values():
            return self.words(value)
        alike = [word for word in self._values() if word.lower() == value.lower().replace("-", "_").strip()]
        hint = f"Did you mean `{alike[0]}`?" if alike else report.near(value, self._values())
        report.error("bad_word", at, f"`{value[:80]}` is not one of {self._listed()}.", hint)
        return UNREADABLE

    def write(self, value: Any) -> Any:
        """The word."""
        return str(value)

    def schema(self) -> dict[str, Any]:
        """An enum of the words."""
        return {"type": "string", "enum": self._values()}

    def _values(self) -> list[str]:
        return [str(word) for word in (self.only or self.words)]

    def _listed(self) -> str:
        return ", ".join(f"`{word}`" for word in self._values())


@dataclass(frozen=True)
class Anything:
    """Any JSON value; text in it may hold templates."""

    widget: str = "template"

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take it as it is."""
        return value

    def write(self, value: Any) -> Any:
        """Give it as it is."""
        return value

    def schema(self) -> dict[str, Any]:
        """No bounds."""
        return {"x-widget": self.widget}


@dataclass(frozen=True)
class Values:
    """Names and any JSON values; text in them may hold templates."""

    widget: str = "values"

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take a mapping."""
        return value if isinstance(value, dict) else misfit(report, at, "a mapping of names to values", value)

    def write(self, value: Any) -> Any:
        """The mapping as it is."""
        return dict(value)

    def schema(self) -> dict[str, Any]:
        """An object with anything in it."""
        return {"type": "object", "x-widget": self.widget}


@dataclass(frozen=True)
class ListOf:
    """A list of one kind; items that cannot be read are left out."""

    item: Kind

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take a list and read each item."""
        if not isinstance(value, list):
            hint = "Put it in brackets: [ … ]." if isinstance(value, str) else ""
            return misfit(report, at, "a list", value, hint)
        items = [self.item.read(item, f"{at}/{index}", report) for index, item in enumerate(value)]
        return tuple(item for item in items if item is not UNREADABLE)

    def write(self, value: Any) -> Any:
        """Each item, as a list."""
        return [self.item.write(item) for item in value]

    def schema(self) -> dict[str, Any]:
        """An array."""
        return {"type": "array", "items": self.item.schema()}


@dataclass(frozen=True)
class MapOf:
    """Names and values of one kind; values that cannot be read are left out."""

    item: Kind

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take a mapping and read each value."""
        if not isinstance(value, dict):
            return misfit(report, at, "a mapping of names to values", value)
        items = {key: self.item.read(item, child(at, key), report) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not UNREADABLE}

    def write(self, value: Any) -> Any:
        """Each value under its name, in the order given."""
        return {key: self.item.write(item) for key, item in value.items()}

    def schema(self) -> dict[str, Any]:
        """An object whose values are all alike."""
        return {"type": "object", "additionalProperties": self.item.schema()}


@dataclass(frozen=True)
class Field:
    """One key of a record: what its value is, which attribute carries it, and what a form says about it."""

    key: str
    kind: Kind
    title: str = ""
    description: str = ""
    attribute: str = ""
    "Empty when it is called like the key."
    also: str = ""
    "A second attribute that the same key carries; the kind then reads and writes pairs."
    required: bool = False
    always: bool = False
    "Written even when it is the default."
    group: str = "basic"
    "Where a form shows it: basic or advanced."

    @property
    def name(self) -> str:
        """The attribute that carries it."""
        return self.attribute or self.key

    def carried_by(self, owner: Any) -> Any:
        """Take this field's value, or pair of values, from the definition."""
        value = getattr(owner, self.name)
        return (value, getattr(owner, self.also)) if self.also else value

    def written(self, value: Any) -> Any:
        """Write a value of this field as plain data; None and UNREADABLE stay what they are."""
        return value if value is None or value is UNREADABLE else self.kind.write(value)

    def schema(self) -> dict[str, Any]:
        """The value's schema with the words of the form."""
        told = {"title": self.title, "description": self.description}
        schema = {key: text for key, text in told.items() if text} | self.kind.schema()
        return schema | ({"x-group": self.group} if self.group != "basic" else {})


@dataclass(frozen=True)
class Record:
    """A mapping with known keys, read into a frozen dataclass. Keys left out take the dataclass's defaults."""

    build: Callable[..., Any]
    fields: tuple[Field, ...]
    what: str = "a mapping"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    "Keys that say which record this is, such as `type: schedule`; written first, not read."

    @cached_property
    def bounded(self) -> tuple[Field, ...]:
        """The fields that hold numbers with bounds, or records with such fields."""
        return tuple(
            one
            for one in self.fields
            if isinstance(one.kind, Number) or (isinstance(one.kind, Record) and one.kind.bounded)
        )

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take a mapping, report keys that are unknown or missing, and build what there is."""
        if not isinstance(value, dict):
            return misfit(report, at, self.what, value)
        attributes = self.attributes(value, at, report)
        if any(field.required and field.name not in attributes for field in self.fields):
            return UNREADABLE
        return self.build(**attributes)

    def attributes(self, value: dict[str, Any], at: str, report: Report) -> dict[str, Any]:
        """Read the known keys of a mapping; what could not be read is not in the result."""
        known = {field.key: field for field in self.fields}
        for key in value:
            if key not in known and key not in self.fixed:
                unknown_key(report, at, key, [*self.fixed, *known])
        read: dict[str, Any] = {}
        for key, one in known.items():
            if key in value:
                got = one.kind.read(value[key], child(at, key), report)
                if got is not UNREADABLE:
                    read |= {one.name: got[0], one.also: got[1]} if one.also else {one.name: got}
            elif one.required:
                report.error("missing_key", child(at, key), f"The key `{key}` is missing.", one.description)
        return read

    def write(self, value: Any) -> Any:
        """Write the keys in their order, without those that say what is the default anyway."""
        written = dict(self.fixed)
        for one in self.fields:
            carried = one.written(
                (getattr(value, one.name), getattr(value, one.also)) if one.also else getattr(value, one.name)
            )
            if one.required or one.always or not same(carried, one.written(default_of(type(value), one.name))):
                written[one.key] = carried
        return written

    def schema(self) -> dict[str, Any]:
        """An object that takes these keys and no others."""
        fixed = {key: {"const": word} for key, word in self.fixed.items()}
        schema = {
            "type": "object",
            "properties": fixed | {one.key: with_default(one, self.build) for one in self.fields},
            "additionalProperties": False,
        }
        required = [*self.fixed, *(one.key for one in self.fields if one.required)]
        return schema | ({"required": required} if required else {})


def unknown_key(report: Report, at: str, key: str, known: list[str]) -> None:
    """Report a key that means nothing here."""
    hint = report.near(key, known) or f"Keys here: {', '.join(known[:20])}."
    report.error("unknown_key", child(at, key), f"The key `{key[:80]}` means nothing here.", hint)


def default_of(owner: Any, attribute: str) -> Any:
    """Give the default of a dataclass's attribute; UNREADABLE when it has none."""
    for one in fields(owner):
        if one.name == attribute:
            if one.default_factory is not MISSING:
                return one.default_factory()
            return UNREADABLE if one.default is MISSING else one.default
    return UNREADABLE


def with_default(one: Field, owner: Any) -> dict[str, Any]:
    """Give a field's schema together with what is meant when it is left out."""
    schema = one.schema()
    default = default_of(owner, one.name) if isinstance(owner, type) else UNREADABLE
    if one.required or default is UNREADABLE or default is None or default == () or default == {} or default == "":
        return schema
    return schema | {"default": one.kind.write(default)}


def _without_needless_point(value: float) -> float:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def same(one: Any, other: Any) -> bool:
    """Compare as JSON does: `1` and `true` differ, as do `1` and `1.0`."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
