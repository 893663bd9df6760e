"""What an action gets besides its arguments."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import httpx
import orjson

from canvas.actions.connections import Config, Connections, NoConnections
from canvas.actions.guard import guarded_client
from canvas.domain.states import LogLevel
from canvas.settings import Settings

Opened = TypeVar("Opened", bound=Config)
SHOWN = 1_000
"Characters of a value that is no JSON."


@dataclass(frozen=True, slots=True)
class Line:
    """One line for the run's log."""

    level: LogLevel
    message: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification to people who use Canvas."""

    title: str
    body: str
    level: LogLevel
    link: str
    to: tuple[str, ...] = ()
    "Names of users, each once; none means everybody."


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The ways out of this process, for actions and for the tests of connections."""

    http: httpx.AsyncClient
    "Guarded, see `canvas.actions.guard`; the only way to an address that a workflow names."
    settings: Settings = field(default_factory=Settings)
    found: dict[str, Any] = field(default_factory=dict)
    "What a test found besides its sentence, to be kept with the connection."

    @asynccontextmanager
    async def client(self, origin: str) -> AsyncIterator[httpx.AsyncClient]:
        """Open a client that may also reach a connection's own origin, such as `http://10.0.0.7:8080`, if private."""
        async with guarded_client(self.settings, also=(origin,)) as client:
            yield client


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionContext(Outside):
    """The attempt an action works for.

    Lines and notices are collected here; the engine commits them in the same transaction as the end of the attempt, so
    that they exist exactly when the attempt has ended.
    """

    run_id: str
    path: str
    attempt: int
    idempotency_key: str
    "The same for every attempt of this step in this run; send it along where the other side understands it."
    connections: Connections = field(default_factory=NoConnections)
    deadline: datetime | None = None
    "When the engine gives up on this attempt; None has no limit."
    lines: list[Line] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    "What was opened so far; whatever the action gives or tells is masked by these."

    async def connection(self, name: str, *kinds: type[Opened]) -> Opened:
        """Open a connection that is of one of these kinds.

        Raises:
            UnknownConnection: there is no connection of this name.
            WrongConnectionKind: it is of another kind.
            ConnectionUnreadable: its secrets cannot be opened here.
        """
        opened = await self.connections.open(name)
        self.secrets.update(opened.secrets)
        return opened.read(*kinds)

    def log(self, level: LogLevel, message: str, /, **data: Any) -> None:
        """Add a line to the run's log; a value that is no JSON is kept as the text Python shows for it."""
        self.lines.append(Line(level, _written(message), {name: _kept(value) for name, value in data.items()}))

    def notify(
        self, title: str, body: str = "", level: LogLevel = LogLevel.INFO, link: str = "", to: Iterable[str] = ()
    ) -> None:
        """Tell people something: the users named in `to`, or everybody; without a link it leads to the run."""
        self.notices.append(Notice(title, body, level, link, tuple(dict.fromkeys(to))))


def _written(text: str) -> str:
    """Replace what no database holds: half surrogates, which come from undecodable input."""
    return text.encode("utf-8", "replace").decode()


def _kept(value: Any) -> Any:
    try:
        orjson.dumps(value)
    except TypeError:
        return _written(repr(value)[:SHOWN])
    return value
