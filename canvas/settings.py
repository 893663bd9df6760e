"""Everything that can be set from outside: one frozen value, read from the environment once."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from os import environ
from pathlib import Path
from typing import Any

from canvas.domain.errors import Invalid

PREFIX = "CANVAS_"


class InvalidSetting(Invalid):
    """A setting cannot be read."""

    code = "invalid_setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this installation runs. Each field is read from `CANVAS_` + its name in capitals."""

    data_dir: Path = field(default_factory=lambda: Path(".canvas").absolute())
    "Where the database, session files and the served frontend's writable part live."
    database_url: str = ""
    "An SQLAlchemy URL; empty means SQLite in `data_dir`."
    host: str = "127.0.0.1"
    "Where pages and API listen; only addresses of this machine are possible."
    port: int = 8000
    "The port of pages and API."
    durability: str = "power"
    "`power` survives loss of power (SQLite synchronous FULL), `process` survives loss of the process (NORMAL)."
    engine_concurrency: int = 64
    "Actions in flight at once in one engine process."
    lease_seconds: float = 15.0
    "An engine process on another machine that was not heard of for so long counts as dead."
    heartbeat_seconds: float = 5.0
    "How often an engine process says that it lives; well below the lease."
    max_output_bytes: int = 64 * 1024 * 1024
    "A larger step output fails the step."
    max_body_bytes: int = 2 * 1024 * 1024
    "A larger request body is refused."
    http_allow_private: bool = False
    "Whether `http/request` may reach private and loopback addresses."
    http_allowed_networks: str = ""
    "Networks, comma-separated CIDRs, that `http/request` may reach although they are private."
    http_allowed_origins: str = ""
    "Origins, comma-separated `host:port`, that `http/request` may reach wherever they lead."
    http_ca_file: str = ""
    "A PEM file of certificate authorities that are trusted besides the public ones, for services of your own."
    secret_keys: str = ""
    "Fernet keys that seal secrets, comma-separated, newest first; empty means the file `secret.key` in `data_dir`."
    files_dir: str = ""
    "The folder that `file/read` and `file/write` may use, and where commands run; empty: they are switched off."
    commands: str = ""
    "What `command/run` may start, comma-separated `name=/absolute/path`; empty: nothing, it is switched off."
    command_variables: str = ""
    "Environment variables, comma-separated names, that workflows may set for a command."
    mcp_commands: str = ""
    "Programs that connections may start as MCP servers: `name=command line`, several apart by `;`."
    four_eyes: bool = False
    "Whether somebody else than the proposer has to approve a proposal."
    log_level: str = "info"
    "`debug`, `info`, `warning` or `error`: what the processes write to standard error."

    @property
    def url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.data_dir / 'canvas.db'}"

    def start_logging(self) -> None:
        """Let this process write its log to standard error; for the entry points of processes.

        Raises:
            InvalidSetting: there is no such level.
        """
        levels = {"debug", "info", "warning", "error"}
        if self.log_level not in levels:
            raise InvalidSetting(f"{_variable('log_level')}={self.log_level!r} is none of {', '.join(sorted(levels))}.")
        logging.basicConfig(level=self.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        logging.getLogger("alembic").setLevel(logging.WARNING)  # it lists its plugins at each start

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings.

        Raises:
            InvalidSetting: a value does not fit its field; names the variable and what it should be.
        """
        source = environ if variables is None else variables
        read = {
            f.name: _read(f.name, str(f.type), source[key]) for f in fields(cls) if (key := _variable(f.name)) in source
        }
        return cls(**read)


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _read(name: str, kind: str, text: str) -> Any:
    word = kind.removeprefix("<class '").removesuffix("'>").rpartition(".")[2]
    try:
        return _READERS.get(word, str)(text)
    except ValueError as error:
        raise InvalidSetting(f"{_variable(name)}={text!r} is not a valid {word}.", setting=name) from error


def _read_bool(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


_READERS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "bool": _read_bool,
    "Path": lambda text: Path(text).absolute(),
}
