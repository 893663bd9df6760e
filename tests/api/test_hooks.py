"""Hooks from outside: proofs, answers with the result, deliveries and replay, over HTTP."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from standardwebhooks import Webhook as Sender

from tests.api.test_triggers import code

WORKFLOW = """
dsl: canvas/v1
name: hook
outputs:
  doubled: {value: "{{ trigger.data.body.n * 2 }}"}
triggers:
  - {type: webhook, path: signed, signature: standard}
  - {type: webhook, path: result, respond: result, methods: [POST, GET]}
  - {type: webhook, path: brief, respond: result, respond_timeout_seconds: 0.05}
steps:
  - {name: kind, type: switch, on: "{{ default(trigger.data.body.kind, '') }}", cases: [stop, fail, cancel, slow]}
  - {name: halt, type: stop, output: {said: enough}, depends_on: [{step: kind, branch: SWITCH_CASE, value: stop}]}
  - name: break
    type: stop
    status: failed
    message: secret
    depends_on: [{step: kind, branch: SWITCH_CASE, value: fail}]
  - {name: leave, type: stop, status: cancelled, depends_on: [{step: kind, branch: SWITCH_CASE, value: cancel}]}
  - {name: dawdle, type: wait, for: [{seconds: 60}], depends_on: [{step: kind, branch: SWITCH_CASE, value: slow}]}
"""


@pytest.fixture
def hook(api):
    """A client with the workflow `hook` published."""
    answer = api.post("/workflows/import?publish=true", content=WORKFLOW)
    assert 201 == answer.status_code, answer.text
    return api


def webhook(client, path):
    return next(row for row in client.get("/webhooks").json() if row["path"] == path)


def sign(secret, body: bytes, key="msg_1", at=None):
    moment = at or datetime.now(UTC)
    signature = Sender(secret).sign(key, moment, body.decode())
    return {"webhook-id": key, "webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature}


def test_the_answer_is_what_the_run_gives_back(hook, engine):
    """Its outputs, or what a `stop` step says; a failed run is a problem that tells outsiders nothing but its id."""
    answer = hook.post("/hooks/result", json={"n": 21})
    assert (200, {"doubled": 42}) == (answer.status_code, answer.json())
    run = hook.get(f"/runs/{answer.headers['canvas-run-id']}").json()
    assert ("completed", "webhook", {"n": 21}) == (run["status"], run["trigger_type"], run["trigger_data"]["body"])
    assert {"said": "enough"} == hook.post("/hooks/result", json={"n": 1, "kind": "stop"}).json()

    failed = hook.post("/hooks/result", json={"n": 1, "kind": "fail"})
    assert (500, "run_failed") == code(failed)
    assert failed.json()["run_id"] == failed.headers["canvas-run-id"]
    assert "secret" not in failed.text
    assert (503, "run_cancelled") == code(hook.post("/hooks/result", json={"n": 1, "kind": "cancel"}))


def test_a_result_that_takes_too_long_is_promised(hook, engine):
    """202 with the run's id, which goes on."""
    answer = hook.post("/hooks/brief", json={"n": 1, "kind": "slow"})

    assert (202, answer.headers["location"]) == (answer.status_code, f"/api/runs/{answer.json()['id']}")
    assert 202 == hook.post(f"/runs/{answer.json()['id']}/cancel").status_code


def test_the_same_delivery_gets_the_same_answer(hook, engine):
    """The result of the first time, although it is asked for again with something else."""
    headers = {"Webhook-Id": "d1"}
    answers = [hook.post("/hooks/result", json={"n": n}, headers=headers) for n in (1, 2)]

    assert [{"doubled": 2}] * 2 == [answer.json() for answer in answers]
    assert 1 == len(hook.get("/runs").json()["rows"])


def test_signed_requests_only(hook):
    """No secret yet, then one that is shown once; anything else is a typed refusal and starts nothing."""
    body, row = orjson.dumps({"n": 1}), webhook(hook, "signed")
    assert (409, "secret_missing") == code(hook.post("/hooks/signed", content=body))
    made = hook.post(f"/webhooks/{row['id']}/secret")
    secret = made.json()["secret"]
    assert (201, False, True) == (made.status_code, row["has_secret"], made.json()["webhook"]["has_secret"])
    assert secret not in hook.get("/webhooks").text + hook.get(f"/webhooks/{row['id']}").text

    assert 202 == hook.post("/hooks/signed", content=body, headers=sign(secret, body)).status_code
    old = datetime.now(UTC) - timedelta(minutes=6)
    for content, headers, expected in (
        (b'{"n": 2}', sign(secret, body), "bad_signature"),
        (body, {}, "bad_signature"),
        (body, sign(secret, body, at=old), "stale_signature"),
        (b"\xff", sign(secret, body), "bad_signature"),
    ):
        assert (401, expected) == code(hook.post("/hooks/signed", content=content, headers=headers))
    assert (409, "webhook_without_signature") == code(hook.post(f"/webhooks/{webhook(hook, 'result')['id']}/secret"))
    assert 1 == len(hook.get("/runs").json()["rows"])


