"""Hiding secrets in whatever is kept or shown, in time that grows with its size and not with what it says."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson
import re2

from canvas.actions.spellings import MIN_LENGTH, base64_cores, spellings

MASK: Final = "•••"
_MASK: Final = MASK.encode()
_BASE64: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")
_WORD: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_NUMBER: Final = frozenset("0123456789.+-eE")
_MAX_MEMORY: Final = 256 << 20
"What a pattern may take; one made of a long private key needs a few MiB."


class Masker:
    """Hides a set of secrets, however they are spelled. Making one costs more than using it; see `masker_for`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = set(filter(None, secrets))
        written = {text for secret in known for text in spellings(secret)}
        short = {text for text in written if len(text) < MIN_LENGTH}
        self._long = _Finder(map(_bytes, written - short))
        self._words = _Finder(map(_bytes, short))
        self._cores = _Finder(core.encode() for secret in known for core in base64_cores(secret))
        kept = written | {core for secret in known for core in base64_cores(secret)}
        self._in_json = _any_of({orjson.dumps(text)[1:-1] for text in kept if _can_be_kept(text)})
        self._has_numbers = any(_NUMBER.issuperset(text) for text in written)

    def text(self, text: str) -> str:
        """Hide the secrets in a text; neighbours that touch or overlap become one mask."""
        data = _bytes(text)
        places = [*self._long.places(data), *self._alone(data), *self._in_base64(data)]
        return _without(data, places).decode("utf-8", "surrogatepass") if places else text

    def value(self, value: Any) -> Any:
        """Hide the secrets in a value, keys of objects included; what is not JSON becomes the text it is shown as."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self._object(value)
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return self._number(value)
        return self.text(str(value))

    def json(self, body: bytes) -> bytes:
        """Hide the secrets in JSON text; one look tells that there are none, which is what is nearly always so."""
        if self._in_json is None or self._in_json.search(body) is None:
            return body
        return orjson.dumps(self.value(orjson.loads(body)))

    def _object(self, value: Mapping[Any, Any]) -> dict[Any, Any]:
        masked: dict[Any, Any] = {}
        for key, item in value.items():
            name = shown = self.text(key) if isinstance(key, str) else key
            number = 1
            while name in masked:
                number += 1
                name = f"{shown} ({number})"
            masked[name] = self.value(item)
        return masked

    def _number(self, value: float) -> Any:
        if not self._has_numbers:
            return value
        text = str(value)
        masked = self.text(text)
        return value if masked == text else masked

    def _alone(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Find secrets that are too short to be looked for inside of words."""
        for begin, end in self._words.places(data):
            if not (_is_one_of(_WORD, data, begin - 1) or _is_one_of(_WORD, data, end)):
                yield begin, end

    def _in_base64(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Find secrets inside base64, with the character on either side that tells some of their bits."""
        for begin, end in self._cores.places(data):
            yield begin - _is_one_of(_BASE64, data, begin - 1), end + _is_one_of(_BASE64, data, end)


class _Finder:
    """Finds every place where one of some texts stands, those that overlap included."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        known = set(texts)
        self._reach = max(map(len, known), default=0)
        self._one = _any_of(known)

    def places(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Give begin and end of each place, in their order; the places do not touch."""
        position = 0
        while self._one is not None and (match := self._one.search(data, position)) is not None:
            begin, end = match.span()
            end = self._end(data, begin, end)
            yield begin, end
            position = end

    def _end(self, data: bytes, begin: int, end: int) -> int:
        """Follow texts that begin before the end of the last one."""
        position = max(begin + 1, end - self._reach + 1)
        while position <= end and (match := self._one.search(data, position, end + self._reach)) is not None:
            if match.start() > end:
                break
            end = max(end, match.end())
            position = match.start() + 1
        return end


@lru_cache(maxsize=256)
def masker_for(secrets: frozenset[str]) -> Masker:
    """Give the masker for these secrets, kept for the next call."""
    return Masker(secrets)


def _without(data: bytes, places: list[tuple[int, int]]) -> bytes:
    parts: list[bytes] = []
    done = 0
    for begin, end in sorted(places):
        if begin > done or not parts:
            parts += [data[done:begin], _MASK]
        done = max(done, end)
    return b"".join([*parts, data[done:]])


def _is_one_of(characters: frozenset[int], data: bytes, position: int) -> bool:
    return 0 <= position < len(data) and data[position] in characters


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _can_be_kept(text: str) -> bool:
    """Tell whether a text can stand in JSON at all: half a character cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _any_of(texts: Collection[bytes]) -> Any:
    """Compile what finds the first run of any of these texts; None when there are none."""
    if not texts:
        return None
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes are bytes, whatever they spell
    options.longest_match = True
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    return re2.compile(b"(?:" + b"|".join(map(re2.escape, sorted(texts))) + b")+", options)
