"""Plain data to YAML that is nice to read and to diff: block style, short lists and mappings in one line.

What is written reads back as the same data, here and in any YAML 1.1 or 1.2 reader. A switch's key `on` is the one
exception: a YAML 1.1 reader takes it for a boolean.
"""

import re
from collections.abc import Iterator
from typing import Any

import orjson
from yaml.resolver import Resolver

from canvas.domain.dsl.yaml_reader import plain_value

_WIDTH = 110
_ALWAYS_BLOCK = {"parameters", "outputs", "triggers", "steps", "layout"}
_SAFE = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`](?:[^\n\r\t:#]|:(?=[^\s,\[\]{}])|(?<=[^\s])#)*")
_FLOW_MARKS = re.compile(r"[,\[\]{}?]")
_ODD = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_SINGLE_QUOTABLE = re.compile(r"[^'\\\n\t]+")
_RESOLVERS = Resolver.yaml_implicit_resolvers


def write_yaml(document: dict[str, Any]) -> str:
    """Write a document, which must be plain data within the bounds of `document`."""
    entries = ((_scalar(key), value, key in _ALWAYS_BLOCK and _is_block(value)) for key, value in document.items())
    lines = [line for name, value, is_block in entries for line in _entry(name, value, "", _WIDTH, is_block)]
    return "\n".join(lines) + "\n" if lines else "{}\n"


def _entry(name: str, value: Any, indent: str, width: int, is_block: bool = False) -> Iterator[str]:
    head = f"{indent}{name}:"
    if not is_block and (line := _inline(value, width - len(head) - 1, in_flow=False)) is not None:
        yield f"{head} {line}"
    elif isinstance(value, str):
        yield from _literal(head, value, indent)
    elif isinstance(value, dict) and value:
        yield head
        yield from _mapping(value, indent + "  ", width, is_step=False)
    elif isinstance(value, list) and value:
        yield head
        yield from _items(value, indent + "  ", width, is_steps=name == "steps")
    else:
        yield f"{head} {'{}' if isinstance(value, dict) else '[]'}"


def _items(values: list[Any], indent: str, width: int, *, is_steps: bool = False) -> Iterator[str]:
    for value in values:
        line = None if is_steps and _is_block(value) else _inline(value, width - len(indent) - 2, in_flow=False)
        if line is not None:
            yield f"{indent}- {line}"
        elif isinstance(value, str):
            yield from _literal(f"{indent}-", value, indent)
        else:
            inner = indent + "  "
            is_mapping = isinstance(value, dict)
            below = _mapping(value, inner, width, is_steps) if is_mapping else _items(value, inner, width)
            first = next(below)
            yield f"{indent}- {first[len(inner) :]}"
            yield from below


def _mapping(value: dict[str, Any], indent: str, width: int, is_step: bool) -> Iterator[str]:
    for key, item in value.items():
        name = key if is_step and key == "on" else _scalar(key)
        yield from _entry(name, item, indent, width, key == "steps" and _is_block(item))


def _is_block(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _inline(value: Any, room: int, *, in_flow: bool) -> str | None:
    """Write a value in one line; None if it does not fit, or is text that reads better over several lines."""
    if isinstance(value, str):
        return None if not in_flow and _fits_literal(value) else _scalar(value, in_flow)
    if not isinstance(value, dict | list):
        return _plain_number(value) if isinstance(value, float) else orjson.dumps(value).decode()
    parts = []
    for item in value.items() if isinstance(value, dict) else value:
        if isinstance(value, dict):
            written = _inline(item[1], room, in_flow=True)
            part = None if written is None else f"{_scalar(item[0], in_flow=True)}: {written}"
        else:
            part = _inline(item, room, in_flow=True)
        if part is None or (room := room - len(part) - 2) < 0:
            return None
        parts.append(part)
    joined = ", ".join(parts)
    return f"{{{joined}}}" if isinstance(value, dict) else f"[{joined}]"


def _plain_number(number: float) -> str:
    """Spell a float so that YAML 1.1, too, takes it for one: with a point, and a sign in the exponent."""
    digits, mark, exponent = repr(number).partition("e")
    return f"{digits if '.' in digits else digits + '.0'}{mark}{exponent}"


def _scalar(text: str, in_flow: bool = False) -> str:
    if _is_plain(text, in_flow):
        return text
    if (
        '"' in text
        and "'" not in text
        and "\\" not in text
        and not _ODD.search(text)
        and "\n" not in text
        and "\t" not in text
    ):
        return f"'{text}'"
    return _quoted(text)


def _quoted(text: str) -> str:
    return _ODD.sub(lambda found: f"\\u{ord(found[0]):04x}", orjson.dumps(text).decode())


def _is_plain(text: str, in_flow: bool) -> bool:
    if not _SAFE.fullmatch(text) or text[-1] in " :" or _ODD.search(text) or (in_flow and _FLOW_MARKS.search(text)):
        return False
    if not isinstance(plain_value(text)[0], str):
        return False
    return not any(pattern.match(text) for _, pattern in _RESOLVERS.get(text[0], ()))


def _fits_literal(text: str) -> bool:
    return (
        "\n" in text.rstrip("\n")
        and not text.endswith("\n\n")
        and text[0] not in " \n\t"
        and not _ODD.search(text)
        and not any(line != line.rstrip() for line in text.split("\n"))
    )


def _literal(head: str, text: str, indent: str) -> Iterator[str]:
    yield f"{head} |" if text.endswith("\n") else f"{head} |-"
    for line in text.removesuffix("\n").split("\n"):
        yield f"{indent}  {line}" if line else ""
