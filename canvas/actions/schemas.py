"""JSON Schemas as forms need them, and what pydantic says about bad values, in a sentence."""

from typing import Any

from pydantic import ValidationError


def inlined(schema: dict[str, Any]) -> Any:
    """Put each definition where it is referred to, so that no form follows references; give each field a title."""
    definitions = schema.pop("$defs", {})

    def inline(node: Any) -> Any:
        if isinstance(node, list):
            return [inline(item) for item in node]
        if not isinstance(node, dict):
            return node
        own = {key: inline(value) for key, value in node.items() if key != "$ref"}
        if isinstance(own.get("properties"), dict):
            own["properties"] = {name: _titled(name, schema) for name, schema in own["properties"].items()}
        if "$ref" not in node:
            return own
        referred = inline(definitions[node["$ref"].removeprefix("#/$defs/")])
        return {**{key: value for key, value in referred.items() if key != "title"}, **own}

    return inline(schema)


def _titled(name: str, schema: Any) -> Any:
    """Give a property the title that was written for it, or its name in words."""
    words = name.replace("_", " ").strip()
    if not isinstance(schema, dict) or schema.get("title", words.title()) != words.title():
        return schema
    return {**schema, "title": words[:1].upper() + words[1:]}


def faults_of(error: ValidationError) -> str:
    """Name each field that is wrong and why, without what was given."""
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'values'}: {fault['msg']}" for fault in error.errors())
