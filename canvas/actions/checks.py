"""What must be known about an action or a kind of connection before anybody may use it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from canvas.actions.connections import ConnectionKind
from canvas.domain.catalog import ActionSpec
from canvas.domain.schema_fields import SchemaField, fields_of
from canvas.domain.states import ActionPermission

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*/[a-z][a-z0-9_]*")
_KIND = re.compile(r"[a-z][a-z0-9_]*")
_ICON = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def spec_faults(spec: ActionSpec) -> list[str]:
    """List what is missing or wrong in what an action says about itself; empty when it is complete."""
    return [
        *([] if _NAME.fullmatch(spec.name) else ["its name is not namespace/name in small letters"]),
        *_words(spec),
        *(f"the argument {fault}" for fault in _field_faults(spec.arguments_schema)),
        *(f"the result's {fault}" for fault in _field_faults(spec.result_schema)),
        *_example_faults("example", spec.arguments_schema, spec.example_arguments),
        *_example_faults("example result", spec.result_schema, spec.example_result),
        *_connection_faults(spec),
    ]


def kind_faults(kind: ConnectionKind) -> list[str]:
    """List what is missing or wrong in what a kind of connection says about itself; empty when it is complete."""
    words = {"title": kind.title, "description": kind.description}
    return [
        *([] if _KIND.fullmatch(kind.name) else ["its name is not one word in small letters"]),
        *(f"it has no {name}" for name, text in words.items() if not text.strip()),
        *([] if _ICON.fullmatch(kind.icon) else ["its icon is no name of a Lucide icon"]),
        *(f"the field {fault}" for fault in _field_faults(kind.schema)),
        *(f"its example has the secret {name}" for name in sorted(kind.secret_fields & set(kind.example))),
    ]


def _words(spec: ActionSpec) -> Iterator[str]:
    for name in ("title", "description", "category", "security"):
        if not str(getattr(spec, name)).strip():
            yield f"it has no {name}"
    if not _ICON.fullmatch(spec.icon):
        yield "its icon is no name of a Lucide icon"
    if "$ref" in str(spec.arguments_schema) or "$ref" in str(spec.result_schema):
        yield "its schema refers to itself"


def _field_faults(schema: Mapping[str, Any]) -> Iterator[str]:
    if schema.get("type") != "object":
        yield "schema is not that of an object"
    for field in fields_of(schema):
        yield from _faults_of_field(field)


def _faults_of_field(field: SchemaField) -> Iterator[str]:
    if not field.title.strip():
        yield f"{field.path} has no title"
    if not field.description.strip():
        yield f"{field.path} has no description"


def _example_faults(name: str, schema: Mapping[str, Any], example: Any) -> Iterator[str]:
    try:
        jsonschema_rs.validator_for(dict(schema), offline=True).validate(example)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        yield f"its {name} does not fit its own schema: {str(error).splitlines()[0]}"


def _connection_faults(spec: ActionSpec) -> Iterator[str]:
    if spec.connections and ActionPermission.CONNECTION not in spec.permissions:
        yield "it takes a connection without the permission `connection`"
