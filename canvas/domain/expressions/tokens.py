"""Text into tokens, one at a time."""

import re
from typing import NamedTuple

from canvas.domain.expressions.faults import ExpressionSyntaxError

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number> 0[xX][0-9a-fA-F]+ | (?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? )
    | (?P<string> [rR]?(?: '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" ) )
    | (?P<name>   [^\W\d]\w* )
    | (?P<sign>   \?\? | && | \|\| | == | != | <= | >= | [-+*/%<>!?:.,()\[\]{}] )
    | (?P<end>    \Z )
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v"} | {c: c for c in "\\'\"`?/"}
_HINTS = {
    "=": "Write `==` to compare.",
    "&": "Write `&&` or `and`.",
    "|": "Write `||` or `or`.",
    "$": "Names stand without a `$`.",
    "`": "Texts stand in ' or \".",
    "'": "The text that starts here is never closed.",
    '"': "The text that starts here is never closed.",
}


class Token(NamedTuple):
    """A piece of text: its kind (`number`, `string`, `name`, `sign`, `end`), its spelling and where it stands."""

    kind: str
    text: str
    start: int
    end: int


def next_token(text: str, position: int) -> Token:
    """Read the token at or after `position`.

    Raises:
        ExpressionSyntaxError: No token starts there.
    """
    found = _TOKEN.match(text, position)
    if found is None:
        raise _stray(text, position)
    kind = str(found.lastgroup)
    start, end = found.span(kind)
    if kind == "number" and (text[end : end + 1].isalnum() or text[end : end + 1] == "_"):
        raise ExpressionSyntaxError(f"`{text[start : end + 1]}` is no number.").at(text, start)
    return Token(kind, found[kind], start, end)


def _stray(text: str, position: int) -> ExpressionSyntaxError:
    while text[position].isspace():
        position += 1
    character = text[position]
    hint = _HINTS.get(character, "")
    sentence = f"`{character}` cannot stand here." + (f" {hint}" if hint else "")
    return ExpressionSyntaxError(sentence, hint=hint).at(text, position)


def string_value(token: Token, text: str) -> str:
    """Take the quotes off a string token and undo its escapes.

    Raises:
        ExpressionSyntaxError: An escape is unknown, or names half of a surrogate pair.
    """
    raw = token.text[0] in "rR"
    body = token.text[2:-1] if raw else token.text[1:-1]
    if raw or "\\" not in body:
        return body

    def unescape(found: re.Match[str]) -> str:
        digits = found[1] or found[2] or found[3]
        if digits is None:
            value = _SIMPLE.get(found[4])
        else:
            code = int(digits, 16)
            value = chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else None
        if value is None:
            raise ExpressionSyntaxError(f"`{found[0]}` is no escape.").at(text, token.start + 1 + found.start())
        return value

    return _ESCAPE.sub(unescape, body)
