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
    """Serve with the given data directory and `CANVAS_…` variables until the block is left."""
    frontend.build()
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(frontend.ROOT), "CANVAS_DATA_DIR": str(data), **variables}
    canvas = [sys.executable, "-m", "canvas.cli"]
    subprocess.run([*canvas, "db", "upgrade"], env=environment, cwd=frontend.ROOT, check=True, capture_output=True)
    with (data / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [*canvas, "serve", "--port", str(port)],
            env=environment,
            cwd=frontend.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: process.poll() is not None or _answers(url), seconds=60)
            assert process.poll() is None, (data / "serve.log").read_text()
            yield Serving(url, data, process, environment)
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
