"""`canvas serve`: one web process and one engine process, each restarted when it dies."""

import ipaddress
import os
import socket
import sys

import click

from canvas.domain.errors import Conflict, Invalid
from canvas.frontend import ROOT
from canvas.settings import Settings
from canvas.supervisor import Child, supervise


def serve(settings: Settings) -> None:
    """Serve pages and API, and run workflows, until SIGTERM or SIGINT.

    Raises:
        Invalid: `settings.host` can be reached from other machines, which must wait until there are accounts.
        Conflict: The port is in use.
    """
    require_loopback(settings.host)
    _require_free(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    environment = _environment(settings)
    web = [sys.executable, "-m", "canvas.web"]
    engine = [sys.executable, "-m", "canvas.cli", "worker"]
    children = [Child("web", web, environment), Child("engine", engine, environment)]
    supervise(children, on_tick=_Announcement(settings))


def require_loopback(host: str) -> None:
    """Refuse an address that other machines could reach.

    Raises:
        Invalid: `host` is neither localhost nor a loopback address.
    """
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise Invalid(
            f"Canvas has no accounts yet, so it serves this machine only: use --host 127.0.0.1 instead of {host}, "
            "and a tunnel or a proxy with a login to reach it from elsewhere.",
            host=host,
        )


class _Announcement:
    """Prints the address once, as soon as the web process answers."""

    def __init__(self, settings: Settings) -> None:
        self._address = _address(settings)
        self._is_made = False

    def __call__(self) -> None:
        if not self._is_made and _accepts(self._address):
            name = "localhost" if self._address[0] in ("localhost", "127.0.0.1") else f"[{self._address[0]}]"
            click.echo(f"Canvas is at http://{name}:{self._address[1]}")
            self._is_made = True


def _accepts(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=0.2).close()
    except OSError:
        return False
    return True


def _require_free(settings: Settings) -> None:
    if _accepts(_address(settings)):
        port = settings.port
        raise Conflict(f"Port {port} is in use; stop what listens there or choose another with --port.", port=port)


def _address(settings: Settings) -> tuple[str, int]:
    return settings.host.strip("[]"), settings.port


def _environment(settings: Settings) -> dict[str, str]:
    """Hand the children what may have come from the command line instead of the environment."""
    path = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)),
        "CANVAS_DATA_DIR": str(settings.data_dir),
        "CANVAS_HOST": settings.host,
        "CANVAS_PORT": str(settings.port),
    }
