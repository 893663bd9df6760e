"""All pages of a list by each of the ways that services have, and coming back when a busy one says so."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.actions.failures import ActionFailed
from canvas.actions.http import HttpService, sending
from canvas.actions.http.paging import PagingFailed
from canvas.actions.http.sending import retry_after
from canvas.actions.registry import InvalidArguments, registry
from tests.actions.web import web

ORDERS = list(range(10))
PAGED = {
    "link": {},
    "next_url": {"next": "response.body.next"},
    "cursor": {"next": "response.body.cursor", "parameter": "after"},
    "page": {"parameter": "page"},
    "offset": {"parameter": "offset"},
}


async def call(context, **arguments):
    return await registry()["http/request"].call({"timeout_seconds": 20, **arguments}, context)


@pytest.fixture
def anywhere(make_context):
    """A context that may reach every private address."""
    return make_context(http_allow_private=True)


def orders(talk):
    """Three orders a page, in all five ways at once."""
    query = talk.seen.query
    at = int(query.get("offset") or query.get("after") or 3 * (int(query.get("page", 1)) - 1))
    following = at + 3 if at + 3 < len(ORDERS) else None
    body = {"items": ORDERS[at : at + 3], "cursor": following, "next": following and f"/orders?after={following}"}
    more = {"link": f'</orders?after={following}>; rel="next", </>; rel="first"'} if following else {}
    talk.reply(200, body, **more)


@pytest.mark.parametrize("by", PAGED)
async def test_every_page_is_read_and_its_items_gathered(anywhere, by):
    """In order, without a gap or a repetition; the rest of the query stays."""
    with web(orders) as service:
        pages = {"by": by, "items": "response.body.items", **PAGED[by]}
        answer = await call(anywhere, url=f"{service.url}/orders", query={"size": 3}, pages=pages)

    assert (ORDERS, False) == (answer["items"], answer["has_more"])
    assert answer["pages"] == len(service.arrived)
    assert "3" == service.arrived[0].query["size"]


@pytest.mark.parametrize("by", PAGED)
@pytest.mark.parametrize("limit", [{"max_pages": 2}, {"max_items": 5}])
async def test_limits_end_it_and_say_so(anywhere, by, limit):
    """Pages and items are bounded; what was left out is not hidden."""
    with web(orders) as service:
        pages = {"by": by, "items": "response.body.items", **PAGED[by], **limit}
        answer = await call(anywhere, url=f"{service.url}/orders", pages=pages)

    assert 2 == len(service.arrived)
    assert (ORDERS[: 6 if "max_pages" in limit else 5], True) == (answer["items"], answer["has_more"])


async def test_bytes_are_counted_over_all_pages(anywhere):
    """Many small pages are no way round the limit."""
    body = {"items": ["x" * 400], "next": "?more"}

    def answer(talk):
        body["next"] += "1"
        talk.reply(200, body)

    pages = {"by": "next_url", "next": "response.body.next", "max_pages": 100}
    with web(answer) as service, pytest.raises(ActionFailed) as caught:
        await call(anywhere, url=service.url, pages=pages, max_bytes=2000)

    assert ("http_too_large", 5) == (caught.value.code, len(service.arrived))


@pytest.mark.parametrize(
    ("pages", "body"),
    [
        ({"by": "next_url", "next": "response.body.next"}, {"next": "/"}),
        ({"by": "cursor", "next": "response.body.next", "parameter": "c"}, {"next": "same"}),
        ({"by": "next_url", "next": "response.body.next"}, {"next": "http://[::1"}),
        ({"by": "next_url", "next": "response.body.next"}, {"next": 5}),
        ({"by": "next_url", "next": "response.body.nowhere"}, {}),
        ({"by": "next_url", "next": "response.body.("}, {}),
        ({"by": "cursor", "next": "response.body.next", "parameter": "c"}, {"next": ["x"]}),
        ({"by": "link", "items": "response.body.next"}, {"next": "no list"}),
    ],
)
async def test_pages_that_make_no_sense_are_a_failure(anywhere, pages, body):
    """Circles, addresses that are none, expressions that do not fit the answer."""
    with web(lambda talk: talk.reply(200, body)) as service, pytest.raises(PagingFailed) as caught:
        await call(anywhere, url=f"{service.url}/", pages=pages)

    assert not caught.value.retryable
    assert len(service.arrived) <= 2


@pytest.mark.parametrize(
    "pages", [{"by": "next_url"}, {"by": "cursor", "next": "x"}, {"by": "page", "parameter": "p"}, {"by": "nonsense"}]
)
async def test_what_paging_needs_is_asked_for(anywhere, pages):
    """Before anything is sent, naming what is missing."""
    with pytest.raises(InvalidArguments, match="pages"):
        await call(anywhere, url="http://127.0.0.1:1/", pages=pages)


async def test_a_next_page_elsewhere_gets_no_credentials(make_context):
    """A service that names another host as its next page does not hand over the secret."""
    with (
        web(lambda talk: talk.reply(200, {"next": None})) as other,
        web(lambda talk: talk.reply(200, {"next": f"{other.url}/page"})) as service,
    ):
        api = HttpService(url=service.url, login="bearer", token="s3cr3t")
        context = make_context({"api": api}, http_allowed_origins=f"127.0.0.1:{other.server_port}")
        pages = {"by": "next_url", "next": "response.body.next"}
        assert 2 == (await call(context, url="/", connection="api", pages=pages))["pages"]

    assert "authorization" not in other.arrived[0].headers


async def test_a_busy_service_is_asked_again_when_it_says(anywhere, monkeypatch):
    """As often as allowed, waiting as long as asked, with the same request."""
    waited = []

    async def note(seconds):
        waited.append(seconds)

    monkeypatch.setattr(sending, "pause", note)
    answers = iter([(429, "3"), (503, "4"), (200, "")])

    def answer(talk):
        status, after = next(answers)
        talk.reply(status, "done", **({"retry_after": after} if after else {}))

    with web(answer) as service:
        given = await call(anywhere, url=service.url, method="POST", json={"a": 1}, query={"b": 2})

    assert ([3.0, 4.0], "done") == (waited, given["body"])
    assert 1 == len({(each.body, str(each.query), each.headers["idempotency-key"]) for each in service.arrived})


@pytest.mark.parametrize(
    ("status", "headers", "retries", "asked"),
    [
        (429, {"retry_after": "0"}, 3, 4),
        (429, {"retry_after": "0"}, 0, 1),
        (429, {}, 3, 1),
        (500, {"retry_after": "0"}, 3, 1),
    ],
)
async def test_nobody_is_asked_again_unasked(anywhere, status, headers, retries, asked):
    """Only 429 and 503 with Retry-After; everything else is for the step's own policy."""
    with web(lambda talk: talk.reply(status, None, **headers)) as service, pytest.raises(ActionFailed) as caught:
        await call(anywhere, url=service.url, retries=retries)

    assert (asked, True) == (len(service.arrived), caught.value.retryable)


async def test_a_busy_service_that_is_expected_is_an_answer(anywhere):
    """Whoever branches on 429 wants to know at once."""
    with web(lambda talk: talk.reply(429, None, retry_after="0")) as service:
        answer = await call(anywhere, url=service.url, expect_status=[200, 429])

    assert (429, 1) == (answer["status"], len(service.arrived))


@given(st.integers(0, 10**6), st.integers(946_684_800, 4_102_444_800))
def test_a_moment_is_measured_by_the_clock_of_the_service(seconds, now):
    """Its clock may be wrong by years."""
    date = datetime.fromtimestamp(now, UTC)
    headers = {"retry-after": format_datetime(date + timedelta(seconds=seconds), usegmt=True)}

    assert seconds == retry_after(httpx.Headers({**headers, "date": format_datetime(date, usegmt=True)}))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("Fri, 01 Jan 1999 00:00:00 GMT", 0.0),
        ("9" * 400, 999999999),
    ],
)
def test_only_a_number_or_a_moment_counts(text, seconds):
    """What is past means now; what cannot be read means nothing."""
    assert seconds == retry_after(httpx.Headers({"retry-after": text}))
