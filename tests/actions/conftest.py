"""A real HTTP server on the loopback, and contexts for actions whose client may or may not reach it."""

import gzip
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from pydantic import SecretStr

from canvas.actions.connections import Config, NoConnections, OpenedConnection
from canvas.actions.context import ActionContext
from canvas.actions.guard import guarded_client
from canvas.settings import Settings


class Answers(BaseHTTPRequestHandler):
    """Answers by path; counts what arrives."""

    protocol_version = "HTTP/1.1"
    arrived: list[str]

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def handle_one(self) -> None:
        url = urlsplit(self.path)
        self.arrived.append(self.path)
        getattr(self, f"answer_{url.path.strip('/').partition('/')[0]}")(url)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_one

    def answer_echo(self, url) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.reply(
            200,
            {
                "method": self.command,
                "query": parse_qs(url.query),
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "body": self.rfile.read(length).decode(),
            },
        )

    def answer_status(self, url) -> None:
        code = int(url.path.rpartition("/")[2])
        self.reply(code, {"error": "so it is"}, {"Retry-After": "7"} if code in (429, 503) else {})

    def answer_redirect(self, url) -> None:
        self.reply(302, {}, {"Location": parse_qs(url.query)["to"][0]})

    def answer_hop(self, url) -> None:
        left = int(url.path.rpartition("/")[2])
        self.reply(302, {}, {"Location": f"/hop/{left - 1}" if left else "/echo"})

    def answer_text(self, _) -> None:
        self.send("ünïcode".encode("latin-1"), "text/plain; charset=latin-1")

    def answer_liar(self, _) -> None:
        self.send(b"{not json", "application/json")

    def answer_slow(self, _) -> None:
        deadline = time.monotonic() + 5
        while not self.server.closing.wait(0.05) and time.monotonic() < deadline:
            pass

    def answer_bomb(self, _) -> None:
        self.send(gzip.compress(b"0" * (30 << 20)), "text/plain", {"Content-Encoding": "gzip"})

    def reply(self, code: int, value: object, headers: dict[str, str] | None = None) -> None:
        self.send(orjson.dumps(value), "application/json", headers, code)

    def send(self, body: bytes, kind: str, headers: dict[str, str] | None = None, code: int = 200) -> None:
        self.send_response(code)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Knows when it is to end, and keeps silent about clients that hang up."""

    daemon_threads = True

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.closing = threading.Event()
        super().__init__(("127.0.0.1", 0), type("Handler", (Answers,), {"arrived": self.arrived}))

    def handle_error(self, request, client_address) -> None:
        """A client that hangs up is what some tests are about."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that answers on the loopback."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


class GivenConnections:
    """Connections that a test has at hand."""

    def __init__(self, known: dict[str, Config]) -> None:
        self._known = known

    async def open(self, name: str) -> OpenedConnection:
        if name not in self._known:
            return await NoConnections().open(name)
        config = self._known[name]
        plain = config.model_dump(mode="python", exclude_none=True)
        return OpenedConnection(name, config.kind, {key: _plain(value) for key, value in plain.items()})


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.get_secret_value() if isinstance(value, SecretStr) else value


@pytest.fixture
async def make_context() -> AsyncIterator[Callable[..., ActionContext]]:
    """Make contexts whose client follows the given settings."""
    made = []

    def make(connections: dict[str, Config] | None = None, **settings: object) -> ActionContext:
        made.append(guarded_client(Settings(**settings)))
        return ActionContext(
            run_id="01JZ0000000000000000000000",
            path="ask",
            attempt=1,
            idempotency_key="01JZ:ask",
            http=made[-1],
            settings=Settings(**settings),
            connections=GivenConnections(connections or {}),
        )

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture
def context(make_context, server: Server) -> ActionContext:
    """A context that may reach the test server and no other private address."""
    return make_context(http_allowed_origins=f"127.0.0.1:{server.server_port}")
