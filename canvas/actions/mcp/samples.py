"""Values that fit a schema, for examples in the catalogue and for answers of a dry run."""

from typing import Any, Final

_BY_TYPE: Final = {"string": "…", "integer": 1, "number": 1.0, "boolean": True, "null": None, "array": [], "object": {}}
_MAX_DEPTH: Final = 6


def sample(schema: Any, *, required_only: bool = False, depth: int = 0) -> Any:
    """Make up a value.

    Args:
        schema: A cleaned JSON Schema.
        required_only: Whether to leave out what an object may do without.
    """
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return None
    if (found := _given(schema)) is not None:
        return found
    kind = _kind(schema)
    if kind == "object":
        return _object(schema, required_only, depth)
    if kind == "array" and schema.get("minItems", 0) > 0:
        return [sample(schema.get("items", {}), required_only=required_only, depth=depth + 1)]
    if kind in ("integer", "number") and "minimum" in schema:
        return schema["minimum"]
    return _BY_TYPE.get(kind)


def _given(schema: dict[str, Any]) -> Any:
    for key in ("examples", "enum"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    return next((schema[key] for key in ("const", "default", "example") if schema.get(key) is not None), None)


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((word for word in kind if word != "null"), "null")
    return kind if isinstance(kind, str) else "object" if "properties" in schema else ""


def _object(schema: dict[str, Any], required_only: bool, depth: int) -> dict[str, Any]:
    needed = schema.get("required", ())
    properties = schema.get("properties")
    return {
        name: sample(part, required_only=required_only, depth=depth + 1)
        for name, part in (properties.items() if isinstance(properties, dict) else ())
        if not required_only or name in needed
    }
