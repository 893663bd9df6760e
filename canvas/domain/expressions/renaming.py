"""Renaming a step in every expression that names it; the rest of each text stays as it was typed."""

from typing import Any

from canvas.domain.expressions.faults import ExpressionError
from canvas.domain.expressions.program import compile_expression
from canvas.domain.expressions.references import Reference
from canvas.domain.expressions.templates import compile_template


def rename_step(text: str, old: str, new: str) -> str:
    """Rename a step in an expression, such as a condition; one that cannot be read stays as it is."""
    try:
        references = compile_expression(text).references
    except ExpressionError:
        return text
    return _renamed(text, references, old, new)


def rename_step_in_template(text: str, old: str, new: str) -> str:
    """Rename a step in a text field; one that cannot be read stays as it is."""
    try:
        references = compile_template(text).references
    except ExpressionError:
        return text
    return _renamed(text, references, old, new)


def rename_step_in_value(value: Any, old: str, new: str) -> Any:
    """Rename a step in every string of a JSON value; keys are left alone."""
    if isinstance(value, str):
        return rename_step_in_template(value, old, new)
    if isinstance(value, dict):
        return {key: rename_step_in_value(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [rename_step_in_value(item, old, new) for item in value]
    return value


def _renamed(text: str, references: tuple[Reference, ...], old: str, new: str) -> str:
    spans = [reference.spans[1] for reference in references if reference.path[:2] == ("steps", old)]
    for start, end in sorted(spans, reverse=True):
        quote = text[end - 1] if text[end - 1] in "'\"" else ""
        text = f"{text[:start]}{quote}{new}{quote}{text[end:]}"
    return text
