"""A text read as plain data, with the line and column of every value; and the bounds a document must keep."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Literal

from canvas.domain.problems import Problem, child, keys_of

MAX_BYTES = 1_048_576
MAX_DEPTH = 64
"Of lists and mappings in each other; twenty levels of steps take forty-one."
MAX_VALUES = 200_000
MAX_KEY = 160
"Characters; so that it fits YAML's own limit for keys however it has to be escaped."
MAX_ALIASED_VALUES = 1_000
_INT64 = 2**63

Place = tuple[int, int]
"Line and column, both from 1, in characters."

_ON_THE_KEY = {"unknown_key", "duplicate_key"}


@dataclass(slots=True)
class Node:
    """Where one value stands, and where the values in it stand."""

    place: Place
    children: list["Node"] | dict[str, tuple[Place, "Node"]] | None = None

    def append(self, node: "Node") -> None:
        """Add the next item of a list."""
        if isinstance(self.children, list):
            self.children.append(node)

    def enter(self, key: str, place: Place, node: "Node") -> Place | None:
        """Add the value of a mapping's key; if the key is there already, keep the first and give its place."""
        if not isinstance(self.children, dict):
            return None
        if key in self.children:
            return self.children[key][0]
        self.children[key] = (place, node)
        return None

    def find(self, key: str) -> tuple[Place, "Node"] | None:
        """Find the value under one key or index: where its key stands, and itself."""
        if isinstance(self.children, dict):
            return self.children.get(key)
        if isinstance(self.children, list) and key.isdecimal() and int(key[:9]) < len(self.children):
            node = self.children[int(key[:9])]
            return node.place, node
        return None


@dataclass(frozen=True, slots=True)
class Document:
    """What a text says as plain data. `problems` tells what the form of the text itself got wrong."""

    data: Any
    "None when the text could not be read at all."
    format: Literal["yaml", "json"]
    problems: tuple[Problem, ...] = ()
    root: Node = field(default_factory=lambda: Node((1, 1)))

    def locate(self, pointer: str, *, key: bool = False) -> Place:
        """Say where the value at a JSON pointer, or its key, begins; if there is none, where what is around it does."""
        node, place = self.root, self.root.place
        for part in keys_of(pointer):
            found = node.find(part)
            if found is None:
                return place
            place, node = (found[0] if key else found[1].place), found[1]
        return place

    def located(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Give each problem that has no place yet the line and column it is at."""
        return tuple(problem if problem.line else self._placed(problem) for problem in problems)

    def _placed(self, problem: Problem) -> Problem:
        line, column = self.locate(problem.pointer, key=problem.code in _ON_THE_KEY)
        return replace(problem, line=line, column=column)


class Unreadable(Exception):
    """Ends the reading of a text at the first thing that leaves no sense in going on."""

    def __init__(self, code: str, text: str, hint: str = "", place: Place = (1, 1)) -> None:
        super().__init__(text)
        self.problem = Problem(code, "error", "", text, hint, *place)


def too_deep(place: Place) -> Unreadable:
    """Say that lists and mappings nest too far."""
    return Unreadable("too_deep", f"More than {MAX_DEPTH} lists and mappings are nested in each other here.", "", place)


def too_many(place: Place) -> Unreadable:
    """Say that there are too many values."""
    return Unreadable("too_many_values", f"The document has more than {MAX_VALUES:,} values.", "", place)


def data_problem(data: Any) -> Problem | None:
    """Find what keeps plain data from being a document: bounds, numbers without end, text that is no text.

    Args:
        data: Anything, such as the body of a request; it is never changed.
    """
    waiting: list[tuple[Any, str, int]] = [(data, "", 1)]
    count = 0
    while waiting:
        value, at, depth = waiting.pop()
        count += 1
        if (fault := _fault(value, depth, count)) is not None:
            return Problem(fault[0], "error", at, fault[1])
        if isinstance(value, dict):
            if (key_fault := _key_fault(value)) is not None:
                return Problem("bad_key", "error", at, key_fault)
            waiting.extend((item, child(at, key), depth + 1) for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend((item, f"{at}/{index}", depth + 1) for index, item in enumerate(value))
    return None


def number_fault(value: float) -> tuple[str, str] | None:
    """Say what is wrong with a number, as a code and a sentence."""
    if isinstance(value, int):
        if not -_INT64 <= value < _INT64:
            return "number_too_large", "This whole number does not fit into 64 bits."
    elif not isfinite(value):
        return "not_finite", "A number must be finite."
    return None


def _key_fault(mapping: dict[Any, Any]) -> str | None:
    for key in mapping:
        if not isinstance(key, str):
            return f"The key {str(key)[:80]} must be text."
        if len(key) > MAX_KEY:
            return f"The key `{key[:40]}…` is longer than {MAX_KEY} characters."
        if not key.isascii() and _has_surrogate(key):
            return "Half of a surrogate pair is no character."
    return None


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _fault(value: Any, depth: int, count: int) -> tuple[str, str] | None:
    if depth > MAX_DEPTH + 1:
        return "too_deep", f"More than {MAX_DEPTH} lists and mappings are nested in each other."
    if count > MAX_VALUES:
        return "too_many_values", f"The document has more than {MAX_VALUES:,} values."
    if value is None or isinstance(value, bool | dict | list):
        return None
    if isinstance(value, int | float):
        return number_fault(value)
    if not isinstance(value, str):
        return "bad_value", f"A {type(value).__name__} is no JSON value."
    if not value.isascii() and _has_surrogate(value):
        return "bad_character", "Half of a surrogate pair is no character."
    return None
