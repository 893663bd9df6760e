"""Starts `canvas serve` as users do: on a free port, with a data directory of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from canvas import frontend

T = TypeVar("T")


@dataclass
class Serving:
    """A `canvas serve` that runs, with its web process and its engine process."""

    url: str
    data: Path
    process: subprocess.Popen
    environment: dict[str, str]

    @property
    def engine_pid(self) -> int:
        """The engine process of this moment; changes when it is restarted."""
        return self._child("worker")

    @property
    def web_pid(self) -> int:
        """The web process of this moment; changes when it is restarted."""
        return self._child("canvas.web")

    def canvas(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        """Run a `canvas` command against the same data."""
        return subprocess.run(
            [sys.executable, "-m", "canvas.cli", *arguments],
            env=self.environment,
            cwd=frontend.ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=check,
        )

    def kill_engine(self) -> int:
        """Kill the engine process with SIGKILL and wait until another one is up; gives the new pid."""
        old = self.engine_pid
        os.kill(old, signal.SIGKILL)
        return wait_for(lambda: (pid := self._find("worker")) not in (None, old) and pid)

    def _child(self, word: str) -> int:
        return wait_for(lambda: self._find(word))

    def _find(self, word: str) -> int | None:
        for child in psutil.Process(self.process.pid).children():
            try:
                if word in child.cmdline():
                    return child.pid
            except psutil.NoSuchProcess:
                continue
        return None


def wait_for(condition: Callable[[], T], *, seconds: float = 20.0) -> T:
    """Poll until the condition gives something true, and give that; fail after the deadline."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.02)
    return value


def free_port() -> int:
    """Name a port on the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(data: Path, **variables: str) -> Iterator[Serving]:
    """`canvas serve` with the given data directory and `CANVAS_…` variables, until the block is left."""
    frontend.build()
    canvas = [sys.executable, "-m", "canvas.cli"]
    environment = _environment(data, variables)
    subprocess.run([*canvas, "db", "upgrade"], env=environment, cwd=frontend.ROOT, check=True, capture_output=True)
    with _running([*canvas, "serve"], environment, data / "serve.log") as process:
        yield Serving(_url(environment), data, process, environment)


@contextmanager
def serving_pages(data: Path, **variables: str) -> Iterator[str]:
    """The web process alone, without supervisor and engine, on a database that is there; gives its address."""
    frontend.build()
    environment = _environment(data, variables)
    with _running([sys.executable, "-m", "canvas.web"], environment, data / "web.log"):
        yield _url(environment)


def _environment(data: Path, variables: dict[str, str]) -> dict[str, str]:
    own = {"PYTHONPATH": str(frontend.ROOT), "CANVAS_DATA_DIR": str(data), "CANVAS_PORT": str(free_port())}
    return {**os.environ, **own, **variables}


def _url(environment: dict[str, str]) -> str:
    return f"http://127.0.0.1:{environment['CANVAS_PORT']}"


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=frontend.ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        wait_for(lambda: process.poll() is not None or _answers(_url(environment)), seconds=120)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        _stop(process)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/ping", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
