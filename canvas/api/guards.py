"""What stands before every request: host and origin checks against other web pages, and cache headers."""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_POLICY_VIOLATION = 4403
HOOKS = "/api/hooks/"
_PROOFS = (b"webhook-signature", b"x-canvas-token", b"authorization")


class LocalHostsOnly:
    """Serve only requests addressed to this machine by name.

    A page elsewhere can point its own host name at 127.0.0.1 and would then count as the same origin (DNS rebinding).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with 421."""
        if scope["type"] not in ("http", "websocket") or _host_name(_header(scope, b"host")) in _LOCAL_HOSTS:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await _refuse_socket(receive, send)
        else:
            refusal = PlainTextResponse("Canvas answers only to localhost, 127.0.0.1 and [::1].\n", status_code=421)
            await refusal(scope, receive, send)


class SameOriginOnly:
    """Refuse web sockets, and requests that write, when a page of another origin makes them.

    A webhook's sender that proves who it is by a header may name any origin: a browser would have to ask before it
    sends such a header to us from elsewhere, and is never told that it may.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with 403 (close code 4403 for a web socket)."""
        if scope["type"] not in ("http", "websocket") or _is_same_origin(scope) or _is_harmless(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await _refuse_socket(receive, send)
        else:
            await PlainTextResponse("Another site may not do this.\n", status_code=403)(scope, receive, send)


class CacheHeaders:
    """Hashed assets are kept for ever; everything else is asked for again."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add `Cache-Control` to answers that have none."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_hashed = scope["path"].startswith("/assets/")

        async def send_with_cache_control(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_found = message["status"] in (200, 304)
                _add_cache_control(message, b"max-age=31536000, immutable" if is_hashed and is_found else b"no-cache")
            await send(message)

        await self._app(scope, receive, send_with_cache_control)


def _add_cache_control(message: MutableMapping[str, Any], value: bytes) -> None:
    headers = list(message.get("headers", []))
    if not any(name.lower() == b"cache-control" for name, _ in headers):
        message["headers"] = [*headers, (b"cache-control", value)]


def _is_same_origin(scope: Scope) -> bool:
    origin = _header(scope, b"origin")
    return not origin or urlsplit(origin).netloc == _header(scope, b"host")


def _is_harmless(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    return scope["method"] in ("GET", "HEAD", "OPTIONS") or _is_proven_hook(scope)


def _is_proven_hook(scope: Scope) -> bool:
    return str(scope["path"]).startswith(HOOKS) and any(_header(scope, name) for name in _PROOFS)


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name), "")


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


async def _refuse_socket(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
