"""Connections over HTTP: what goes in secret is in no answer."""

from collections.abc import Iterator

import pytest

from canvas.actions.masking import MASK
from canvas.engine.worker import Engine
from tests.api.client import Client
from tests.doors import DoorServer, door_server, doors

KEY = 's3cr3t-key/of the "door"'
FRONT = {"name": "front", "kind": "door", "config": {"address": "http://127.0.0.1:9", "key": KEY}}
OPENS = """
dsl: canvas/v1
name: opens
steps:
  - {name: knock, type: action, action: door/open, parameters: {connection: front, path: /echo}}
"""


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    with doors():
        yield


@pytest.fixture
def door() -> Iterator[DoorServer]:
    with door_server() as server:
        yield server


def test_a_connection_is_kept_changed_and_forgotten(api: Client):
    """No answer holds its secret; what a change leaves out stays."""
    made = api.post("/connections", json=FRONT)
    changed = api.put("/connections/front", json={"config": {"address": "http://there"}, "description": "new"})
    listed = api.get("/connections")

    assert (201, {"key": []}) == (made.status_code, made.json()["secrets"])
    assert {"address": "http://there"} == changed.json()["config"]
    assert [("front", "Door", None, "new")] == [
        (row["name"], row["kind_title"], row["is_test_passed"], row["description"]) for row in listed.json()
    ]
    assert "s3cr3t" not in made.text + changed.text + listed.text + api.get("/connections/front").text
    assert 204 == api.delete("/connections/front").status_code
    assert (404, "connection_not_found") == outcome(api.get("/connections/front"))


def run(api: Client) -> dict:
    return api.post("/workflows/opens/runs?wait=30", json={}).json()


def outcome(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_refusals_are_typed_and_tell_no_secret(api: Client):
    """A kind that is not there, values that do not fit, a name that is taken or not possible."""
    api.post("/connections", json=FRONT)
    refused = [
        api.post("/connections", json={**FRONT, "name": "other", "kind": "window"}),
        api.post("/connections", json={**FRONT, "name": "other", "config": {"key": KEY}}),
        api.post("/connections", json={**FRONT, "name": "other", "config": {**FRONT["config"], "tries": KEY}}),
        api.post("/connections", json=FRONT),
        api.post("/connections", json={**FRONT, "name": "kinds"}),
        api.post("/connections", json={**FRONT, "config": [KEY]}),
        api.post("/connections/nobody/test"),
    ]

    assert [
        (422, "unknown_connection_kind"),
        (422, "invalid_connection"),
        (422, "invalid_connection"),
        (409, "connection_exists"),
        (422, "invalid"),
        (422, "invalid_request"),
        (404, "connection_not_found"),
    ] == [outcome(answer) for answer in refused]
    assert "s3cr3t" not in "".join(answer.text for answer in refused)


def test_kinds_bring_their_schemas(api: Client):
    """Enough for a form: titles, descriptions, and which values are secret."""
    door = next(kind for kind in api.get("/connections/kinds").json() if kind["name"] == "door")

    assert ["key", "marks", "spare"] == door["secret_fields"]
    assert door["schema"]["properties"]["key"]["writeOnly"]
    assert ["address", "key"] == door["schema"]["required"]


def test_a_test_tells_how_it_went_and_is_remembered(api: Client, door: DoorServer):
    """It works, then it does not; both times in a sentence, both times without the secret."""
    api.post("/connections", json={**FRONT, "config": {"address": door.url, "key": KEY}})
    works = api.post("/connections/front/test").json()
    first = api.get("/connections").json()[0]
    door.status = 403
    fails = api.post("/connections/front/test").json()
    second = api.get("/connections").json()[0]

    assert (True, "ok", f"It opens: you are {MASK}") == (works["passed"], works["code"], works["message"])
    assert (False, "action_failed", f"The door says you are {MASK}") == (
        fails["passed"],
        fails["code"],
        fails["message"],
    )
    assert [(True, works["message"]), (False, fails["message"])] == [
        (row["is_test_passed"], row["test_message"]) for row in (first, second)
    ]
    assert first["tested_at"] < second["tested_at"]


def test_a_test_that_breaks_is_an_answer_too(api: Client):
    """The other side is not there, or the test itself has a defect: a sentence, never a 500."""
    api.post("/connections", json=FRONT)
    api.post("/connections", json={"name": "iron", "kind": "gate", "config": {"address": "here"}})

    refused, broken = (api.post(f"/connections/{name}/test").json() for name in ("front", "iron"))

    assert ("unreachable", False) == (refused["code"], refused["passed"])
    assert ("check_error", "RuntimeError: The gate at here fell over.") == (broken["code"], broken["message"])


def test_deleting_one_in_use_names_who_uses_it(api: Client):
    """409 with the workflows and their steps; insisting does it."""
    api.post("/connections", json=FRONT)
    api.post("/workflows/import", content=OPENS)

    refused = api.delete("/connections/front")

    assert (409, "connection_in_use") == outcome(refused)
    assert [("opens", ["knock"])] == [(use["workflow"], use["steps"]) for use in refused.json()["used_by"]]
    assert 204 == api.delete("/connections/front?even_if_used=true").status_code


def test_imports_and_workflows_say_what_they_need(api: Client):
    """Missing before the connection is there, and not after."""
    imported = api.post("/workflows/import", content=OPENS).json()
    api.post("/connections", json=FRONT)

    need = {"name": "front", "kind": "door", "steps": ["knock"]}
    assert {"connections": [{**need, "missing": True}]} == imported["needs"]
    assert {"connections": [{**need, "missing": False}]} == api.get("/workflows/opens/needs").json()
    assert {"connections": [{**need, "missing": False}]} == api.get("/workflows/opens/needs?version=1").json()
    assert api.get("/workflows/opens/export").text.startswith("# Needs connections: front (door).\n")


def test_a_run_follows_a_connection_that_changes(api: Client, engine: Engine, door: DoorServer):
    """The next call uses the new values; once it is deleted the step fails with what to do, and is not retried."""
    api.post("/connections", json={**FRONT, "config": {"address": door.url, "key": "first-key"}})
    api.post("/workflows/import?publish=true", content=OPENS)
    first = run(api)
    api.put("/connections/front", json={"config": {"address": door.url, "key": "second-key"}})
    second = run(api)
    api.delete("/connections/front?even_if_used=true")
    third = run(api)

    assert ["completed", "completed", "failed"] == [each["status"] for each in (first, second, third)]
    assert ["first-key", "second-key"] == door.keys
    error = third["step_executions"]["knock"]["error"]
    assert ("unknown_connection", False) == (error["code"], error["retryable"])
    assert "Connections page" in error["message"]
