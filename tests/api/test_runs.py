"""Runs over HTTP: started once, waited for, looked at, streamed, wished to stop."""

import time

import orjson
import pytest

from canvas.api import run_events


def start(api, who="you", **options):
    return api.post("/workflows/hello/runs", json={"parameters": {"who": who}}, **options)


def test_a_start_is_accepted_at_once(hello):
    """202, an id, and where to look."""
    answer = start(hello)

    assert 202 == answer.status_code
    assert f"/api/runs/{answer.json()['id']}" == answer.headers["location"]
    assert "pending" == hello.get(f"/runs/{answer.json()['id']}").json()["status"]


def test_a_run_can_be_waited_for(hello, engine):
    """The answer is the finished run, with each step's state in the shape that was asked for."""
    answer = start(hello, params={"wait": 30})

    run = answer.json()
    assert (200, "completed", {"said": "Hello you"}) == (answer.status_code, run["status"], run["output"])
    step = run["step_executions"]["greet"]
    assert {"level": "info", "message": "Hello you"} == step["output"]
    assert ("completed", 1) == (step["status"], step["attempt"])
    assert step["started_at"] <= step["ended_at"]
    assert ("api", None) == (run["trigger_type"], run["trigger_data"])


def test_waiting_ends_with_the_time(hello):
    """202 and the run as it stands, when nobody executes it."""
    answer = start(hello, params={"wait": 0.05})

    assert (202, "pending") == (answer.status_code, answer.json()["status"])


def test_the_same_key_starts_one_run(hello):
    """And another request with it is a conflict."""
    headers = {"Idempotency-Key": "k"}
    first, second = start(hello, headers=headers), start(hello, headers=headers)
    other = start(hello, "me", headers=headers)

    assert first.json() == second.json()
    assert (409, "idempotency_key_reused") == (other.status_code, other.json()["code"])


def test_missing_parameters_are_told(hello):
    """By name, and nothing is started."""
    answer = hello.post("/workflows/hello/runs", json={"parameters": {}})

    assert (422, "invalid_parameters") == (answer.status_code, answer.json()["code"])
    assert "/who" == answer.json()["problems"][0]["pointer"]
    assert [] == hello.get("/runs").json()["rows"]


def test_runs_are_listed_and_filtered(hello):
    """Newest first, page by page."""
    ids = [start(hello).json()["id"] for _ in range(3)]
    first = hello.get("/runs?limit=2").json()
    second = hello.get("/runs", params={"cursor": first["next_cursor"]}).json()

    assert ids[::-1] == [row["id"] for row in first["rows"] + second["rows"]]
    assert [] == hello.get("/runs?status=failed").json()["rows"]
    assert 3 == len(hello.get("/runs?status=failed&status=pending&trigger_type=api&workflow=hello").json()["rows"])


def test_wishes_are_taken(hello, engine):
    """Accepted while the run goes on; refused when it has ended."""
    run_id = start(hello).json()["id"]
    for verb in ("pause", "resume", "cancel"):
        assert hello.post(f"/runs/{run_id}/{verb}").status_code in (202, 409)
    engine.wait(run_id)

    answer = hello.post(f"/runs/{run_id}/cancel")
    assert (409, "run_already_finished") == (answer.status_code, answer.json()["code"])


def test_a_step_in_detail_and_the_log(hello, engine):
    """Input, output and attempts of a step; lines of the log after a number."""
    run_id = start(hello, params={"wait": 30}).json()["id"]
    (attempt,) = hello.get(f"/runs/{run_id}/steps?path=greet").json()
    lines = hello.get(f"/runs/{run_id}/logs?kind=line").json()

    assert ({"message": "Hello you"}, 1) == (attempt["input"], attempt["attempt"])
    assert ["Hello you"] == [line["message"] for line in lines]
    assert [] == hello.get(f"/runs/{run_id}/logs?after={lines[-1]['seq'] + 1_000}").json()


def test_events_of_an_ended_run(hello, engine):
    """All of them, in order, named by kind; then the stream ends, and resuming behind the last gives 204."""
    run_id = start(hello, params={"wait": 30}).json()["id"]
    began = time.monotonic()
    events = parse(hello.get(f"/runs/{run_id}/events").text)
    assert time.monotonic() - began < run_events.LIFETIME_SECONDS

    assert {"run", "step", "log"} == {event["event"] for event in events}
    ids = [int(event["id"]) for event in events]
    assert sorted(set(ids)) == ids
    assert "completed" in [event["data"]["data"]["status"] for event in events if event["event"] == "run"]
    rest = hello.get(f"/runs/{run_id}/events", headers={"Last-Event-ID": str(ids[1])})
    assert events[2:] == parse(rest.text)
    assert 204 == hello.get(f"/runs/{run_id}/events", headers={"Last-Event-ID": str(ids[-1])}).status_code


@pytest.mark.parametrize("text", ["nonsense", "-1", "9" * 20, "²"])
def test_a_bad_event_id_starts_from_the_beginning_or_the_end(hello, text):
    """It never breaks the stream."""
    run_id = start(hello).json()["id"]
    run_events_before = run_events.LIFETIME_SECONDS
    run_events.LIFETIME_SECONDS = 0.05
    try:
        answer = hello.get(f"/runs/{run_id}/events", headers={"Last-Event-ID": text.encode()})
    finally:
        run_events.LIFETIME_SECONDS = run_events_before

    assert answer.status_code in (200, 204)


def test_a_stream_has_a_bounded_life(hello, monkeypatch):
    """A server that is asked to stop never waits for it for long."""
    monkeypatch.setattr(run_events, "LIFETIME_SECONDS", 0.3)
    run_id = start(hello).json()["id"]
    began = time.monotonic()
    answer = hello.get(f"/runs/{run_id}/events")

    assert answer.text.startswith("retry: ")
    assert 0.2 < time.monotonic() - began < 5


def parse(text: str) -> list[dict]:
    events = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if "id" in fields:
            events.append({**fields, "data": orjson.loads(fields["data"])})
    return events
