"""`canvas serve`: one web process and one engine process, each restarted when it dies."""

import ipaddress
import os
import socket
import sys
from pathlib import Path

import click

from canvas.domain.errors import Conflict, Invalid
from canvas.frontend import ROOT
from canvas.supervisor import Child, supervise


def serve(host: str, port: int, data: Path) -> None:
    """Serve pages and API, and run workflows, until SIGTERM or SIGINT.

    Args:
        host: Address to bind; only the loopback, as long as there are no accounts.
        port: Port to bind, 1 to 65535.
        data: Directory of the database and of everything else that is kept; created when missing.

    Raises:
        Invalid: The address is reachable from other machines.
        Conflict: The port is in use.
    """
    require_loopback(host)
    _require_free(host, port)
    data = data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(_python_path()), "CANVAS_DATA_DIR": str(data)}
    web = [sys.executable, "-m", "canvas.web", host, str(port), str(data)]
    engine = [sys.executable, "-m", "canvas.cli", "worker"]
    announce = _Announcement(host, port)
    supervise([Child("web", web, environment), Child("engine", engine, environment)], on_tick=announce)


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

    def __init__(self, host: str, port: int) -> None:
        self._address = (host.strip("[]"), port)
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


def _require_free(host: str, port: int) -> None:
    if _accepts((host.strip("[]"), port)):
        raise Conflict(f"Port {port} is in use; stop what listens there or choose another with --port.", port=port)


def _python_path() -> list[str]:
    return list(dict.fromkeys([str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]))
