"""What libraries say over HTTP: bounded, never redirected, and gone when the step is gone."""

import asyncio
import gzip
import threading
from concurrent.futures import CancelledError
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from canvas.actions.exchange import Exchange, ServiceFailed, excerpt, retry_after
from canvas.actions.guard import AddressRefused
from tests.actions.service import Answer, Request, Service, serving


class Echo(Service):
    """Answers with what a test wants."""

    wanted = Answer({"fine": True})

    def answer(self, request: Request) -> Answer:
        return self.wanted


@pytest.fixture
def echo():
    with serving(Echo()) as service:
        yield service


@pytest.fixture
async def exchange(make_context, echo):
    async with make_context().client(echo.url) as client:
        yield Exchange(client, "Echo", seconds=60, repeatable=True)


async def test_only_the_connections_own_address_is_reached(exchange, echo):
    """What a library is talked into asking elsewhere meets the guard, as everything does."""
    fine = await exchange.send(httpx.Request("GET", f"{echo.url}/x"))
    with pytest.raises(AddressRefused):
        await exchange.send(httpx.Request("GET", "http://127.0.0.1:1/x"))

    assert {"fine": True} == fine.json()
    assert isinstance(exchange.failure, AddressRefused)
    assert exchange.failure is exchange.refused()


async def test_a_failure_that_a_library_got_over_is_forgotten(exchange, echo):
    """What is told is what went wrong last, not what the library swallowed and went on from."""
    with pytest.raises(AddressRefused):
        await exchange.send(httpx.Request("GET", "http://127.0.0.1:1/x"))
    echo.wanted = Answer({"error": "Text looks like spam"}, 422)
    await exchange.send(httpx.Request("POST", echo.url))

    assert "Echo did not accept this: Text looks like spam" == str(exchange.refused())


async def test_a_cancelled_step_leaves_no_thread_behind(exchange, echo):
    """A thread that waits for a service ends with the step, not with the time limit; nor does it ask again."""
    echo.faults = {"/slow": "slow"}
    ended = threading.Event()
    told: list[type] = []

    def work() -> None:
        for path in ("/slow", "/again"):
            try:
                exchange.send_from_thread(httpx.Request("GET", f"{echo.url}{path}"))
            except CancelledError as error:
                told.append(type(error))
        ended.set()

    task = asyncio.create_task(exchange.in_thread(work))
    while not echo.requests:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await asyncio.to_thread(ended.wait, 30)
    assert [CancelledError, CancelledError] == told
    assert ["/slow"] == [request.path for request in echo.requests]


async def test_compressed_answers_count_as_what_they_hold(exchange, echo):
    """A small answer that unpacks to a large one is cut off."""

    echo.wanted = Answer(gzip.compress(b" " * (5 << 20)), 200, {"Content-Encoding": "gzip"})
    with pytest.raises(ServiceFailed, match="more than 4 MB"):
        await exchange.send(httpx.Request("GET", echo.url))


@pytest.mark.parametrize(
    ("status", "value", "words", "retryable"),
    [
        (400, {"error": "no such thing"}, "did not accept this: no such thing", False),
        (401, {"error": "expired"}, "refused the login of the connection.*: expired", False),
        (403, {}, "does not allow", False),
        (404, {"message": "gone", "error": "NotFound"}, "does not know what was asked for: gone", False),
        (418, b"teapot", "answered 418: teapot", False),
        (422, {"error": ["a", "b"]}, "did not accept this.$", False),
        (429, {}, "fewer requests", True),
        (503, b"later", "answered 503: later", True),
    ],
)
async def test_a_status_is_told_in_words(exchange, echo, status, value, words, retryable):
    """Each failure has a sentence, the service's own words, and says whether to try again."""
    echo.wanted = Answer(value, status)
    await exchange.send(httpx.Request("GET", echo.url))

    failure = exchange.refused()
    with pytest.raises(ServiceFailed, match=words):
        raise failure
    assert (retryable, status) == (failure.retryable, failure.details["status"])


def test_a_failure_can_have_words_of_its_own():
    """A page of HTML is nobody's message."""
    assert "" == excerpt(httpx.Response(500, headers={"content-type": "text/html"}, text="<html>"))
    assert "x" * 200 == excerpt(httpx.Response(500, text="x" * 1000))


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (503, {"retry-after": "7"}, 7.0),
        (429, {"retry-after": "soon"}, None),
        (429, {}, None),
        (429, {"x-ratelimit-reset": "not a time"}, None),
        (429, {"x-ratelimit-reset": "2020-01-01T00:00:00Z"}, 0.0),
        (200, {"x-ratelimit-reset": "2999-01-01T00:00:00Z"}, None),
        (429, {"ratelimit-reset": "9" * 30}, None),
        (429, {"ratelimit-reset": "0"}, 0.0),
    ],
)
def test_the_pause_a_service_asks_for(status, headers, expected):
    """Seconds, or the moment when the limit ends; nothing that cannot be read."""
    assert expected == retry_after(httpx.Response(status, headers=headers))


def test_a_limit_that_ends_later_is_waited_for():
    """The moment is counted from now."""
    moment = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    assert 3500 < retry_after(httpx.Response(429, headers={"x-ratelimit-reset": moment})) <= 3600
