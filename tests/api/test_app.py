"""The API as a whole: bad requests, limits, its manual, its state, and the permission that every route asks for."""

import pytest
from fastapi.routing import APIRoute
from starlette.routing import WebSocketRoute

from canvas.actions.plugins import Plugin
from canvas.api import catalogue
from canvas.api import runs as runs_module
from canvas.api.app import create_api
from canvas.api.caller import permission_of
from canvas.services.access import Actor, Permission, Role
from canvas.settings import Settings
from tests.api.client import client_of

MB = 1_048_576


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "invalid_json")),
        (b'{"name": NaN}', (400, "invalid_json")),
        (b'{"name": "\\ud800"}', (400, "invalid_json")),
        (b"\xff\xfe", (400, "invalid_json")),
        (b"[" * 100_000, (400, "invalid_json")),
        (b"null", (422, "invalid_request")),
        (b"[]", (422, "invalid_request")),
        (b'{"name": 7}', (422, "invalid_request")),
        (b'{"name": "a", "document": "text"}', (422, "invalid_request")),
        (b'{"name": "Not A Name"}', (422, "invalid")),
        (b"", (422, "invalid_request")),
    ],
)
def test_a_bad_body_is_one_clear_problem(api, body, expected):
    """Never a traceback, never a half-written workflow; the server goes on."""
    answer = api.post("/workflows", content=body, headers={"Content-Type": "application/json"})

    assert expected == code(answer)
    assert "Traceback" not in answer.text
    assert [] == api.get("/workflows").json()["rows"]


