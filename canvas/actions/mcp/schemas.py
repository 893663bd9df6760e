"""Schemas that a server sent, made fit for forms and checks: bounded, self-contained, and without our own marks."""

from typing import Any, Final

import jsonschema_rs
import orjson

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 16
MAX_NODES: Final = 4_000
_DROPPED: Final = frozenset(
    {"$schema", "$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$defs", "definitions", "$comment"}
)
_OF_SCHEMAS_BY_NAME: Final = frozenset({"properties", "patternProperties", "dependentSchemas"})
_OF_SCHEMAS: Final = frozenset(
    {
        "additionalItems", "additionalProperties", "allOf", "anyOf", "contains", "else", "if", "items", "not", "oneOf",
        "prefixItems", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
_PLAIN_OBJECT: Final = {"type": "object", "properties": {}}


def arguments_schema(schema: Any) -> dict[str, Any]:
    """Give a tool's input schema as a form can show it; one that cannot be used becomes any object."""
    cleaned = cleaned_schema(schema)
    if cleaned is None or cleaned.get("type", "object") != "object":
        return dict(_PLAIN_OBJECT)
    properties = cleaned.get("properties")
    return {**cleaned, "type": "object", "properties": properties if isinstance(properties, dict) else {}}


def cleaned_schema(schema: Any) -> dict[str, Any] | None:
    """Put local references in their places and drop what leads elsewhere; None when it is no schema or too large.

    A reference to another document is never followed: it would let a server make Canvas fetch an address.
    """
    if not isinstance(schema, dict) or len(orjson.dumps(schema)) > MAX_BYTES:
        return None
    cleaned = _Cleaner(schema).clean(schema, 0)
    if not isinstance(cleaned, dict):
        return None
    try:
        jsonschema_rs.validator_for(cleaned, offline=True)
    except (ValueError, jsonschema_rs.ValidationError):
        return None
    return cleaned


def faults_against(schema: dict[str, Any], value: Any) -> list[str]:
    """Say what is wrong with a value, at most three things; nothing when it fits."""
    faults = []
    for error in jsonschema_rs.validator_for(schema, offline=True).iter_errors(value):
        place = "/".join(map(str, error.instance_path))
        faults.append(f"{place}: {error.message[:200]}" if place else error.message[:200])
        if len(faults) == 3:
            break
    return faults


class _Cleaner:
    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._nodes = 0

    def clean(self, node: Any, depth: int) -> Any:
        """Clean what stands where a schema does; true, false and anything odd stay as they are."""
        if not isinstance(node, dict):
            return node
        self._nodes += 1
        if depth >= MAX_DEPTH or self._nodes >= MAX_NODES:
            return {}
        own = {
            key: self._part(key, value, depth + 1)
            for key, value in node.items()
            if key != "$ref" and key not in _DROPPED and not key.startswith("x-")
        }
        return {**self._referred(node["$ref"], depth), **own} if "$ref" in node else own

    def _part(self, key: str, value: Any, depth: int) -> Any:
        if key in _OF_SCHEMAS_BY_NAME and isinstance(value, dict):
            return {name: self.clean(part, depth) for name, part in value.items()}
        if isinstance(value, list):
            return [self.clean(part, depth) for part in value] if key in _OF_SCHEMAS else value
        return self.clean(value, depth) if key in _OF_SCHEMAS else value

    def _referred(self, reference: Any, depth: int) -> dict[str, Any]:
        here: Any = self._root
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return {}
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(here, dict) or key not in here:
                return {}
            here = here[key]
        found = self.clean(here, depth + 1)
        return found if isinstance(found, dict) else {}
