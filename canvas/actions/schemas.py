"""JSON Schemas as forms need them, and what pydantic says about bad values, in a sentence."""

from typing import Any

from pydantic import ValidationError


def inlined(schema: dict[str, Any]) -> Any:
    """Put each definition where it is referred to, so that a form needs to follow no references."""
    definitions = schema.pop("$defs", {})

    def inline(node: Any) -> Any:
        if isinstance(node, list):
            return [inline(item) for item in node]
        if not isinstance(node, dict):
            return node
        own = {key: inline(value) for key, value in node.items() if key != "$ref"}
        if "$ref" not in node:
            return own
        referred = inline(definitions[node["$ref"].removeprefix("#/$defs/")])
        return {**{key: value for key, value in referred.items() if key != "title"}, **own}

    return inline(schema)


def faults_of(error: ValidationError) -> str:
    """Name each field that is wrong and why, without what was given."""
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'values'}: {fault['msg']}" for fault in error.errors())
