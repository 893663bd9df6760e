"""A web socket client for tests: blocking, with any headers."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, Ping, RejectConnection, Request


class Refused(Exception):
    """The server did not accept the web socket; `code` is its HTTP status."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Closed(Exception):
    """The server closed the web socket; `code` is its close code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class WebSocket:
    """One connection; frames arrive whole."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._parts: list[str] = []

    def open(self, host: str, target: str, headers: dict[str, str]) -> None:
        extra = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._stream.sendall(self._protocol.send(Request(host=host, target=target, extra_headers=extra)))
        event = self._next(time.monotonic() + 10)
        if isinstance(event, RejectConnection):
            raise Refused(event.status_code)
        if isinstance(event, CloseConnection):
            raise Closed(event.code)
        assert isinstance(event, AcceptConnection), event

    def receive(self, *, seconds: float = 10.0) -> str:
        """Give the next text message; fails when none comes in time."""
        deadline = time.monotonic() + seconds
        while True:
            event = self._next(deadline)
            if isinstance(event, CloseConnection):
                raise Closed(event.code)
            if isinstance(event, Ping):
                self._stream.sendall(self._protocol.send(event.response()))
            if isinstance(event, Message):
                self._parts.append(str(event.data))
                if event.message_finished:
                    text, self._parts = "".join(self._parts), []
                    return text

    def _next(self, deadline: float):
        while True:
            for event in self._protocol.events():
                return event
            self._stream.settimeout(max(deadline - time.monotonic(), 0.001))
            data = self._stream.recv(65536)
            self._protocol.receive_data(data or None)


@contextmanager
def connected(address: str, **headers: str) -> Iterator[WebSocket]:
    """Connect to `ws://host:port/path`; a header `Host` replaces the one of the address."""
    parts = urlsplit(address)
    assert parts.hostname and parts.port
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as stream:
        web_socket = WebSocket(stream)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        web_socket.open(headers.pop("Host", parts.netloc), target, headers)
        yield web_socket
