"""Reads YAML 1.2's plain data out of libyaml's event stream: no tags, bounded aliases, a place for every value."""

import re
from itertools import islice
from math import inf
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from canvas.domain.dsl.document import (
    MAX_ALIASED_VALUES,
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

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}
_NUMBER = re.compile(
    r"(?P<whole>[-+]?[0-9]+)|0o(?P<octal>[0-7]+)|0x(?P<hex>[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<endless>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_MARKED = re.compile("[0-9.+-]")


def read_yaml(text: str) -> Document:
    """Read one YAML document; whatever is wrong with it becomes a problem.

    Keys are text as written; `yes`, `on` and dates are text, as YAML 1.2 has it.
    """
    builder = _Builder()
    try:
        _refuse_unprintable(text)
        builder.read(text)
    except Unreadable as stop:
        return Document(None, "yaml", (*builder.problems, stop.problem))
    except yaml.MarkedYAMLError as error:
        return Document(None, "yaml", (*builder.problems, _syntax_problem(error, text)))
    except yaml.YAMLError:
        return Document(None, "yaml", (Problem("syntax", "error", "", "This is not YAML.", "", 1, 1),))
    return Document(builder.data, "yaml", tuple(builder.problems), builder.root)


def plain_value(text: str) -> tuple[Any, tuple[str, str] | None]:
    """Give the value that an unquoted YAML 1.2 word stands for, and what is wrong with it if it is a number."""
    if text in _WORDS:
        return _WORDS[text], None
    if not _MARKED.match(text) or (found := _NUMBER.fullmatch(text)) is None:
        return text, None
    if len(text) > 400:
        return 0, ("number_too_large", "This number has too many digits.")
    kind, digits = next((kind, part) for kind, part in found.groupdict().items() if part is not None)
    value = inf if kind == "endless" else _number(kind, digits)
    fault = number_fault(value)
    return (0, fault) if fault else (value, None)


def _number(kind: str, digits: str) -> float:
    if kind == "float":
        return float(digits)
    return int(digits, {"whole": 10, "octal": 8, "hex": 16}[kind])


def _refuse_unprintable(text: str) -> None:
    if (found := _UNPRINTABLE.search(text)) is not None:
        before = text[: found.start()]
        place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        code = f"U+{ord(found[0]):04X}"
        raise Unreadable("bad_character", f"The character {code} may not stand in YAML.", "Remove it.", place)


def _syntax_problem(error: yaml.MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = f"This is not YAML: {error.problem or error.context or 'unexpected end'}."
    return Problem("syntax", "error", "", said, _syntax_hint(text, line, column), line, column)


def _syntax_hint(text: str, line: int, column: int) -> str:
    there = next(islice(text.split("\n"), line - 1, line), "")[column - 1 : column]
    if there == "\t":
        return "Indent with spaces, not tabs."
    return "Put text that begins with this character in quotes." if there in {"@", "`", "%", "*", "&", "!"} else ""


class _Frame:
    """A list or mapping that is still being filled."""

    __slots__ = ("anchor", "height", "key", "key_place", "node", "size", "value")

    def __init__(self, value: dict[str, Any] | list[Any], node: Node, anchor: str | None) -> None:
        self.value, self.node, self.anchor = value, node, anchor
        self.key: str | None = None
        self.key_place: Place = (1, 1)
        self.size = self.height = 1


class _Anchored:
    """What an alias stands for; without a node while it is still open."""

    __slots__ = ("height", "node", "size", "value")

    def __init__(self, value: Any = None, node: Node | None = None, size: int = 1, height: int = 0) -> None:
        self.value, self.node, self.size, self.height = value, node, size, height


class _Builder:
    def __init__(self) -> None:
        self.data: Any = None
        self.root = Node((1, 1))
        self.problems: list[Problem] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._documents = self._count = self._aliased = 0

    def read(self, text: str) -> None:
        loader = yaml.CSafeLoader(text)
        try:
            while (event := loader.get_event()) is not None and not isinstance(event, StreamEndEvent):
                self._take(event)
        finally:
            loader.dispose()
        if not self._documents:
            raise Unreadable(
                "empty_document", "There is nothing in this document.", "A workflow begins with `dsl: canvas/v1`."
            )

    def _take(self, event: Event) -> None:
        mark = event.start_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if isinstance(event, ScalarEvent):
            self._scalar(event, place)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._open(event, place)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._close()
        elif isinstance(event, AliasEvent):
            self._alias(event, place)
        elif isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise Unreadable(
                    "several_documents", "A second document begins here.", "Keep one workflow per file.", place
                )

    def _scalar(self, event: ScalarEvent, place: Place) -> None:
        self._counted(place)
        self._refuse_tag(event.tag, place)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            frame.key, frame.key_place = event.value, place
            if event.anchor:
                self._anchors[event.anchor] = _Anchored(event.value, Node(place))
            return
        value, fault = (event.value, None) if event.style else plain_value(event.value)
        if fault:
            self._problem(fault[0], fault[1], "Put it in quotes if it is text.", place)
        self._put(value, Node(place), 1, 0)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, Node(place))

    def _open(self, event: MappingStartEvent | SequenceStartEvent, place: Place) -> None:
        self._counted(place)
        self._refuse_tag(event.tag, place)
        self._refuse_as_key(place)
        if len(self._stack) >= MAX_DEPTH:
            raise too_deep(place)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored()
        is_mapping = isinstance(event, MappingStartEvent)
        self._stack.append(_Frame({} if is_mapping else [], Node(place, {} if is_mapping else []), event.anchor))

    def _close(self) -> None:
        frame = self._stack.pop()
        if frame.anchor:
            self._anchors[frame.anchor] = _Anchored(frame.value, frame.node, frame.size, frame.height)
        self._put(frame.value, frame.node, frame.size, frame.height)

    def _alias(self, event: AliasEvent, place: Place) -> None:
        self._counted(place)
        self._refuse_as_key(place)
        anchored = self._anchors.get(event.anchor or "")
        if anchored is None:
            raise Unreadable("unknown_alias", f"There is no anchor `&{event.anchor}` before this.", "", place)
        if anchored.node is None:
            raise Unreadable("alias_cycle", f"`*{event.anchor}` stands inside what it stands for.", "", place)
        self._aliased += anchored.size
        if self._aliased > MAX_ALIASED_VALUES:
            text = f"Aliases stand for more than {MAX_ALIASED_VALUES:,} values."
            raise Unreadable(
                "too_many_aliases", text, "Write the values out, or use a loop or another workflow.", place
            )
        if len(self._stack) + anchored.height > MAX_DEPTH:
            raise too_deep(place)
        self._put(_copied(anchored.value), anchored.node, anchored.size, anchored.height)

    def _put(self, value: Any, node: Node, size: int, height: int) -> None:
        if not self._stack:
            self.data, self.root = value, node
            return
        frame = self._stack[-1]
        frame.size += size
        frame.height = max(frame.height, height + 1)
        if isinstance(frame.value, list):
            frame.value.append(value)
            frame.node.append(node)
            return
        key, frame.key = frame.key or "", None
        if (first := frame.node.enter(key, frame.key_place, node)) is None:
            frame.value[key] = value
        else:
            text = f"The key `{key[:80]}` is given twice."
            self._problem("duplicate_key", text, f"The first is on line {first[0]}.", frame.key_place)

    def _counted(self, place: Place) -> None:
        self._count += 1
        if self._count > MAX_VALUES:
            raise too_many(place)

    def _refuse_as_key(self, place: Place) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            hint = "An expression in braces needs quotes around it." if frame.node.place[0] == place[0] else ""
            raise Unreadable("bad_key", "A key must be text; here it is a list, a mapping or an alias.", hint, place)

    def _refuse_tag(self, tag: str | None, place: Place) -> None:
        if tag is not None:
            self._problem(
                "yaml_tag", f"The tag `{tag[:80]}` is not allowed.", "Write plain values; text goes in quotes.", place
            )

    def _problem(self, code: str, text: str, hint: str, place: Place) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, "error", "", text, hint, *place))


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value