def _bomb() -> bytes:
    lines = ["k0: &k0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines).encode()


def _deep_yaml() -> bytes:
    return "\n".join("  " * n + f"k{n}:" for n in range(300)).encode()


@pytest.mark.parametrize(
    "text",
    [
        _bomb(),
        _deep_yaml(),
        b"!!python/object/apply:os.system ['true']",
        b"[" * 60_000 + b"]" * 60_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b"x" * MB + b": 1",
        b"\x00\x01\x02",
        b"dsl: canvas/v1\nname: a\nsteps: {}\n",
        b"dsl: canvas/v9\n",
    ],
    ids=["bomb", "deep", "tag", "brackets", "deep-json", "long", "binary", "shape", "version"],
)
@pytest.mark.parametrize("path", ["/workflows/import", "/workflows/validate"])
def test_hostile_text_is_refused_quickly(api, path, text):
    """A clear problem within seconds, nothing kept, and the server goes on."""
    answer = api.post(path, content=text)

    assert answer.status_code in (200, 201, 422)
    if answer.status_code == 422:
        assert answer.json()["code"]
        assert answer.json()["detail"]
    elif path == "/workflows/validate":
        assert not answer.json()["valid"]
    assert 200 == api.get("/health").status_code


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_long_is_refused(api, declared):
    """Ten megabytes, whether the length is declared or not."""
    content = b"x" * (10 * MB) if declared else (b"x" * MB for _ in range(10))
    answer = api.post("/workflows/import", content=content)

    assert (413, "body_too_large") == code(answer)
    assert 200 == api.get("/health").status_code


def test_a_defect_is_a_problem_without_details(api, monkeypatch):
    """What went wrong inside is for the log."""
    monkeypatch.setattr(runs_module.views, "run_rows", lambda *_, **__: 1 / 0)
    answer = api.get("/runs")

    assert (500, "defect") == code(answer)
    assert "division" not in answer.text


def test_every_route_asks_for_a_permission(settings: Settings):
    """A route without one would be open to everybody; web sockets ask in their first line."""
    unguarded = []
    for route in _routes(create_api(settings)):
        if isinstance(route, APIRoute):
            asked = [permission_of(dependency.call) for dependency in route.dependant.dependencies]
            if not any(asked):
                unguarded.append(route.path)
        elif not isinstance(route, WebSocketRoute) and "websocket" not in type(route).__name__.lower():
            unguarded.append(route.path)

    assert [] == unguarded


def test_no_route_changes_anything_for_who_may_only_look(settings: Settings):
    """Every unsafe method asks for more than looking; validating keeps nothing, and read marks are one's own."""
    open_to_viewers = {
        route.path
        for route in _routes(create_api(settings))
        if isinstance(route, APIRoute) and route.methods - {"GET", "HEAD"}
        if Permission.VIEW in [permission_of(dependency.call) for dependency in route.dependant.dependencies]
    }

    own_marks = {"/notifications/read", "/notifications/{notification_id}/read"}
    asks_per_tool = {"/mcp"}
    assert {"/workflows/validate", "/actions/check"} | own_marks | asks_per_tool == open_to_viewers


def _routes(api):
    for route in api.routes:
        router = getattr(route, "original_router", None)
        yield from router.routes if router else [route]


def test_who_may_only_look_changes_nothing(hello, monkeypatch):
    """Every call that changes something is refused for a viewer, and every look is allowed."""
    monkeypatch.setattr("canvas.api.caller.local_actor", lambda: Actor("guest", Role.VIEWER))

    assert 200 == hello.get("/workflows/hello").status_code
    for method, path in (
        ("post", "/workflows"),
        ("delete", "/workflows/hello"),
        ("post", "/workflows/hello/runs"),
        ("post", "/workflows/hello/versions/1/publish"),
        ("post", "/events"),
        ("post", "/hooks/greet"),
    ):
        answer = hello.request(method, path, json={})
        assert (403, "forbidden") == code(answer), path


def test_the_manual_needs_nothing_from_elsewhere(api):
    """One page, made of the OpenAPI document, without scripts or foreign addresses."""
    page = api.get("/docs").text

    assert "/api/workflows/{name}/runs" in page
    assert "<script" not in page
    assert "://" not in page
    document = api.get("/openapi.json").json()
    assert {"/workflows", "/runs/{run_id}", "/hooks/{path}"} <= set(document["paths"])


def test_actions_and_schema_are_served(api):
    """What the editor and other programs complete from."""
    names = {action["name"] for action in api.get("/actions").json()}
    action = api.get("/actions/http/request").json()

    assert {"http/request", "log/event", "notify/create", "data/transform"} <= names
    assert "url" in action["arguments_schema"]["properties"]
    assert [] == api.get("/notifications").json()
    assert [] == api.get("/mcp-servers").json()
    assert (404, "action_not_found") == code(api.get("/actions/mcp.nowhere/tool"))


def test_actions_are_searched(api):
    """By words, by category, and by what other systems call them."""

    def names(query: str) -> list[str]:
        return [action["name"] for action in api.get(f"/actions?{query}").json()]

    assert "log/event" == names("q=LOG_EVENT")[0]
    assert ["wait"] == names("q=delay")
    assert {"http/request", "webhook/send"} == set(names("category=Web"))
    assert [] == names("q=nothing+of+this+kind")
    assert 422 == api.get(f"/actions?q={'x' * 201}").status_code
    assert ("log/event", "wait") == (
        api.get("/actions/LOG_EVENT").json()["name"],
        api.get("/actions/wait").json()["name"],
    )
    assert 404 == api.get("/actions/NO_SUCH_THING").status_code


def test_plug_ins_are_reported(api, monkeypatch):
    """What each brings, or why nothing of it is used; the catalogue says that there is something to look at."""
    found = (Plugin("good", "1", "main", ("a/b",)), Plugin("bad", "2", "main", failure="importing bad failed"))
    monkeypatch.setattr(catalogue, "plugins", lambda: found)

    told = api.get("/plugins").json()
    assert [("good", ["a/b"], ""), ("bad", [], "importing bad failed")] == [
        (plugin["package"], plugin["actions"], plugin["failure"]) for plugin in told
    ]
    assert "1" == api.get("/actions").headers["canvas-plugin-failures"]
    monkeypatch.setattr(catalogue, "plugins", lambda: found[:1])
    assert "canvas-plugin-failures" not in api.get("/actions").headers


def test_readiness_names_what_is_missing(settings: Settings, api, engine):
    """With an engine at work everything is there."""
    assert (200, {"is_ready": True, "database": "ok", "engines": 1}) == (
        api.get("/ready").status_code,
        api.get("/ready").json(),
    )


def test_without_an_engine_it_is_not_ready(api, tmp_path):
    """Nor with a database that was never made."""
    assert (503, 0) == (api.get("/ready").status_code, api.get("/ready").json()["engines"])
    with client_of(create_api(Settings(data_dir=tmp_path / "other"))) as other:
        assert "outdated" == other.get("/ready").json()["database"]
