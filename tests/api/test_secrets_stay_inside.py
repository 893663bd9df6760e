"""A server that echoes a secret in every way it can gets nothing of it out of the attempt that opened it."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import pytest

from canvas.actions.masking import MASK
from canvas.api.subscriber import Subscriber
from canvas.api.tail import Tail
from canvas.engine.worker import Engine
from canvas.settings import Settings
from tests.api.client import Client
from tests.doors import DoorServer, door_server, doors
from tests.serving import wait_for

KEY = 'Zq9"x/ü&k<%+~w\\7'
USER = "bob"
OPENS = """
dsl: canvas/v1
name: opens
outputs: {said: {type: any, value: "{{ steps.knock.output ?? null }}"}}
steps:
  - {name: knock, type: action, action: door/open, parameters: {connection: front, path: %s}}
  - {name: keep, type: set, values: {kept: "{{ steps.knock.output.answer }}"}}
  - {name: tell, type: action, action: log/event, parameters: {message: "{{ steps.knock.output.answer }}"}}
"""


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    with doors():
        yield


@pytest.fixture
def door(api: Client) -> Iterator[DoorServer]:
    """A door that echoes, and the connection to it."""
    with door_server() as server:
        config = {"address": server.url, "user": USER, "key": KEY}
        assert 201 == api.post("/connections", json={"name": "front", "kind": "door", "config": config}).status_code
        yield server


def spellings() -> set[str]:
    """Give what must be nowhere: telling pieces of the secret in any spelling of it."""
    basic = httpx.BasicAuth(USER, KEY)._auth_header.removeprefix("Basic ")
    whole = {
        KEY,
        quote(KEY, safe=""),
        quote_plus(KEY),
        escape(KEY),
        json.dumps(KEY)[1:-1],
        json.dumps(KEY, ensure_ascii=False)[1:-1],
        KEY.encode().hex(),
    }
    return {text[:6] for text in whole} | {text[-6:] for text in whole} | {basic[8:16], basic[-8:]}


def assert_tells_nothing(place: str, text: str) -> None:
    found = [piece for piece in spellings() if piece in text]
    assert [] == found, f"{place} shows {found}"


def tables(settings: Settings) -> dict[str, str]:
    """Give everything that stands in each table, sealed columns left out, and the raw bytes of the files."""
    with sqlite3.connect(settings.data_dir / "canvas.db") as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {}
        for name in names:
            cursor = database.execute(f'SELECT * FROM "{name}"')
            columns = [column[0] for column in cursor.description]
            found[name] = "\n".join(
                str(value) for row in cursor for column, value in zip(columns, row, strict=True) if column != "sealed"
            )
    database.close()
    for file in Path(settings.data_dir).glob("canvas.db*"):
        found[file.name] = file.read_bytes().decode(errors="replace")
    return found


@pytest.mark.parametrize("path", ["/echo", "/text", "/refused"])
def test_a_secret_that_is_echoed_is_nowhere(api: Client, engine: Engine, settings, door, path, caplog, capfd):
    """Not in any table, not in the files of the database, the run's answer, its log, streams, exports or our logs."""
    caplog.set_level(logging.DEBUG)
    door.status = 403 if path == "/refused" else 200
    api.post("/workflows/import?publish=true", content=OPENS % path)

    run = api.post("/workflows/opens/runs?wait=30", json={})

    assert {"/refused": "failed"}.get(path, "completed") == run.json()["status"]
    assert [KEY] == door.keys
    address = f"/runs/{run.json()['id']}"
    seen = {
        "the answer": run.text,
        **{page: api.get(page).text for page in (address, f"{address}/logs", f"{address}/events", "/notifications")},
        "the export": api.get("/workflows/opens/export").text,
        "the feed": asyncio.run(feed(settings, run.json()["id"])),
        "the log": caplog.text,
        **tables(settings),
    }
    for place in (address, f"{address}/logs", f"{address}/events", "/notifications", "the feed", "step_run", "run_log"):
        assert MASK in seen[place] or r"\u2022" in seen[place], place
    seen["standard output and error"] = "".join(capfd.readouterr())
    for place, text in seen.items():
        assert_tells_nothing(place, text)


async def feed(settings: Settings, run_id: str) -> str:
    """Give the frames of a run's web socket: the snapshot, and the lines so far."""
    tail, subscriber, frames = Tail(settings), Subscriber(asyncio.get_running_loop()), []
    tail.watch_run(run_id, subscriber, lines_after=0)
    while not frames or '"lines"' not in frames[-1]:
        frames.append((await subscriber.next_frame() or b"").decode())
    tail.leave(subscriber)
    return "\n".join(frames)


def test_what_is_searched_for_would_be_found():
    """The test above can fail: every spelling is recognised."""
    for piece in spellings():
        with pytest.raises(AssertionError, match="shows"):
            assert_tells_nothing("here", f"…{piece}…")


def test_libraries_that_log_what_they_send_log_no_secret(api: Client, engine, settings, door, caplog):
    """Whatever logger writes after the connection was opened, arguments and tracebacks included."""
    api.post("/workflows/import?publish=true", content=OPENS % "/echo")
    api.post("/workflows/opens/runs?wait=30", json={})
    caplog.clear()
    log = logging.getLogger("some.library")

    log.warning("sending %s to %s", KEY, {"password": KEY})
    try:
        raise ConnectionError(f"cannot log in with {KEY}")
    except ConnectionError:
        log.exception("it failed")

    assert MASK in caplog.text
    assert "it failed" in caplog.text
    assert_tells_nothing("the log", caplog.text)


def test_a_stopped_attempt_tells_nothing_it_said_before(api: Client, engine: Engine, settings, door):
    """Lines and notices of an attempt that is cancelled are masked too."""
    door.slow.clear()
    api.post("/workflows/import?publish=true", content=OPENS % "/slow")
    run = api.post("/workflows/opens/runs", json={}).json()["id"]
    door.knocked.wait(20)
    api.post(f"/runs/{run}/cancel")

    ended = wait_for_end(api, run)
    door.slow.set()

    assert "cancelled" == ended["status"]
    for place, text in tables(settings).items():
        assert_tells_nothing(place, text)


def wait_for_end(api: Client, run: str) -> dict:
    ended = ("completed", "failed", "cancelled")
    return wait_for(lambda: (found := api.get(f"/runs/{run}").json())["status"] in ended and found)
