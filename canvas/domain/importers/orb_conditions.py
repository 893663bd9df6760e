"""Conditions of Orb workflows: text, or a field, an operator and a value."""

from typing import Any

import orjson

from canvas.domain.importers.imported import first_of, snake_keys, text_of

_OPERATORS = {
    "equals": "==", "equal": "==", "eq": "==", "==": "==", "===": "==", "is": "==",
    "not_equals": "!=", "not_equal": "!=", "neq": "!=", "ne": "!=", "!=": "!=", "!==": "!=",
    "greater_than": ">", "gt": ">", ">": ">", "greater_than_or_equal": ">=", "gte": ">=", ">=": ">=",
    "less_than": "<", "lt": "<", "<": "<", "less_than_or_equal": "<=", "lte": "<=", "<=": "<=",
    "contains": "contains", "includes": "contains", "in": "in", "not_in": "not in",
}  # fmt: skip
_MARKS = ("{{", "==", "!=", "<", ">", "&&", "||", " in ", " contains ", "(")


def condition_text(given: Any) -> str:
    """Write a condition as an expression; the empty text stands for one that cannot be read."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, list):
        parts = [condition_text(item) for item in given]
        return " && ".join(f"({part})" for part in parts) if parts and all(parts) else ""
    if not isinstance(given, dict):
        return text_of(given)
    keys = snake_keys(given)
    for word, sign in (("all", " && "), ("and", " && "), ("any", " || "), ("or", " || ")):
        if isinstance(keys.get(word), list):
            parts = [condition_text(item) for item in keys[word]]
            return sign.join(f"({part})" for part in parts) if parts and all(parts) else ""
    return _comparison(keys)


def _comparison(keys: dict[str, Any]) -> str:
    field, word = text_of(first_of(keys, "field", "left", "path")), text_of(first_of(keys, "operator", "op")).lower()
    sign = _OPERATORS.get(word.replace(" ", "_"), "" if word else "==")
    if not field:
        return text_of(first_of(keys, "expression", "condition"))
    return f"{field} {sign} {literal(first_of(keys, 'value', 'right'))}" if sign else ""


def literal(value: Any) -> str:
    """Write a JSON value as a constant; a text with braces is what stands in them."""
    if isinstance(value, str) and value.strip().startswith("{{") and value.strip().endswith("}}"):
        return value.strip()
    return orjson.dumps(value).decode()


def is_expression(text: str) -> bool:
    """Tell a condition from a plain word such as `gold`."""
    return any(mark in text for mark in _MARKS)


def constant(text: str) -> Any:
    """Read a switch's case: a quoted text, a number, true, false, or else the text itself."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    try:
        found = orjson.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, int | float | bool) else text
