"""Tokens over HTTP: made, shown once, used on every route, refused when they are not worth anything."""

from datetime import UTC, datetime, timedelta

import pytest

from canvas import db
from canvas.api import live
from canvas.services import tokens
from canvas.services.access import Role
from canvas.settings import Settings
from tests.api.client import Client


def bearing(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def make(client: Client, role: str = "viewer", **body: object) -> dict[str, str]:
    answer = client.post("/tokens", json={"name": role, "role": role, **body})
    assert 201 == answer.status_code, answer.text
    return answer.json()


def test_the_secret_is_answered_once(api: Client):
    """The list shows how it begins, and when it was used last."""
    made = make(api)
    (row,) = api.get("/tokens", headers=bearing(make(api, "admin")["secret"])).json()[1:]

    assert "secret" not in row
    assert (made["prefix"], "viewer", None) == (row["prefix"], row["role"], row["last_used_at"])
    assert made["secret"].startswith(made["prefix"])


def test_a_token_acts_with_its_role(hello: Client):
    """A viewer's looks and starts nothing; an operator's starts runs under its name; without one, as before."""
    viewer, operator = (bearing(make(hello, role)["secret"]) for role in ("viewer", "operator"))
    start = {"json": {"parameters": {"who": "x"}}}

    assert 200 == hello.get("/workflows", headers=viewer).status_code
    refused = hello.post("/workflows/hello/runs", headers=viewer, **start)
    assert (403, "forbidden") == (refused.status_code, refused.json()["code"])
    run_id = hello.post("/workflows/hello/runs", headers=operator, **start).json()["id"]
    assert "token:operator" == hello.get(f"/runs/{run_id}").json()["triggered_by"]
    assert 403 == hello.get("/tokens", headers=operator).status_code
    assert 202 == hello.post("/workflows/hello/runs", **start).status_code


@pytest.mark.parametrize("header", ["Bearer canvas_nonsense", "Bearer ", "Bearer", "Basic eDp5", "", "bearer x y"])
def test_a_wrong_token_is_refused_everywhere(api: Client, header: str):
    """Also where the user of this machine would be let in: who shows a token is judged by it."""
    for path in ("/workflows", "/health", "/tokens", "/openapi.json"):
        answer = api.get(path, headers={"Authorization": header})
        assert (401, "invalid_token") == (answer.status_code, answer.json()["code"])
        assert "application/problem+json" == answer.headers["content-type"]
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_an_ended_token_is_refused(settings: Settings, api: Client):
    """Expired or revoked, each says so."""
    long_ago = datetime.now(UTC) - timedelta(days=2)
    with db.transaction(settings) as session:
        ends = long_ago + timedelta(days=1)
        old = tokens.create_token(session, "old", Role.ADMIN, now=long_ago, expires_at=ends)
    revoked = make(api)
    assert 204 == api.delete(f"/tokens/{revoked['id']}").status_code

    assert "token_expired" == api.get("/workflows", headers=bearing(old.secret)).json()["code"]
    assert "token_revoked" == api.get("/workflows", headers=bearing(revoked["secret"])).json()["code"]
    assert (404, "token_not_found") == (
        (again := api.delete(f"/tokens/{revoked['id']}")).status_code,
        again.json()["code"],
    )


def test_its_use_is_noted(api: Client):
    """So that tokens nobody needs any more can be found."""
    made = make(api)
    api.get("/workflows", headers=bearing(made["secret"]))

    assert api.get("/tokens").json()[0]["last_used_at"] is not None


def test_a_hook_reads_its_callers_header_itself(hello: Client):
    """What a webhook's sender puts into `Authorization` is for the workflow, not for Canvas."""
    answer = hello.post("/hooks/greet", json={"who": "you"}, headers=bearing("of somebody else"))

    assert 202 == answer.status_code


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "a", "role": "owner"},
        {"name": "a", "expires_at": "2020-01-01T00:00:00Z"},
        {"role": "viewer"},
    ],
)
def test_what_makes_no_token_is_refused(api: Client, body: dict[str, str]):
    """As one clear problem."""
    assert 422 == api.post("/tokens", json=body).status_code


class Socket:
    """A web socket that was not accepted yet."""

    def __init__(self, settings: Settings, header: str) -> None:
        self.headers = {"authorization": header}
        self.app = type("App", (), {"state": type("State", (), {"settings": settings})})
        self.closed: list[int] = []

    async def close(self, code: int, reason: str) -> None:
        self.closed.append(code)


async def test_a_web_socket_with_a_wrong_token_is_closed(database: Settings):
    """Before anything is told."""
    socket = Socket(database, "Bearer canvas_nonsense")
    await live.list_feed(socket)

    assert [4401] == socket.closed