def test_a_token_of_ours_is_no_matter_of_a_hook(hook):
    """`Authorization` speaks to the workflow: what it says is neither refused nor kept."""
    row = webhook(hook, "brief")
    assert 202 == hook.post("/hooks/brief", json={"n": 1}, headers={"Authorization": "Basic x"}).status_code
    (delivery,) = hook.get(f"/webhooks/{row['id']}/deliveries").json()

    assert "Basic x" not in hook.get(f"/webhooks/deliveries/{delivery['id']}").text


def test_deliveries_are_listed_and_taken_again(hook, engine):
    """What came in, taken or refused, with what was kept of it."""
    row = webhook(hook, "result")
    hook.post("/hooks/result?a=1", json={"n": 3}, headers={"X-Kind": "order"})
    hook.put("/hooks/result", json={"n": 3})
    hook.post("/hooks/result", content=b"{", headers={"Content-Type": "application/json"})
    listed = hook.get(f"/webhooks/{row['id']}/deliveries").json()
    assert {("", 202), ("method_not_allowed", 405), ("unreadable_body", 422)} == {
        (one["reason"], one["status"]) for one in listed
    }
    (taken,) = [one for one in listed if one["run_id"]]
    detail = hook.get(f"/webhooks/deliveries/{taken['id']}").json()
    assert ({"a": "1"}, '{"n":3}', "order", "completed") == (
        detail["query"],
        detail["body"].replace(" ", ""),
        detail["headers"]["x-kind"],
        detail["row"]["run_status"],
    )
    again = hook.post(f"/webhooks/deliveries/{taken['id']}/replay")
    assert 202 == again.status_code
    assert taken["id"] == hook.get(f"/runs/{again.json()['id']}").json()["trigger_data"]["replay_of"]
    assert (404, "delivery_not_found") == code(hook.post("/webhooks/deliveries/none/replay"))


@pytest.mark.parametrize(
    ("content", "headers", "expected"),
    [
        (b"x" * (2 * 1024 * 1024 + 1), {}, (413, "body_too_large")),
        (b"[" * 3_000 + b"]" * 3_000, {"Content-Type": "application/json"}, (422, "unreadable_body")),
        (b"\xff\xfe", {}, (422, "unreadable_body")),
        (b"{}", {"Webhook-Id": "x" * 300}, (422, "invalid")),
        (b"{}", {"Idempotency-Key": "x" * 300}, (422, "invalid")),
    ],
)
def test_what_cannot_be_taken_is_a_typed_refusal(hook, content, headers, expected):
    """Too long, nested too deep, no text, an id that is too long."""
    assert expected == code(hook.post("/hooks/result", content=content, headers=headers))
    assert [] == hook.get("/runs").json()["rows"]


def test_events_in_a_batch_and_with_ids(hello):
    """All or none; an id that came before starts nothing; kept events are listed."""
    event = {"type": "guest.arrived", "data": {"who": "guest"}, "id": "e1"}
    answer = hello.post("/events", json={"events": [event, {**event, "id": "e2"}, event]})
    received = answer.json()["events"]
    assert [False, False, True] == [one["is_duplicate"] for one in received]
    assert 2 == len(hello.get("/runs").json()["rows"])
    assert (422, "invalid_request") == code(hello.post("/events", json={"events": [event, {"type": ""}]}))
    assert (422, "invalid_request") == code(hello.post("/events", json={**event, "time_to_live_seconds": -1}))

    listed = hello.get("/events?type=guest.arrived").json()
    assert {"e1", "e2"} == {one["key"] for one in listed}
    (row,) = hello.get("/event-subscriptions").json()
    assert 2 == len(hello.get(f"/event-subscriptions/{row['id']}/events").json())
    assert "run.failed" in [one["name"] for one in hello.get("/event-types").json()["types"]]


def test_a_backfill_over_http(hello):
    """What a schedule had due in a window; its answer says what became of it."""
    made = hello.post("/schedules", json={"workflow": "hello", "cron": "0 * * * *", "parameters": {"who": "x"},
                                          "jitter_seconds": 60}).json()  # fmt: skip
    now = datetime.now(UTC)
    window = {"from": (now - timedelta(hours=5)).isoformat(), "until": now.isoformat()}
    done = hello.post(f"/schedules/{made['id']}/backfill", json=window)

    assert (202, 5, 60) == (done.status_code, done.json()["started"], made["jitter_seconds"])
    assert 5 == hello.post(f"/schedules/{made['id']}/backfill", json=window).json()["already"]
    assert {"started"} == {row["outcome"] for row in hello.get(f"/schedules/{made['id']}/fires").json()}
    backwards = {"from": window["until"], "until": window["from"]}
    assert (422, "invalid_window") == code(hello.post(f"/schedules/{made['id']}/backfill", json=backwards))
