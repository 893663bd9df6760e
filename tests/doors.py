"""A kind of connection and an action that uses it, for tests: a door that tells its key to whoever asks."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, quote_plus

import httpx
import pytest
from pydantic import BaseModel, Field, SecretStr

from canvas.actions import connections as kinds
from canvas.actions import registry as actions
from canvas.actions.connections import Config, connection_field, connection_kind
from canvas.actions.context import ActionContext, Outside
from canvas.actions.failures import ActionFailed
from canvas.actions.registry import Arguments, action
from canvas.domain.states import ActionPermission, LogLevel


class Side(StrEnum):
    """Where a door is."""

    FRONT = "front"
    BACK = "back"


class Door(Config):
    """What a door needs to be opened."""

    address: str = Field(title="Address", min_length=1, description="Where it is, with http:// or https://.")
    user: str = Field("", description="Who comes.")
    key: SecretStr = Field(description="Opens it.")
    spare: SecretStr | None = Field(None, description="Opens it too.")
    marks: dict[str, SecretStr] = Field(default_factory=dict, description="Secret marks by name.")
    side: Side = Field(Side.FRONT, description="Which one.")
    wide: bool = Field(False, description="Whether both wings open.", json_schema_extra={"x-when": {"side": ["back"]}})
    tries: int = Field(3, ge=1, le=9, description="How often to try.")
    visitors: list[str] = Field(default_factory=list, description="Who may come.")
    labels: dict[str, str] = Field(default_factory=dict, description="What stands on it.")


class Gate(Config):
    """A gate has no secrets."""

    address: str


class OpenDoor(Arguments):
    """Which door."""

    connection: str = connection_field("door", description="The door to open.")
    path: str = Field("/echo", description="Where to knock.")


class Opened(BaseModel):
    """What was behind it."""

    answer: object = Field(description="What somebody said.")


@contextmanager
def doors() -> Iterator[None]:
    """Register the kinds `door` and `gate` and the action `door/open`, for as long as the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        actions.registry()
        patch.setattr(kinds, "_kinds", dict(kinds._kinds))
        patch.setattr(actions, "_registered", dict(actions._registered))
        _register()
        actions.registry.cache_clear()
        yield
    actions.registry.cache_clear()


def _register() -> None:
    @connection_kind("door", title="Door", icon="door-open", example={"address": "http://10.0.0.7"})
    async def check_door(config: Door, outside: Outside) -> str:
        async with outside.client(config.address) as client:
            answer = await client.get(f"{config.address}/check", headers=_headers(config))
        if answer.status_code != 200:
            raise ActionFailed(f"The door says {answer.text}", retryable=False)
        return f"It opens: {answer.text}"

    @connection_kind("gate", title="Gate", icon="fence", example={"address": "http://10.0.0.7"})
    async def check_gate(config: Gate, outside: Outside) -> str:
        raise RuntimeError(f"The gate at {config.address} fell over.")

    @action(
        "door/open",
        title="Open a door",
        category="Doors",
        idempotent=True,
        permissions=(ActionPermission.NETWORK, ActionPermission.CONNECTION),
        security="It tells the key to the door.",
        example=OpenDoor(connection="front"),
        example_result=Opened(answer="come in"),
    )
    async def open_door(args: OpenDoor, context: ActionContext) -> Opened:
        """Open a door and give what the door says, in whatever form it says it."""
        door = await context.connection(args.connection, Door)
        context.log(LogLevel.INFO, f"with {door.key.get_secret_value()}", headers=_headers(door))
        context.notify(f"Opened with {door.key.get_secret_value()}", str(_headers(door)))
        async with context.client(door.address) as client:
            answer = await client.get(door.address + args.path, headers=_headers(door), auth=_auth(door))
        if answer.status_code != 200:
            raise ActionFailed(answer.text, retryable=False, said=answer.text, headers=dict(answer.headers))
        said = answer.json() if "json" in answer.headers["content-type"] else answer.text
        return Opened(answer={"said": said, door.key.get_secret_value(): "as a key"})


def _headers(door: Door) -> dict[str, bytes]:
    return {"X-Key": door.key.get_secret_value().encode()}


def _auth(door: Door) -> httpx.BasicAuth:
    return httpx.BasicAuth(door.user, door.key.get_secret_value())


class DoorServer(ThreadingHTTPServer):
    """A door on the loopback: `/check` says who came, `/echo` and the others tell the key in every way they can."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Knock)
        self.status = 200
        self.keys: list[str] = []
        self.knocked = threading.Event()
        self.slow = threading.Event()
        "Set when `/slow` may answer."
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Knock(BaseHTTPRequestHandler):
    server: DoorServer

    def do_GET(self) -> None:
        raw = self.headers["X-Key"]
        key = raw.encode("latin-1").decode()
        self.server.keys.append(key)
        self.server.knocked.set()
        if self.path == "/slow":
            self.server.slow.wait(30)
        kind, body = "text/plain; charset=utf-8", f"you are {key}"
        if self.path == "/echo":
            kind, body = "application/json", json.dumps(echoes(key, raw, self.headers["Authorization"] or ""))
        content = body.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(ConnectionError):  # who asked may have given up
            self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Stay quiet."""


def echoes(key: str, raw: str, authorization: str) -> dict[str, object]:
    """Give a key in every way a server may send it back."""
    return {
        "plain": key,
        "raw": raw,
        "inside": f"<<{key}>>",
        "address": f"https://x.example/?token={quote(key, safe='')}&again={quote_plus(key)}",
        "header": authorization,
        "json": json.dumps({"key": key}),
        "html": f"<b>{escape(key)}</b>",
        "hexadecimal": key.encode().hex(),
        "list": [[key], {"deep": [key, 1, None, True]}],
        f"as {key}": key,
    }


@contextmanager
def door_server() -> Iterator[DoorServer]:
    """Serve a door, on a free port."""
    server = DoorServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
