"""A server with the API stops when it is asked to, whoever is still listening to a stream."""

import os
import signal
import subprocess
import sys
import time

import httpx
import pytest

from canvas.api.run_events import LIFETIME_SECONDS
from canvas.services import migrations
from canvas.settings import Settings
from tests.api.conftest import HELLO
from tests.serving import free_port, wait_for


@pytest.fixture
def server(settings: Settings):
    """The API under the server that `canvas serve` uses; gives its process and its address."""
    migrations.upgrade(settings)
    port = free_port()
    environment = {**os.environ, "CANVAS_DATA_DIR": str(settings.data_dir), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "canvas.api.app:create_api"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(address), seconds=60)
        yield process, address
    finally:
        process.kill()
        process.wait()


def test_an_open_stream_does_not_keep_the_server_from_stopping(server):
    """It ends with the bounded life of the stream, at the latest."""
    process, address = server
    httpx.post(f"{address}/workflows/import?publish=true", content=HELLO)
    run = httpx.post(f"{address}/workflows/hello/runs", json={"parameters": {"who": "x"}}).json()["id"]
    with httpx.stream("GET", f"{address}/runs/{run}/events", timeout=60) as stream:
        first = next(stream.iter_raw())
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(LIFETIME_SECONDS + 20)

    assert first.startswith(b"retry:")
    assert time.monotonic() - asked < LIFETIME_SECONDS + 15


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health").status_code == 200
    except httpx.HTTPError:
        return False
