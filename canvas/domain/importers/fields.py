"""What stands beside the steps in every shape: title, tags, parameters, outputs, limits."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from canvas.domain.dsl.grammar import VERSION_PATTERN
from canvas.domain.importers.imported import first_of, number_of, text_of, without_nothing
from canvas.domain.importers.naming import slug
from canvas.domain.importers.rewriting import Rewriter
from canvas.domain.problems import Report, child
from canvas.domain.states import ParameterType, WorkflowStatus

_TYPES = {
    **{str(kind): str(kind) for kind in ParameterType},
    "array": "list",
    "int": "integer",
    "float": "number",
    "double": "number",
    "bool": "boolean",
    "str": "string",
    "text": "string",
    "date": "string",
    "datetime": "string",
    "email": "string",
    "url": "string",
    "dict": "object",
    "map": "object",
    "json": "object",
}
_READ = frozenset(
    {"name", "title", "description", "version", "status", "category", "tags", "parameters", "outputs", "steps",
     "timeout_minutes", "max_retries", "type", "settings"}
)  # fmt: skip


def read_top(
    source: Mapping[str, Any], report: Report, *, ignored: Iterable[str] = (), also: Iterable[str] = ()
) -> dict[str, Any]:
    """Read the keys that describe a workflow.

    Args:
        source: The document with its keys in snake case.
        report: Told what is left out.
        ignored: Keys whose loss need not be mentioned one by one.
        also: Keys that the caller reads.
    """
    given = text_of(source.get("name"))
    name = slug(given, slug(text_of(source.get("title")), "imported_workflow"))
    document = {
        "dsl": "canvas/v1",
        "name": name,
        "title": text_of(source.get("title")) or (given if given != name else ""),
        "description": text_of(source.get("description")),
        "version": _version(source.get("version"), report),
        "status": _status(source.get("status"), report),
        "category": text_of(source.get("category")),
        "tags": _tags(source.get("tags"), report),
        "settings": _settings(source),
    }
    if name != given:
        report.warning("renamed", "/name", f"The workflow is called `{name}` here.")
    dropped = sorted(source.keys() & set(ignored))
    if dropped:
        report.warning("ignored_key", "", f"Kept apart from the definition, and so left out: {', '.join(dropped)}.")
    for key in source.keys() - _READ - set(ignored) - set(also):
        report.warning("ignored_key", child("", key), f"`{key[:80]}` has no meaning here and is left out.")
    return without_nothing(document)


def _version(given: Any, report: Report) -> str:
    text = str(given).strip() if isinstance(given, str | int | float) and not isinstance(given, bool) else ""
    if not text or re.match(VERSION_PATTERN, text):
        return text
    numbers = [part.lstrip("0") or "0" for part in re.findall(r"\d{1,9}", text[:100])][:3]
    version = ".".join([*numbers, "0", "0", "0"][:3])
    report.warning("version", "/version", f"The version `{text[:80]}` is written `{version}` here.")
    return version


def _status(given: Any, report: Report) -> str:
    word = text_of(given).lower()
    if word in set(WorkflowStatus):
        return word
    if word:
        report.warning("status", "/status", f"There is no status `{word[:80]}`; it is a draft.")
    return ""


def _tags(given: Any, report: Report) -> list[str]:
    if given is None:
        return []
    items = given if isinstance(given, list) else [given]
    tags = [item.strip() for item in items if isinstance(item, str) and item.strip()]
    if len(tags) != len(items):
        report.warning("ignored_value", "/tags", "Tags are texts; the others are left out.")
    return tags


def _settings(source: Mapping[str, Any]) -> dict[str, Any]:
    inner = source["settings"] if isinstance(source.get("settings"), dict) else {}
    minutes = number_of(first_of(source, "timeout_minutes") or inner.get("timeout_minutes"))
    retries = number_of(first_of(source, "max_retries") or inner.get("max_retries"))
    settings: dict[str, Any] = {}
    if minutes is not None and 0 < minutes <= 525_600:
        settings["timeout_minutes"] = minutes
    if retries is not None and 0 < retries <= 99:
        settings["max_retries"] = int(retries)
    return settings


def read_parameters(given: Any, report: Report) -> dict[str, Any]:
    """Read parameters: a mapping by name, a JSON Schema of an object, or a list of mappings with a `name`."""
    required: list[Any] = []
    at = "/parameters"
    if isinstance(given, dict) and isinstance(given.get("properties"), dict):
        required = given["required"] if isinstance(given.get("required"), list) else []
        given, at = given["properties"], "/parameters/properties"
    if isinstance(given, list):
        given = {
            text_of(item.get("name")): item for item in given if isinstance(item, dict) and text_of(item.get("name"))
        }
    if not isinstance(given, dict):
        if given is not None:
            report.warning("ignored_key", at, "Parameters are a mapping by name; these are left out.")
        return {}
    return {name: _parameter(value, name in required, child(at, name), report) for name, value in given.items()}


def _parameter(value: Any, is_required: bool, at: str, report: Report) -> dict[str, Any]:
    if not isinstance(value, dict):
        if isinstance(value, str) and value.lower() in _TYPES:
            return without_nothing({"type": _TYPES[value.lower()], "required": is_required or None})
        report.warning("read_as_default", at, "This is no description of a parameter; it is taken as its default.")
        return {"type": _type_of_value(value), **({} if value is None else {"default": value})}
    parameter: dict[str, Any] = {"type": _type(value.get("type"), at, report)}
    if is_required or value.get("required") is True:
        parameter["required"] = True
    if value.get("default") is not None:
        parameter["default"] = value["default"]
    choices = first_of(value, "enum", "options", "choices")
    if isinstance(choices, list) and choices:
        parameter["enum"] = choices
    return parameter | without_nothing({key: text_of(value.get(key)) for key in ("title", "description")})


def _type(given: Any, at: str, report: Report) -> str:
    word = text_of(given).lower()
    if word and word not in _TYPES:
        report.warning("parameter_type", child(at, "type"), f"There is no type `{word[:80]}`; anything is taken.")
    elif not word and given is not None:
        report.warning("parameter_type", child(at, "type"), "A type is one word; anything is taken.")
    return _TYPES.get(word, "any")


def _type_of_value(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "list", dict: "object"}
    return names.get(type(value), "any")


def declare_parameters(parameters: dict[str, Any], read: Iterable[str], report: Report) -> None:
    """Add the parameters that expressions read and nobody declares; they may hold anything, and be left out."""
    for name in sorted(set(read) - parameters.keys()):
        parameters[name] = {"type": "any"}
        report.warning("undeclared_parameter", "", f"`{name[:80]}` is read and not declared; it becomes a parameter.")


def read_outputs(given: Any, rewriter: Rewriter, report: Report) -> dict[str, Any]:
    """Read outputs: a mapping of names to templates, or to descriptions with `value`, `from` or `source`."""
    at = "/outputs"
    if isinstance(given, dict) and isinstance(given.get("properties"), dict):
        given, at = given["properties"], "/outputs/properties"
    if not isinstance(given, dict):
        return {}
    found = {}
    for name, value in given.items():
        here = child(at, name)
        found[name] = _output(value, here, rewriter, report)
        if "value" not in found[name]:
            report.warning(
                "output_without_value", here, f"Nothing says where `{name[:80]}` comes from; it stays empty."
            )
    return found


def _output(value: Any, at: str, rewriter: Rewriter, report: Report) -> dict[str, Any]:
    if not isinstance(value, dict):
        is_type = isinstance(value, str) and value.lower() in _TYPES
        return {"type": _TYPES[value.lower()]} if is_type else without_nothing({"value": rewriter.value(value)})
    output = {"type": _type(value.get("type"), at, report)}
    source = first_of(value, "value", "from", "source", "expression")
    if isinstance(source, str) and "{{" not in source and first_of(value, "value") is None:
        source = f"{{{{ {source} }}}}"
    if output["type"] == "any":
        del output["type"]
    return without_nothing(
        {**output, "value": rewriter.value(source), "description": text_of(value.get("description"))}
    )
