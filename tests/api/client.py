"""A blocking client of an ASGI application in this process."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx


class Client:
    """Calls the application and waits for the whole answer; a defect is an answer, not an exception."""

    def __init__(self, app: Any, runner: asyncio.Runner) -> None:
        self._runner = runner
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request; `content` may be an iterable of chunks, whose length is then not declared."""
        content = options.get("content")
        if isinstance(content, Iterable) and not isinstance(content, str | bytes):
            options["content"] = _chunks(content)
        return self._runner.run(self._client.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """POST."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        """PUT."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> httpx.Response:
        """PATCH."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        """DELETE."""
        return self.request("DELETE", path, **options)

    def close(self) -> None:
        """Give everything back."""
        self._runner.run(self._client.aclose())


@contextmanager
def client_of(app: Any) -> Iterator[Client]:
    """Make a client with an event loop of its own."""
    with asyncio.Runner() as runner:
        client = Client(app, runner)
        yield client
        client.close()


async def _chunks(content: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in content:
        yield chunk
