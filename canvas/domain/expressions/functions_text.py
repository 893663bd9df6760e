"""Functions on strings."""

from functools import partial
from typing import Any
from urllib.parse import quote

from canvas.domain.expressions import values
from canvas.domain.expressions.catalogue import function, spent
from canvas.domain.expressions.faults import ExpressionValueError
from canvas.domain.expressions.limits import Meter
from canvas.domain.expressions.patterns import compile_pattern

_text = partial(function, "Text")


@_text("string(value: any) -> string", "string(1.0) + string(true)", "1true")
def string(meter: Meter, value: Any) -> str:
    """Write a value as text, as a text field would show it; lists and objects as JSON."""
    return values.to_text(value, meter)


@_text("size(value: string|list|object) -> integer", "size('abc')", 3)
def size(meter: Meter, value: Any) -> int:
    """Count the characters of a string, the elements of a list or the keys of an object."""
    return len(value)


@_text("upper(text: string) -> string", "'abc'.upper()", "ABC")
def upper(meter: Meter, text: str) -> str:
    """Change to upper case."""
    spent(meter, len(text), 2 * len(text))
    return text.upper()


@_text("lower(text: string) -> string", "'ABC'.lower()", "abc")
def lower(meter: Meter, text: str) -> str:
    """Change to lower case."""
    spent(meter, len(text), 2 * len(text))
    return text.lower()


@_text("trim(text: string) -> string", "trim('  a b ')", "a b")
def trim(meter: Meter, text: str) -> str:
    """Take white space off both ends."""
    spent(meter, len(text), len(text))
    return text.strip()


@_text("startsWith(text: string, prefix: string) -> boolean", "'vm-1'.startsWith('vm')", True)
def starts_with(meter: Meter, text: str, prefix: str) -> bool:
    """Whether the text begins with the prefix."""
    spent(meter, len(prefix))
    return text.startswith(prefix)


@_text("endsWith(text: string, suffix: string) -> boolean", "'a.csv'.endsWith('.csv')", True)
def ends_with(meter: Meter, text: str, suffix: str) -> bool:
    """Whether the text ends with the suffix."""
    spent(meter, len(suffix))
    return text.endswith(suffix)


@_text("contains(value: string|list|object, part: any) -> boolean", "contains('abc', 'b')", True)
def contains(meter: Meter, value: Any, part: Any) -> bool:
    """Whether a string has a part, a list an element or an object a key; also written `value contains part`."""
    return values.contains(value, part, meter)


@_text("matches(text: string, pattern: string) -> boolean", "'vm-12'.matches('^vm-[0-9]+$')", True)
def matches(meter: Meter, text: str, pattern: str) -> bool:
    """Whether a part of the text fits a regular expression (RE2 syntax; `^` and `$` tie it to the ends)."""
    meter.spend(2_000)
    return compile_pattern(pattern).is_in(text, meter)


@_text("replace(text: string, old: string, new: string) -> string", "'a-b-c'.replace('-', '+')", "a+b+c")
def replace(meter: Meter, text: str, old: str, new: str) -> str:
    """Put `new` in the place of every `old`."""
    spent(meter, len(text))
    count = text.count(old)
    spent(meter, len(text) + count * 4, len(text) + count * max(0, len(new) - len(old)))
    return text.replace(old, new)


@_text("split(text: string, separator: string) -> list", "'a,b'.split(',')", ["a", "b"])
def split(meter: Meter, text: str, separator: str) -> list[str]:
    """Cut at every separator; an empty separator cuts between all characters."""
    spent(meter, len(text))
    count = text.count(separator) if separator else len(text)
    meter.spend(1 + (len(text) + 8 * count) // 32, len(text) + 56 * count)
    return text.split(separator) if separator else list(text)


@_text("join(items: list, separator?: string) -> string", "[1, 2].join('-')", "1-2")
def join(meter: Meter, items: list[Any], separator: str = "") -> str:
    """Join the elements as text, with the separator between them."""
    meter.spend(1 + 2 * len(items))
    parts = [values.to_text(item, meter) for item in items]
    total = sum(map(len, parts)) + len(separator) * len(parts)
    spent(meter, total, total)
    return separator.join(parts)


@_text("urlEncode(text: string) -> string", "urlEncode('a b&c')", "a%20b%26c")
def url_encode(meter: Meter, text: str) -> str:
    """Escape everything that has a meaning in an address."""
    meter.spend(1 + len(text), 3 * len(text))
    try:
        return quote(text, safe="")
    except UnicodeError:
        raise ExpressionValueError("This string holds half a character and cannot be encoded.") from None
