"""What stands before every request."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from canvas.api.guards import CacheHeaders, LocalHostsOnly, SameOriginOnly


async def _site(scope: Scope, receive: Receive, send: Send) -> None:
    status = 404 if scope["path"].endswith("missing.js") else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _answer(app, *, path: str = "/", method: str = "GET", kind: str = "http", **headers: str) -> Message:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": kind, "path": path, "method": method, "headers": raw}, receive, send)
    return sent[0]


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST:1"])
async def test_this_machine_is_served_by_its_own_names(host):
    """A browser that typed the address is let in."""
    assert 200 == (await _answer(LocalHostsOnly(_site), host=host))["status"]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "", "[::1"])
async def test_a_name_that_was_rebound_to_this_machine_is_not(host):
    """Another site cannot read Canvas by pointing its own name here."""
    assert 421 == (await _answer(LocalHostsOnly(_site), host=host))["status"]
    refused = await _answer(LocalHostsOnly(_site), kind="websocket", host=host)
    assert "websocket.close" == refused["type"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_another_site_cannot_write(method):
    """A form on another page does nothing here; this page, and programs without an origin, may."""
    app = SameOriginOnly(_site)

    assert 403 == (await _answer(app, method=method, host="localhost:8000", origin="http://evil.example"))["status"]
    assert 403 == (await _answer(app, method=method, host="localhost:8000", origin="http://localhost:9"))["status"]
    assert 403 == (await _answer(app, method=method, host="localhost:8000", origin="null"))["status"]
    assert 200 == (await _answer(app, method=method, host="localhost:8000", origin="http://localhost:8000"))["status"]
    assert 200 == (await _answer(app, method=method, host="localhost:8000"))["status"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/assets/a-1f.js", b"max-age=31536000, immutable"), ("/assets/missing.js", b"no-cache"), ("/", b"no-cache")],
)
async def test_only_hashed_assets_that_exist_are_kept(path, expected):
    """A new build is seen at once; what its name identifies is never asked for again."""
    answer = await _answer(CacheHeaders(_site), path=path)

    assert [(b"cache-control", expected)] == answer["headers"]


@pytest.mark.parametrize("proof", ["webhook-signature", "x-canvas-token", "authorization"])
async def test_a_sender_that_proves_itself_may_name_its_origin(proof):
    """On a hook only; without a proof another site's page stays outside, as everywhere else."""
    app, elsewhere = SameOriginOnly(_site), {"host": "localhost:8000", "origin": "https://shop.example"}
    hook = {"path": "/api/hooks/orders", "method": "POST", **elsewhere}

    assert 200 == (await _answer(app, **hook, **{proof: "x"}))["status"]
    assert 403 == (await _answer(app, **hook))["status"]
    assert 403 == (await _answer(app, **{**hook, "path": "/api/events"}, **{proof: "x"}))["status"]
