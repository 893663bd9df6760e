"""A PostgreSQL to test against: the one TEST_DATABASE_URL names, or a temporary cluster on the loopback.

`python -m tests.postgres` installs the server where that is allowed; without one the tests that need it are skipped.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NEEDED = "PostgreSQL is missing: install Debian's `postgresql`, or set TEST_DATABASE_URL"


def binaries() -> Path | None:
    """Find the newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def cluster() -> Iterator[str]:
    """Run a server until the block is left; gives the SQLAlchemy URL of its administrator. Skips when there is none."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    programs = binaries()
    if programs is None:
        pytest.skip(NEEDED)
    with tempfile.TemporaryDirectory(prefix="canvas-postgres-") as folder:
        user = _servant(folder)
        data = f"{folder}/data"
        _run(
            user,
            programs / "initdb",
            "-D",
            data,
            "-U",
            "canvas",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C",
        )
        port = _free_port()
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=50"
        )
        _run(user, programs / "pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://canvas@127.0.0.1:{port}/postgres"
        finally:
            _run(user, programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def ensure() -> str:
    """Install the server if there is none and this is allowed; says what there is."""
    if os.environ.get("TEST_DATABASE_URL"):
        return "the one TEST_DATABASE_URL names"
    if binaries() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdin": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"], **quiet)
    return str(binaries() or NEEDED)


def _servant(folder: str) -> str | None:
    """Name the user who has to run the server, which refuses to run as root; hand the folder to it."""
    if os.geteuid() != 0:
        return None
    user = next(name for name in ("postgres", "nobody") if _is_there(name))
    shutil.chown(folder, user)
    return user


def _is_there(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _run(user: str | None, program: Path, *arguments: str) -> None:
    command = [str(program), *arguments]
    # output goes nowhere: the server would inherit a pipe and hold it open
    done = subprocess.run(command, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert done.returncode == 0, f"{' '.join(command)} failed"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    print(f"database server: {ensure()}")
