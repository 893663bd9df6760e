"""A server at an address: the package's streamable HTTP over a client of ours, which bounds and explains answers."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import orjson
from mcp.client.streamable_http import streamable_http_client

from canvas.actions.mcp.kind import Mcp

STATUS: Final = "canvas.httpStatus"
"Under this key the data of an error has the status of the HTTP answer."
LOST: Final = "canvas.sessionLost"
TOO_LARGE: Final = "the answer is larger than what is taken"
CONNECT_SECONDS: Final = 10.0
_EXCERPT: Final = 200
_MAX_ERROR_BYTES: Final = 64 * 1024
_JSON: Final = {"content-type": "application/json"}


class TooLarge(httpx2.StreamError):
    """More came than is taken."""

    def __init__(self) -> None:
        super().__init__(TOO_LARGE)


@asynccontextmanager
async def http_transport(config: Mcp, *, max_bytes: int) -> AsyncIterator[Any]:
    """Give the streams to speak with a server; redirects are followed within its own origin only."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it would log whole addresses
    assert config.url is not None
    timeout = httpx2.Timeout(CONNECT_SECONDS, read=None)  # how long an answer may take is for the call to say
    async with (
        httpx2.AsyncClient(
            headers=_headers(config), timeout=timeout, transport=_Bounded(max_bytes), trust_env=False
        ) as client,
        streamable_http_client(config.url, http_client=client, max_sse_event_size=max_bytes) as streams,
    ):
        yield streams


def where(config: Mcp) -> str:
    """Name an address without what may be secret in it."""
    parts = urlsplit(config.url or "")
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _headers(config: Mcp) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}  # nothing small may become large after it was counted
    headers |= {name: value.get_secret_value() for name, value in config.headers.items()}
    if config.bearer is not None:
        headers["Authorization"] = f"Bearer {config.bearer.get_secret_value()}"
    return headers


class _Bounded(httpx2.AsyncHTTPTransport):
    """Bounds answers, and puts into JSON-RPC errors what only the HTTP status says."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(trust_env=False)
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request."""
        answer = await super().handle_async_request(request)
        if answer.headers.get("content-encoding", "identity") != "identity":
            await answer.aclose()
            return _explained(request, 415, "It compresses its answers although it was asked not to.")
        if answer.status_code < 400 or request.method != "POST":
            assert isinstance(answer.stream, httpx2.AsyncByteStream)
            answer.stream = _Counted(answer.stream, self._max_bytes)
            return answer
        return await _with_reason(request, answer)


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, max_bytes: int) -> None:
        self._stream = stream
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise TooLarge
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _with_reason(request: httpx2.Request, answer: httpx2.Response) -> httpx2.Response:
    """Keep an error that the server put into the protocol's words; say any other in them."""
    body = b""
    assert isinstance(answer.stream, httpx2.AsyncByteStream)
    async for chunk in answer.stream:
        body += chunk
        if len(body) > _MAX_ERROR_BYTES:
            break
    await answer.aclose()
    status = answer.status_code
    is_lost = status == 404 and "mcp-session-id" in request.headers
    if not is_lost and status not in (401, 403) and _is_protocol_error(body):
        return httpx2.Response(status, headers=_JSON, content=body, request=request)
    return _explained(request, status, body[:_EXCERPT].decode(errors="replace").strip(), is_lost=is_lost)


def _is_protocol_error(body: bytes) -> bool:
    try:
        error = orjson.loads(body)["error"]
        return isinstance(error["code"], int) and isinstance(error["message"], str)
    except (ValueError, TypeError, KeyError):
        return False


def _explained(request: httpx2.Request, status: int, text: str, *, is_lost: bool = False) -> httpx2.Response:
    error = {"code": -32603, "message": text or f"HTTP {status}", "data": {STATUS: status, LOST: is_lost}}
    content = orjson.dumps({"jsonrpc": "2.0", "id": None, "error": error})
    return httpx2.Response(status, headers=_JSON, content=content, request=request)
