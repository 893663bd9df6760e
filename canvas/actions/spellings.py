"""Every way a secret may be written by whoever echoes it: quoted for an address, escaped in JSON, inside base64, …"""

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from html import escape
from json import dumps
from urllib.parse import quote, quote_plus, unquote, urlsplit

MIN_LENGTH = 4
"A shorter secret is recognised only where it stands alone: it would be found in every other word."
_MIN_CORE = 6
_MIN_LINE = 8
_MIN_SEGMENT = 16
_QUOTED = re.compile("%[0-9A-F]{2}")


def spellings(secret: str) -> frozenset[str]:
    """Give the texts that show a secret: itself, telling parts of it, and the usual ways to escape those.

    Base64 is not among them, see `base64_cores`. A text escaped twice, such as JSON inside JSON, is.
    """
    found = {part for part in _parts(secret) if part}
    for _ in range(2):
        found |= {write(text) for text in found for write in _WRITERS}
    found |= {spelled for text in _parts(secret) for spelled in _hexadecimal(text)}
    return frozenset(found)


def base64_cores(secret: str) -> frozenset[str]:
    """Give what stands in base64 text wherever a secret is inside what was encoded, such as `user:secret`.

    Three bytes become four characters, so there are three cores, and for each alphabet. The characters at both ends
    that also depend on the neighbours are left out: whoever finds a core has to hide one more on either side. Secrets
    too short for a core that says anything have none.
    """
    return frozenset(core for part in _parts(secret) for core in _cores(_encoded(part)))


def _parts(secret: str) -> Iterator[str]:
    """Give a secret and what alone would give it away: a key's lines, an address's password and tokens."""
    yield secret
    if secret != secret.strip():
        yield secret.strip()
    lines = [line.strip() for line in secret.splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= _MIN_LINE and not line.startswith("-----"))
    if "://" in secret:
        yield from _parts_of_address(secret)


def _parts_of_address(address: str) -> Iterator[str]:
    try:
        url = urlsplit(address)
        names = [url.password] if url.password else [url.username]
    except ValueError:
        return
    values = [pair.partition("=")[2] for pair in url.query.split("&")]
    telling = [value for value in values if len(value) >= _MIN_LINE]
    telling += [segment for segment in url.path.split("/") if len(segment) >= _MIN_SEGMENT]
    for part in (*filter(None, names), *telling):
        yield part
        yield unquote(part)


def _cores(data: bytes) -> Iterator[str]:
    for offset, lost in ((0, 0), (1, 2), (2, 3)):
        end = 8 * (offset + len(data)) // 6
        for encode in (b64encode, urlsafe_b64encode):
            core = encode(bytes(offset) + data).decode()[lost:end]
            if len(core) >= _MIN_CORE:
                yield core
                yield quote(core, safe="")


def _hexadecimal(text: str) -> Iterator[str]:
    if len(text) >= MIN_LENGTH:
        written = _encoded(text).hex()
        yield from (written, written.upper())


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _quoted(safe: str) -> Callable[[str], str]:
    return lambda text: quote(text, safe=safe, errors="replace")


def _quoted_small(text: str) -> str:
    return _QUOTED.sub(lambda code: code[0].lower(), quote(text, safe="", errors="replace"))


_WRITERS: tuple[Callable[[str], str], ...] = (
    _quoted(""),
    _quoted("/"),
    _quoted("!$&'()*+,;=:@/?"),
    _quoted_small,
    lambda text: quote_plus(text, errors="replace"),
    lambda text: dumps(text)[1:-1],
    lambda text: dumps(text, ensure_ascii=False)[1:-1],
    lambda text: dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    lambda text: repr(text)[1:-1],
    lambda text: repr(_encoded(text))[2:-1],
    lambda text: _encoded(text).decode("latin-1"),
    lambda text: escape(text, quote=True),
    lambda text: escape(text, quote=False),
)
