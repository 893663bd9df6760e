"""A real HTTP service on the loopback that tests teach to speak somebody's API, and to misbehave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import orjson


@dataclass
class Request:
    """What arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def form(self) -> dict[str, Any]:
        """The fields of a form; those whose names end in [] are lists, files are (name, kind, content)."""
        kind = self.headers.get("content-type", "")
        if kind.startswith("multipart/"):
            return dict(
                map(_part, message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + self.body).get_payload())
            )
        found: dict[str, Any] = {}
        for key, value in parse_qsl(self.body.decode(), keep_blank_values=True):
            if key.endswith("[]"):
                found.setdefault(key, []).append(value)
            else:
                found[key] = value
        return found


def _part(part: Message) -> tuple[str, Any]:
    name, content = str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True)
    if part.get_filename() is None:
        return name, content.decode()
    return name, (part.get_filename(), part.get_content_type(), content)


@dataclass
class Answer:
    """What goes back."""

    value: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return self.value if isinstance(self.value, bytes) else orjson.dumps(self.value)

    @property
    def kind(self) -> str:
        return "text/plain" if isinstance(self.value, bytes) else "application/json"


class Service:
    """What the server does with requests; subclasses answer them."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.faults: dict[str, str] = {}
        "By a path's end: how to misbehave there."
        self.url = ""
        self.closing = threading.Event()

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    def asked(self, end: str) -> list[Request]:
        """The requests to paths that end so."""
        return [request for request in self.requests if request.path.endswith(end)]


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    """Serve until the end of the block."""
    with _Server(service) as server:
        service.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield service
        finally:
            service.closing.set()
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service: Service) -> None:
        super().__init__(("127.0.0.1", 0), type("Handler", (_Handler,), {"service": service}))

    def handle_error(self, request, client_address) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Service

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def handle_one(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        request = Request(self.command, url.path, parse_qs(url.query), self.headers, self.rfile.read(length))
        self.service.requests.append(request)
        fault = next((f for end, f in self.service.faults.items() if url.path.endswith(end)), "")
        if fault:
            getattr(self, f"fault_{fault}")()
        else:
            self.reply(self.service.answer(request))

    do_GET = do_POST = do_PUT = do_DELETE = handle_one

    def reply(self, answer: Answer) -> None:
        self.send_response(answer.status)
        size = str(len(answer.body))
        for name, value in {"Content-Type": answer.kind, "Content-Length": size, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def fault_slow(self) -> None:
        self.service.closing.wait(20)
        self.close_connection = True

    def fault_drip(self) -> None:
        self.begin(1_000_000)
        while not self.service.closing.wait(0.02):
            self.wfile.write(b" ")
        self.close_connection = True

    def fault_endless(self) -> None:
        self.begin(1 << 40)
        while not self.service.closing.is_set():
            self.wfile.write(b" " * 65536)

    def fault_drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(2)

    def fault_redirect(self) -> None:
        self.reply(Answer({}, 307, {"Location": "http://169.254.169.254/latest/meta-data"}))

    def fault_broken(self) -> None:
        self.reply(Answer({"error": "internal_error"}, 500))

    def fault_page(self) -> None:
        self.reply(Answer(b"<html>Bad gateway</html>", 502, {"Content-Type": "text/html"}))

    def fault_nonsense(self) -> None:
        self.reply(Answer(b"{]", 200, {"Content-Type": "application/json"}))

    def begin(self, size: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(size))
        self.end_headers()
