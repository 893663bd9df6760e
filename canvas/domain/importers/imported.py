"""What an importer gives back, and the tolerant reading that all of them share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from canvas.domain.errors import Invalid
from canvas.domain.problems import Problem

_UPPER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Imported:
    """A document of another shape, said in canonical form."""

    document: dict[str, Any]
    "As `dsl.from_document` takes it; that and the validator still have to judge it."
    warnings: tuple[Problem, ...] = ()
    """What had to be interpreted; pointers lead into the document that was imported. An error among them marks
    something that could not be said at all: in its place stands a step that fails the run with a message."""


class ImportRefused(Invalid):
    """The document is not of this shape."""

    code = "import_refused"


def snake_case(text: str) -> str:
    """Turn `branchType` and `SEND_EMAIL` into `branch_type` and `send_email`."""
    return _UPPER.sub("_", text).lower() if not text.isupper() else text.lower()


def snake_keys(source: Mapping[str, Any]) -> dict[str, Any]:
    """Give a mapping's own keys in snake case; of two that become the same the first one counts."""
    found: dict[str, Any] = {}
    for key, value in source.items():
        found.setdefault(snake_case(key), value)
    return found


def first_of(source: Mapping[str, Any], *keys: str) -> Any:
    """Take the value of the first key that is there and not null."""
    return next((source[key] for key in keys if source.get(key) is not None), None)


def text_of(value: Any) -> str:
    """Take text, and nothing for everything else."""
    return value.strip() if isinstance(value, str) else ""


def number_of(value: Any) -> float | None:
    """Take a number, also one that is written as text; nothing for everything else."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        return None
    return int(value) if value == int(value) else float(value)


def list_of(value: Any) -> list[Any]:
    """Take a list; nothing is an empty one, and anything else the only element."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def without_nothing(step: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out keys that say nothing: null, empty texts, lists and mappings."""
    return {key: value for key, value in step.items() if value is not None and value not in ("", [], {})}
