"""`weather/forecast` against a weather service on the loopback."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from canvas.actions.connections import OpenedConnection
from canvas.actions.context import ActionContext
from canvas.actions.failures import ActionFailed
from canvas.actions.guard import guarded_client
from canvas.actions.registry import registry
from canvas.settings import Settings


class Service(BaseHTTPRequestHandler):
    """Knows one key, and that it is always fine."""

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def do_GET(self) -> None:
        is_known = self.headers["x-api-key"] == "sunshine"
        (city,) = parse_qs(urlsplit(self.path).query)["city"]
        body = json.dumps({"city": city, "high_celsius": 21.5, "rain": False}).encode()
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def service():
    """The address of a weather service."""
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Known:
    """A connection called `weather`."""

    def __init__(self, url: str, key: str) -> None:
        self._values = {"url": url, "key": key}

    async def open(self, name: str) -> OpenedConnection:
        return OpenedConnection(name, "weather", self._values)


async def ask(url: str, key: str) -> object:
    async with guarded_client(Settings()) as client:
        context = ActionContext(
            run_id="r", path="ask", attempt=1, idempotency_key="r:ask", http=client, connections=Known(url, key)
        )
        return await registry()["weather/forecast"].call({"connection": "weather", "city": "Köln"}, context)


async def test_the_forecast_is_what_the_service_says(service):
    """Asked with the key of the connection, at its address."""
    assert await ask(service, "sunshine") == {"city": "Köln", "high_celsius": 21.5, "rain": False}


async def test_a_wrong_key_is_a_failure_that_says_so(service):
    """And is not tried again."""
    with pytest.raises(ActionFailed, match="key of the connection") as caught:
        await ask(service, "rain")

    assert not caught.value.retryable
