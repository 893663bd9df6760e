"""What an Orb action is configured with, by the names that our action of that kind uses."""

import re
from collections.abc import Mapping
from typing import Any

from canvas.domain.importers.imported import first_of, snake_keys, text_of

Parameters = dict[str, Any]

_TEXTS = dict.fromkeys(("content", "input", "message", "comment"), "text")
_NAMES: Mapping[str, Mapping[str, str]] = {
    "ai/generate": {
        "user_prompt": "prompt",
        "system_prompt": "system",
        "system_message": "system",
        "instructions": "system",
        "response_schema": "output_schema",
        "json_schema": "output_schema",
        "max_output_tokens": "max_tokens",
    },
    "ai/sentiment": _TEXTS,
    "ai/moderate": _TEXTS,
}
_OUTPUTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "ai/generate": (("", ".text"), ("text", ".text"), ("content", ".text"), ("data", ".data"), ("usage", ".usage")),
}
"""Of what was kept in a variable: a part, and where it stands in our action's output; without a part, the variable
itself."""

_IN_SQL = re.compile(
    r"(?P<template>\{\{.*?\}\})|'(?P<text>(?:''|\{\{.*?\}\}|[^'])*)'|(?P<next>\?)|\$(?P<number>[1-9]\d?)\b", re.DOTALL
)
_COLUMN = re.compile(r"[A-Za-z_]\w{0,62}")
_TABLE = re.compile(rf"{_COLUMN.pattern}(\.{_COLUMN.pattern})?")
_INSERT = ("INSERT INTO {table} ({columns}) VALUES ({values})", ("set",))
_STATEMENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "insert": _INSERT,
    "create": _INSERT,
    "update": ("UPDATE {table} SET {changes} WHERE {chosen}", ("set", "where")),
    "delete": ("DELETE FROM {table} WHERE {chosen}", ("where",)),
}
"""By operation: the statement, and whose values it needs."""


def arguments_of(action: str, config: Mapping[str, Any]) -> Parameters:
    """Name an action's arguments as it does here.

    Args:
        action: Our name of the action.
        config: Its configuration, without what is said about the step, keys in snake case.
    """
    if action == "database/execute":
        return _sql(dict(config))
    inner = first_of(config, "parameters", "params")
    own = {key: value for key, value in config.items() if key not in ("parameters", "params")}
    given = {**own, **(snake_keys(inner) if isinstance(inner, dict) else {})}
    names = _NAMES.get(action, {})
    renamed = {names[key]: value for key, value in given.items() if key in names}
    return {**renamed, **{key: value for key, value in given.items() if key not in names}}


def places_of(action: str, variable: str, step: str) -> dict[tuple[str, ...], str]:
    """Say where what was kept in a variable is found here: the beginning of a path, and what stands for it."""
    found: dict[tuple[str, ...], str] = {}
    for part, place in _OUTPUTS.get(action, (("", ""),)):
        path = (variable, part) if part else (variable,)
        found |= {path: f"steps.{step}.output{place}", ("variables", *path): f"steps.{step}.output{place}"}
    return found


def _sql(config: Parameters) -> Parameters:
    statement = text_of(first_of(config, "statement", "query", "sql"))
    values = first_of(config, "parameters", "params", "bindings", "values")
    beside = {"statement", "query", "sql", "parameters", "params", "bindings"}
    if not statement:
        built = _from_table(config)
        if built is None:
            return config
        statement, values = built
        beside |= {"table", "operation", "type", "data", "values", "fields", "where", "conditions", "filter"}
    else:
        beside.add("values")
    text, bound = _bound(statement, values)
    rest = {key: value for key, value in config.items() if key not in beside}
    return {**rest, "statement": text, **({"parameters": bound} if bound else {})}


def _bound(statement: str, values: Any) -> tuple[str, Parameters]:
    """Take every value out of a statement: templates, texts that hold templates, and positional marks."""
    named: Parameters = dict(values) if isinstance(values, dict) else {}
    listed: list[Any] = values if isinstance(values, list) else []
    used = 0

    def bind(value: Any) -> str:
        number = len(named) + 1
        while f"p{number}" in named:
            number += 1
        named[f"p{number}"] = value
        return f":p{number}"

    def replace(found: re.Match[str]) -> str:
        nonlocal used
        if found["template"]:
            return bind(found["template"])
        if found["text"] is not None:
            return bind(found["text"].replace("''", "'")) if "{{" in found["text"] else found[0]
        position = int(found["number"]) - 1 if found["number"] else used
        used += not found["number"]
        return bind(listed[position]) if position < len(listed) else found[0]

    return _IN_SQL.sub(replace, statement), named


def _from_table(config: Parameters) -> tuple[str, Parameters] | None:
    """Write the statement for a table, an operation, and values by column; nothing where a name is no plain name."""
    table = text_of(config.get("table"))
    data, where = first_of(config, "data", "values", "fields"), first_of(config, "where", "conditions", "filter")
    data, where = data if isinstance(data, dict) else {}, where if isinstance(where, dict) else {}
    operation = text_of(first_of(config, "operation", "type")).lower() or ("update" if where else "insert")
    parts, needs = _STATEMENTS.get(operation, ("", ()))
    used = {"set": data, "where": where}
    if not (parts and _TABLE.fullmatch(table) and all(used[kind] for kind in needs)):
        return None
    if not all(_COLUMN.fullmatch(str(name)) for kind in needs for name in used[kind]):
        return None
    statement = parts.format(
        table=table,
        columns=", ".join(data),
        values=", ".join(f":set_{name}" for name in data),
        changes=", ".join(f"{name} = :set_{name}" for name in data),
        chosen=" AND ".join(f"{name} = :where_{name}" for name in where),
    )
    return statement, {f"{kind}_{name}": value for kind in needs for name, value in used[kind].items()}
