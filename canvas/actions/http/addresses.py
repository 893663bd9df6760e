"""Addresses of the web: which texts are any, and which of them are under one roof."""

import httpx

from canvas.actions.http.failures import NotAnAddress

Origin = tuple[str, str, int]


def address(text: str) -> httpx.URL:
    """Read an address that a request can go to.

    Raises:
        NotAnAddress: it is none, or not one of the web.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise NotAnAddress() from None
    if url.scheme not in ("http", "https") or not url.host:
        raise NotAnAddress()
    return url


def origin_of(url: httpx.URL | str) -> Origin:
    """Give scheme, host and port: two addresses of one origin are under one roof."""
    parsed = httpx.URL(url)
    return parsed.scheme, parsed.host.lower(), parsed.port or (443 if parsed.scheme == "https" else 80)


def web_address(text: str) -> str:
    """Check the address of a connection, or an empty one; a slash at its end is left out.

    Raises:
        ValueError: it is none, or has something in it that should not be kept in the open.
    """
    try:
        url = address(text) if text else None
    except NotAnAddress:
        url = httpx.URL()
    if url is not None and (not url.host or url.userinfo or url.query or url.fragment):
        raise ValueError("give an address with http:// or https://, without user, password and query")
    return text.rstrip("/")
