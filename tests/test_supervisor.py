"""The supervisor of `canvas serve`: nothing stays dead, nothing outlives it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import socket

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas import serve
from canvas.domain.errors import Conflict, Invalid
from canvas.frontend import ROOT
from canvas.settings import Settings
from canvas.supervisor import restart_delay
from tests.serving import serving_pages, wait_for

SUPERVISOR = """
import os, sys
from canvas.supervisor import Child, supervise
forking = "import os, time; os.fork(); time.sleep(60)"
sleeping = "import time; time.sleep(60)"
supervise([Child(name, [sys.executable, "-c", code, name], dict(os.environ))
           for name, code in (("web", forking), ("engine", sleeping))])
"""


class Supervised:
    """A supervisor with two children; the one called web has a child of its own."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    def pid(self, name: str) -> int | None:
        for child in psutil.Process(self.process.pid).children():
            try:
                if child.cmdline()[-1] == name:
                    return child.pid
            except (psutil.NoSuchProcess, IndexError):
                continue
        return None

    def everybody(self) -> list[psutil.Process]:
        wait_for(lambda: len(psutil.Process(self.process.pid).children(recursive=True)) == 3)
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def supervised() -> Iterator[Supervised]:
    command = [sys.executable, "-c", SUPERVISOR]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
        supervised = Supervised(process)
        left = supervised.everybody()
        yield supervised
        for each in [*left, process]:
            if psutil.pid_exists(each.pid):
                each.kill()


def test_a_killed_child_comes_back_and_its_neighbour_does_not_notice(supervised):
    """It is started again without delay (`restart_delay(1)` is 0); the web process survives the engine's death."""
    web, engine = supervised.pid("web"), supervised.pid("engine")

    os.kill(engine, signal.SIGKILL)
    wait_for(lambda: supervised.pid("engine") not in (None, engine))

    assert web == supervised.pid("web")


def test_what_a_dead_child_left_behind_is_ended(supervised):
    """A worker that outlives its master would keep the port."""
    web = psutil.Process(supervised.pid("web"))
    (grandchild,) = web.children()

    web.kill()

    wait_for(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_cleanly(supervised, number):
    """Ctrl-C and a service manager's stop leave nothing running, and it is no failure."""
    everybody = supervised.everybody()

    supervised.process.send_signal(number)

    assert 0 == supervised.process.wait(10)
    wait_for(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in everybody))


def test_children_do_not_outlive_a_killed_supervisor(supervised):
    """Even SIGKILL leaves no engine that works in secret."""
    children = [psutil.Process(supervised.pid(name)) for name in ("web", "engine")]

    supervised.process.kill()

    wait_for(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in children))


def test_the_web_server_goes_with_its_master(database):
    """Killed without warning, the master takes the worker that holds the port with it."""
    with serving_pages(database.data_dir) as url:
        (master,) = (p for p in psutil.Process().children() if "canvas.web" in p.cmdline())
        (worker,) = master.children()

        master.kill()

        wait_for(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
        assert url


@given(deaths=st.integers(1, 10_000))
def test_restarts_wait_longer_each_time_but_not_for_ever(deaths):
    """A child that cannot start costs nothing and still gets its chance twice a minute."""
    assert 0.0 == restart_delay(1)
    assert restart_delay(deaths) <= restart_delay(deaths + 1) <= 30.0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", "", "127.0.0.1.example.com"])
def test_other_machines_are_kept_out_until_there_are_accounts(host):
    """One clear sentence says what to use instead."""
    with pytest.raises(Invalid, match=r"--host 127\.0\.0\.1"):
        serve.require_loopback(host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_this_machine_may(host):
    """Every spelling of the loopback is fine."""
    serve.require_loopback(host)


def test_a_port_in_use_is_named(tmp_path: Path):
    """The second `canvas serve` says what is wrong instead of restarting for ever."""
    with closing(socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(data_dir=tmp_path, port=taken.getsockname()[1])

        with pytest.raises(Conflict, match=f"Port {settings.port} is in use"):
            serve.serve(settings)
