"""What is wrong with a document: one value per problem, and the collector that every check reports to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from typing import Any, Literal

Severity = Literal["error", "warning"]

MAX_PROBLEMS = 500
_MAX_SUGGESTIONS = 40
_MAX_CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, said so that somebody can repair it."""

    code: str
    severity: Severity
    pointer: str
    "RFC 6901 pointer into the document; for a missing key, where the key should be."
    text: str
    hint: str = ""
    line: int | None = None
    "From 1; None when there is no text, only data."
    column: int | None = None
    "From 1, in characters."
    step: str | None = None
    "The step it belongs to, for the badge on the canvas."
    expression_column: int | None = None
    "From 1, inside the text at `pointer`."

    @property
    def is_error(self) -> bool:
        """Whether it stands in the way of publishing and running."""
        return self.severity == "error"

    def to_json(self) -> dict[str, Any]:
        """Give all fields as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


class Report:
    """Collects the problems of one document, at most `MAX_PROBLEMS` of them."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._suggestions = 0
        self.step: str | None = None
        "The step that problems are put down to while it is being looked at."

    def error(
        self, code: str, pointer: str, text: str, hint: str = "", *, expression_column: int | None = None
    ) -> None:
        """Note something that must be repaired."""
        self._add(Problem(code, "error", pointer, text, hint, step=self.step, expression_column=expression_column))

    def warning(
        self, code: str, pointer: str, text: str, hint: str = "", *, expression_column: int | None = None
    ) -> None:
        """Note something that is allowed and probably not meant."""
        self._add(Problem(code, "warning", pointer, text, hint, step=self.step, expression_column=expression_column))

    def near(self, word: str, names: Iterable[str]) -> str:
        """Word a hint that names what may have been meant; empty when nothing is near, or after many suggestions."""
        self._suggestions += 1
        if self._suggestions > _MAX_SUGGESTIONS or len(word) > 100:
            return ""
        found = near_names(word, names)
        return f"Did you mean {' or '.join(f'`{name}`' for name in found)}?" if found else ""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything noted so far, in the order it was found."""
        return tuple(self._problems)

    @property
    def is_full(self) -> bool:
        """Whether further problems are dropped."""
        return len(self._problems) > MAX_PROBLEMS

    def _add(self, problem: Problem) -> None:
        if self.is_full:
            return
        if len(self._problems) == MAX_PROBLEMS:
            problem = Problem(
                "too_many_problems", "error", "", f"There are more than {MAX_PROBLEMS} problems.", "Repair these first."
            )
        self._problems.append(problem)


def near_names(word: str, names: Iterable[str]) -> list[str]:
    """Find up to two names that look like `word`, the nearest first; the effort is bounded however many there are."""
    alike = (name for name in names if abs(len(name) - len(word)) <= 3 and _same_end(name, word))
    candidates = list(islice(alike, _MAX_CANDIDATES))
    return get_close_matches(word, candidates, n=2, cutoff=0.8) or get_close_matches(word, candidates, n=1)


def child(pointer: str, key: str | int) -> str:
    """Extend a JSON pointer by one key or index."""
    if isinstance(key, int):
        return f"{pointer}/{key}"
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"


def keys_of(pointer: str) -> Iterator[str]:
    """Take a JSON pointer apart."""
    for part in pointer.split("/")[1:]:
        yield part.replace("~1", "/").replace("~0", "~")


def at_step(problem: Problem, step: str | None) -> Problem:
    """Put a problem down to a step."""
    return replace(problem, step=step)


def _same_end(name: str, word: str) -> bool:
    return name[:1].lower() == word[:1].lower() or name[-2:].lower() == word[-2:].lower()
