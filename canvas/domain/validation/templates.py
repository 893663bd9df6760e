"""Finding the templates in values."""

from collections.abc import Iterator
from typing import Any

from canvas.domain.problems import child


def is_template(value: Any) -> bool:
    """Tell whether a value is text with braces in it, so that its type is known only in a run."""
    return isinstance(value, str) and "{{" in value


def templates_in(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """Find every template in a JSON value, with its pointer."""
    waiting = [(at, value)]
    while waiting:
        here, one = waiting.pop()
        if isinstance(one, str):
            if "{{" in one:
                yield here, one
        elif isinstance(one, dict):
            waiting.extend((child(here, key), item) for key, item in reversed(one.items()))
        elif isinstance(one, list):
            waiting.extend((f"{here}/{index}", item) for index, item in reversed(list(enumerate(one))))
