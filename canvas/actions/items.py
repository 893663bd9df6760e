"""Working through a list item by item, within bounds: what the `data/…` actions share."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from canvas.actions.failures import ActionFailed
from canvas.domain.expressions import ExpressionError, Program, compile_expression

MAX_ITEMS = 100_000
MAX_SECONDS = 10.0

Expression = Annotated[str, Field(json_schema_extra={"x-widget": "expression"})]
"""An argument that is an expression as such, without braces; the action evaluates it."""


class DataFailed(ActionFailed):
    """The values cannot be worked on like this."""

    code = "data_failed"


def bounded(items: Sequence[Any], word: str) -> Iterator[tuple[int, Any]]:
    """Give each item with its index, from 0, within the limits of one step.

    Args:
        items: What to go through.
        word: What is done with them, as in "can be filtered".

    Raises:
        DataFailed: There are too many, or it took too long; looked at between items.
    """
    if len(items) > MAX_ITEMS:
        raise DataFailed(f"The input has {len(items):,} items; at most {MAX_ITEMS:,} can be {word} in one step.")
    deadline = time.monotonic() + MAX_SECONDS
    for index, item in enumerate(items):
        if time.monotonic() > deadline:
            raise DataFailed(f"This took longer than {MAX_SECONDS:g} s; it got to item {index:,} of {len(items):,}.")
        yield index, item


def compiled(text: str, argument: str) -> Program:
    """Compile the expression of an argument.

    Raises:
        DataFailed: It is none; says in which argument and column.
    """
    try:
        return compile_expression(text)
    except ExpressionError as error:
        raise failure(error, argument) from None


def evaluated(program: Program, names: Mapping[str, Any], argument: str) -> Any:
    """Evaluate the expression of an argument; `index` among the names makes part of a failure's message.

    Raises:
        DataFailed: It cannot be evaluated; says in which argument, at which item and column.
    """
    try:
        return program.evaluate(names)
    except ExpressionError as error:
        raise failure(error, argument, names.get("index")) from None


def failure(error: ExpressionError, argument: str, index: int | None = None) -> DataFailed:
    """Say an expression's fault as the failure of an action."""
    at = "" if index is None else f", item {index}"
    return DataFailed(
        f"{argument}{at}: {error}", column=error.details.get("column"), hint=error.details.get("hint"), item=index
    )


def same(value: Any) -> Any:
    """Give something hashable that is equal for equal JSON values: 1 and 1.0 are, true and 1 are not.

    Raises:
        DataFailed: The value is nested too deep.
    """
    try:
        return _same(value)
    except RecursionError:
        raise DataFailed("A value is nested too deep to be compared.") from None


def _same(value: Any) -> Any:
    if isinstance(value, bool):
        return ("truth", value)
    if isinstance(value, list):
        return ("list", tuple(map(_same, value)))
    if isinstance(value, Mapping):
        return ("object", frozenset((key, _same(part)) for key, part in value.items()))
    return value


def kind_of(value: Any) -> str:
    """Name a value's kind as people say it; values of one kind can be put in order."""
    if isinstance(value, bool):
        return "truth value"
    if isinstance(value, int | float):
        return "number"
    kinds = {str: "text", list: "list", type(None): "null"}
    return kinds.get(type(value), "object")


def many(kinds: set[str]) -> str:
    """Name several kinds of values, as in "numbers and texts"."""
    return " and ".join(kind if kind == "null" else f"{kind}s" for kind in sorted(kinds))
