"""Reading an answer without trusting it: never more than is allowed, however small it arrives."""

import codecs
import zlib
from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx
import orjson

from canvas.actions.http.failures import AnswerTooLarge, AnswerUnreadable

ACCEPTED_ENCODINGS = "gzip, deflate"
_PIECE = 64 * 1024
_BINARY = ("image/", "audio/", "video/", "font/", "application/octet-stream", "application/pdf", "application/zip")
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})
"Encodings that Python knows and no web page has; some of them take forever on large input."


class BodyKind(StrEnum):
    """What a body is given as."""

    JSON = "json"
    TEXT = "text"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, read to its end."""

    status: int
    headers: httpx.Headers
    content: bytes
    url: httpx.URL


async def read_answer(answer: httpx.Response, *, max_bytes: int, place: str) -> Answer:
    """Read an answer to its end.

    Decodes by itself and piece by piece: what the client's own decoders make of one small piece has no limit.

    Raises:
        AnswerTooLarge: it is, or says it is, longer than `max_bytes` once decoded; nothing more was read.
        AnswerUnreadable: its encoding is broken, or none of those that were asked for.
    """
    too_large = AnswerTooLarge(
        f"{place} answered more than {max_bytes:,} bytes. If that is right, raise max_bytes.", status=answer.status_code
    )
    decoder = _decoder(answer.headers.get("content-encoding", ""), place)
    if answer.request.method != "HEAD" and decoder is None and _announced(answer) > max_bytes:
        raise too_large
    read = bytearray()
    try:
        async for piece in answer.aiter_raw(_PIECE):
            read += piece if decoder is None else decoder.decompress(piece, max_bytes + 1 - len(read))
            if len(read) > max_bytes:
                raise too_large
    except zlib.error as error:
        raise AnswerUnreadable(f"{place} answered something that cannot be unpacked: {error}.") from None
    if decoder is not None and read and not decoder.is_done:
        raise AnswerUnreadable(f"{place} answered something packed that ends too early.")
    return Answer(answer.status_code, answer.headers, bytes(read), answer.url)


def _announced(answer: httpx.Response) -> int:
    text = answer.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _decoder(encoding: str, place: str) -> "_Inflater | None":
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name not in ("gzip", "x-gzip", "deflate"):
        raise AnswerUnreadable(
            f"{place} answered in the encoding {encoding[:80]!r}; asked for was {ACCEPTED_ENCODINGS}."
        )
    return _Inflater()


class _Inflater:
    """Unpacks gzip, zlib and, as some servers send it for deflate, bare deflate; never more than asked for."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._is_first = True

    @property
    def is_done(self) -> bool:
        return self._inner.eof

    def decompress(self, piece: bytes, limit: int) -> bytes:
        try:
            return self._inner.decompress(piece, limit)
        except zlib.error:
            if not self._is_first:
                raise
            self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._inner.decompress(piece, limit)
        finally:
            self._is_first = False


def value_of(answer: Answer, wanted: BodyKind | None, place: str) -> tuple[BodyKind, Any]:
    """Give an answer's body as a value.

    Args:
        wanted: None decides by what the answer says it is; what only claims to be JSON is text then.

    Raises:
        AnswerUnreadable: it is wanted as JSON and is none.
    """
    kind = wanted or _kind_of(answer)
    if kind is BodyKind.BASE64:
        return kind, b64encode(answer.content).decode()
    if kind is BodyKind.JSON:
        try:
            return kind, orjson.loads(answer.content) if answer.content else None
        except orjson.JSONDecodeError as error:
            if wanted is BodyKind.JSON:
                raise AnswerUnreadable(f"{place} answered something that is not JSON: {error}.") from None
    return BodyKind.TEXT, text_of(answer)


def text_of(answer: Answer) -> str:
    """Give an answer's body as text, in the encoding it says it has; what is wrong in it is replaced."""
    named = httpx.Response(200, headers={"content-type": answer.headers.get("content-type", "")}).charset_encoding
    try:
        encoding = codecs.lookup(named or "utf-8").name
        return answer.content.decode("utf-8" if encoding in _NO_CHARSETS else encoding, "replace")
    except (LookupError, ValueError):
        return answer.content.decode("utf-8", "replace")


def _kind_of(answer: Answer) -> BodyKind:
    name = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if name == "application/json" or name.endswith("+json"):
        return BodyKind.JSON
    return BodyKind.BASE64 if name.startswith(_BINARY) and not name.endswith("+xml") else BodyKind.TEXT
