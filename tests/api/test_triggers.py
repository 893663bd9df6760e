"""Triggers over HTTP: schedules, hooks and events."""

import pytest


def test_a_hook_starts_a_run(hello, engine):
    """202 and an id; the run when it is wanted; the request as its trigger's data."""
    answer = hello.post("/hooks/greet?a=1&a=2&b=3", json={"who": "hook"}, headers={"Prefer": "wait=30", "X-Kind": "k"})

    run = answer.json()
    assert (200, "completed", {"said": "Hello hook"}) == (answer.status_code, run["status"], run["output"])
    data = run["trigger_data"]
    assert ("webhook", "POST", "greet", {"a": ["1", "2"], "b": "3"}, {"who": "hook"}) == (
        run["trigger_type"],
        data["method"],
        data["path"],
        data["query"],
        data["body"],
    )
    assert "k" == data["headers"]["x-kind"]
    assert 202 == hello.post("/hooks/greet", json={"who": "x"}).status_code


def test_a_hook_says_why_not(hello):
    """Unknown path, wrong method, and a request that does not fit."""
    assert (404, "webhook_not_found") == code(hello.post("/hooks/nobody/here"))
    refused = hello.delete("/hooks/greet")
    assert (405, "method_not_allowed") == code(refused)
    assert "POST, GET" == refused.headers["allow"]
    assert (422, "expression_missing") == code(hello.post("/hooks/greet", json={}))
    assert (422, "invalid_parameters") == code(hello.post("/hooks/greet", json={"who": 7}))
    assert [] == hello.get("/runs").json()["rows"]


def test_a_delivery_that_is_repeated_starts_one_run(hello):
    """By either of the headers senders use."""
    for header in ("Idempotency-Key", "Webhook-Id"):
        ids = {hello.post("/hooks/greet", json={"who": "x"}, headers={header: f"d-{header}"}).text for _ in range(2)}
        assert 1 == len(ids)


def test_events_start_listeners(hello):
    """Each says what it made of the event."""
    answer = hello.post("/events", json={"type": "guest.arrived", "data": {"who": "guest"}})

    (reaction,) = answer.json()["reactions"]
    assert (202, "hello") == (answer.status_code, reaction["workflow"])
    assert "event" == hello.get(f"/runs/{reaction['run_id']}").json()["trigger_type"]
    assert [] == hello.post("/events", json={"type": "nothing"}).json()["reactions"]


def test_schedules_over_http(hello):
    """Kept, changed, switched, forgotten; with their next due times."""
    made = hello.post("/schedules", json={"workflow": "hello", "cron": "0 9 * * 1-5", "timezone": "Europe/Paris"})
    schedule = made.json()
    assert (201, 5) == (made.status_code, len(schedule["next_fire_times"]))
    address = f"/schedules/{schedule['id']}"
    changed = hello.put(address, json={"interval_seconds": 600, "overlap": "skip", "catch_up": "none"})
    assert (600, "skip", "none") == tuple(changed.json()[key] for key in ("interval_seconds", "overlap", "catch_up"))
    assert 204 == hello.post(f"{address}/disable").status_code
    assert [] == hello.get(address).json()["next_fire_times"]
    assert 204 == hello.post(f"{address}/enable").status_code
    assert 1 == len(hello.get("/schedules").json())
    assert 204 == hello.delete(address).status_code
    assert [] == hello.get("/schedules").json()


def test_webhooks_and_subscriptions_over_http(hello):
    """The same for the other triggers."""
    for noun, body in (
        ("webhooks", {"path": "other", "methods": ["PUT"]}),
        ("event-subscriptions", {"event": "other", "filter": "event.data.n > 1"}),
    ):
        before = len(hello.get(f"/{noun}").json())
        made = hello.post(f"/{noun}", json={"workflow": "hello", **body})
        assert 201 == made.status_code, made.text
        address = f"/{noun}/{made.json()['id']}"
        assert 204 == hello.put(address, json={**body, "enabled": False}).status_code
        assert [204, 204] == [hello.post(f"{address}/{verb}").status_code for verb in ("enable", "disable")]
        assert 204 == hello.delete(address).status_code
        assert before == len(hello.get(f"/{noun}").json())


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/schedules", {"workflow": "hello", "cron": "nope"}, (422, "invalid_schedule")),
        ("/schedules", {"workflow": "hello"}, (422, "invalid_schedule")),
        ("/schedules", {"workflow": "hello", "cron": "* * * * *", "timezone": "Mars"}, (422, "invalid_schedule")),
        ("/schedules", {"workflow": "nobody", "cron": "* * * * *"}, (404, "workflow_not_found")),
        ("/webhooks", {"workflow": "hello", "path": "greet"}, (409, "webhook_path_taken")),
        ("/webhooks", {"workflow": "hello", "path": "a b"}, (422, "invalid")),
        ("/event-subscriptions", {"workflow": "hello", "event": "a", "filter": "1 +"}, (422, "expression_syntax")),
        ("/events", {"type": ""}, (422, "invalid_request")),
    ],
)
def test_bad_triggers_are_refused(hello, path, body, expected):
    """With a code that says what is wrong."""
    assert expected == code(hello.post(path, json=body))


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_timetable_says_what_is_typed_in_words(hello):
    """With the next five times, for cron and for intervals; what cannot be read is told why."""
    weekdays = hello.get("/timetable", params={"cron": "0 9 * * 1-5", "timezone": "Europe/Paris"}).json()
    steady = hello.get("/timetable", params={"interval_seconds": 600}).json()

    assert ("every weekday at 09:00", 5) == (weekdays["words"], len(weekdays["fire_times"]))
    assert ("every 10 minutes", 5) == (steady["words"], len(steady["fire_times"]))
    for bad in ({"cron": "0 9 * *"}, {"cron": "0 9 * * *", "timezone": "Nowhere"}, {}, {"interval_seconds": 0}):
        assert (422, "invalid_schedule") == code(hello.get("/timetable", params=bad)), bad
