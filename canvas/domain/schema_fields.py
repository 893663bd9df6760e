"""JSON Schemas as tables that people read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_LIMITS = (
    ("minimum", "at least {}"), ("exclusiveMinimum", "more than {}"), ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"), ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"), ("minItems", "at least {} items"),
    ("maxItems", "at most {} items"), ("pattern", "fits `{}`"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SchemaField:
    """One field of an object, however deep inside."""

    path: str
    "Its name, after those it lies in: `pages.by`, `files[].filename`."
    title: str
    type: str
    "In words, such as `string`, `a | b` for fixed choices, `list of string`."
    is_required: bool
    default: str
    "As JSON; empty when there is none."
    description: str
    limits: str
    "In words; empty when there are none."


def fields_of(schema: Mapping[str, Any], within: str = "") -> Iterator[SchemaField]:
    """Give the fields of an object's schema in their order, each followed by those inside of it."""
    needed = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        path, plain = f"{within}{name}", _plain(part)
        default = part.get("default")
        yield SchemaField(
            path=path,
            title=part.get("title", ""),
            type=type_words(part),
            is_required=name in needed,
            default="" if default in (None, "", [], {}) else orjson.dumps(default).decode(),
            description=part.get("description", ""),
            limits=", ".join(words.format(plain[key]) for key, words in _LIMITS if _says_something(key, plain)),
        )
        yield from fields_of(plain, f"{path}.")
        items = plain.get("items")
        if isinstance(items, Mapping):
            yield from fields_of(_plain(items), f"{path}[].")


def type_words(schema: Mapping[str, Any]) -> str:
    """Say what a value of a schema may be."""
    if "const" in schema:
        return _word(schema["const"])
    if "enum" in schema:
        return " | ".join(map(_word, schema["enum"]))
    options = [option for option in schema.get("anyOf", schema.get("oneOf", ())) if option.get("type") != "null"]
    if options:
        return " or ".join(dict.fromkeys(map(type_words, options)))
    kind = schema.get("type", "any")
    if kind == "array":
        inner = schema.get("items")
        return f"list of {type_words(inner)}" if isinstance(inner, Mapping) and type_words(inner) != "any" else "list"
    return " or ".join(each for each in kind if each != "null") if isinstance(kind, list) else str(kind)


def _plain(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take the "or null" off a schema."""
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return {**schema, **options[0]} if len(options) == 1 else schema


def _says_something(key: str, schema: Mapping[str, Any]) -> bool:
    return key in schema and (key, schema[key]) not in (("minLength", 1), ("minItems", 1))


def _word(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
