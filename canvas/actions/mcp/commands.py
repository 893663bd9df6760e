"""The programs that connections may start as MCP servers: those, and only those, that the operator lists."""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from canvas.actions.mcp.failures import CommandNotAllowed
from canvas.domain.errors import Invalid
from canvas.settings import Settings

_ENTRY: Final = re.compile(r"([a-z][a-z0-9_-]{0,62})\s*=\s*(.+)", re.DOTALL)
_VARIABLE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_PASSED_ON: Final = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER")


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, and what its environment has besides the usual."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def allowed_commands(settings: Settings) -> dict[str, Command]:
    """Read the setting `mcp_commands`.

    Raises:
        Invalid: an entry is not `name=command line`.
    """
    entries = [entry.strip() for entry in re.split(r"[;\n]", settings.mcp_commands)]
    return dict(_read(entry) for entry in entries if entry)


def find_command(settings: Settings, name: str) -> Command:
    """Give an allowed command.

    Raises:
        CommandNotAllowed: there is none of this name; says which there are, or how one is allowed.
    """
    known = allowed_commands(settings)
    if name not in known:
        there_are = f"Allowed are {', '.join(sorted(known))}." if known else "None is allowed yet."
        raise CommandNotAllowed(
            f"No command called {name!r} may be started. {there_are} Who runs Canvas allows one with "
            "CANVAS_MCP_COMMANDS='name=command line'."
        )
    return known[name]


def child_environment(command: Command) -> dict[str, str]:
    """Give what a server sees: the usual variables and its own, nothing of Canvas's."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | dict(command.environment)


def _read(entry: str) -> tuple[str, Command]:
    found = _ENTRY.fullmatch(entry)
    try:
        words = shlex.split(found[2]) if found else []
    except ValueError:
        words = []
    environment: dict[str, str] = {}
    while words and (variable := _VARIABLE.fullmatch(words[0])):
        environment[variable[1]] = variable[2]
        words.pop(0)
    if found is None or not words:
        raise Invalid(
            f"CANVAS_MCP_COMMANDS: {entry.partition('=')[0][:80]!r} is no entry of the form `name=command line`."
        )
    return found[1], Command(tuple(words), environment)
