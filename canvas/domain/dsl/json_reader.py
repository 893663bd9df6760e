"""Reads JSON, and scans it once more for the place of every value, keys given twice, and numbers that do not fit."""

import re
from bisect import bisect_right
from typing import Any

import orjson

from canvas.domain.dsl.document import (
    MAX_DEPTH,
    MAX_VALUES,
    Document,
    Node,
    Place,
    Unreadable,
    number_fault,
    too_deep,
    too_many,
)
from canvas.domain.problems import MAX_PROBLEMS, Problem

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_LONG_WHOLE = re.compile(r"-?[0-9]{19,}")


def read_json(text: str) -> Document:
    """Read one JSON document; whatever is wrong with it becomes a problem. NaN and Infinity are not JSON."""
    scan = _Scan(text)
    try:
        data = orjson.loads(text)
        root = scan.nodes()
    except orjson.JSONDecodeError as error:
        return Document(None, "json", (_syntax_problem(error),))
    except Unreadable as stop:
        return Document(None, "json", (*scan.problems, stop.problem))
    return Document(data, "json", tuple(scan.problems), root)


def _syntax_problem(error: orjson.JSONDecodeError) -> Problem:
    if "depth" in error.msg:
        return too_deep((error.lineno, error.colno)).problem
    return Problem("syntax", "error", "", f"This is not JSON: {error.msg}.", "", error.lineno, error.colno)


class _Scan:
    """Builds the tree of places of a text that is known to be JSON."""

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._lines: list[int] = []
        self._stack: list[Node] = []
        self._keys: list[tuple[str, Place] | None] = []
        self._root = Node((1, 1))
        self._count = 0

    def nodes(self) -> Node:
        self._lines = [0, *(found.end() for found in re.finditer("\n", self._text))]
        tokens = _TOKEN.finditer(self._text)
        for token in tokens:
            self._take(token)
        return self._root

    def _take(self, token: re.Match[str]) -> None:
        word = token[0]
        if word in ":,":
            return
        if word in "}]":
            node = self._stack.pop()
            self._keys.pop()
            self._put(node)
            return
        place = self._place(token.start())
        self._count += 1
        if self._count > MAX_VALUES:
            raise too_many(place)
        if word in "{[":
            self._open(word, place)
        elif self._stack and isinstance(self._stack[-1].children, dict) and self._keys[-1] is None:
            self._keys[-1] = (_text_of(word), place)
        else:
            self._check_number(word, place)
            self._put(Node(place))

    def _open(self, word: str, place: Place) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise too_deep(place)
        self._stack.append(Node(place, {} if word == "{" else []))
        self._keys.append(None)

    def _put(self, node: Node) -> None:
        if not self._stack:
            self._root = node
            return
        holder, key = self._stack[-1], self._keys[-1]
        if key is None:
            holder.append(node)
        else:
            self._keys[-1] = None
            if (first := holder.enter(*key, node)) is not None:
                text = f"The key `{key[0][:80]}` is given twice."
                self._problem("duplicate_key", text, f"The first is on line {first[0]}.", key[1])

    def _check_number(self, word: str, place: Place) -> None:
        if _LONG_WHOLE.fullmatch(word) and (len(word) > 20 or number_fault(int(word))):
            text = "This whole number does not fit into 64 bits."
            self._problem("number_too_large", text, "Put it in quotes if it is text.", place)

    def _problem(self, code: str, text: str, hint: str, place: Place) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, "error", "", text, hint, *place))

    def _place(self, offset: int) -> Place:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1


def _text_of(token: str) -> str:
    if "\\" not in token:
        return token[1:-1]
    key: Any = orjson.loads(token)
    return str(key)
