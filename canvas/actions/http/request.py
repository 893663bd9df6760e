"""`http/request`, and the test of its connections."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from canvas.actions.connections import connection_kind
from canvas.actions.context import ActionContext, Outside
from canvas.actions.http.addresses import address
from canvas.actions.http.arguments import Method, Request, Response
from canvas.actions.http.bodies import body_of
from canvas.actions.http.failures import (
    LoginRefused,
    NotAnAddress,
    NotSendable,
    UnexpectedStatus,
    where,
)
from canvas.actions.http.judging import expect_success, timed_out
from canvas.actions.http.login import Credentials, HttpService
from canvas.actions.http.paging import Gathered, Page, Pager
from canvas.actions.http.reading import ACCEPTED_ENCODINGS, Answer, BodyKind, value_of
from canvas.actions.http.sending import BUSY, Sender
from canvas.actions.registry import action
from canvas.domain.states import ActionPermission

TEST_SECONDS = 15.0
_SMALL_BYTES = 256 * 1024
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@action(
    "http/request",
    title="HTTP request",
    category="Web",
    icon="globe",
    idempotent=False,
    permissions=(ActionPermission.NETWORK, ActionPermission.CONNECTION),
    security="Private addresses are refused, by name, number or redirect, unless a setting allows them. A connection's "
    "secrets go to its own origin only. The answer is kept with the run.",
    repeatable=lambda args: args.is_repeatable,
    example=Request(method=Method.GET, url="https://example.com/health", timeout_seconds=10),
    example_result=Response(
        status=200,
        headers={"content-type": "application/json"},
        body={"status": "ok"},
        body_kind=BodyKind.JSON,
        url="https://example.com/health",
        elapsed_ms=12.5,
    ),
)
async def request(args: Request, context: ActionContext) -> Response:
    """Send an HTTP request and give the answer's status, headers and body; or all pages of a list.

    Fails when the status is not expected: 429 and 5xx may be tried again, other statuses not. A POST or PATCH of which
    nobody knows whether it arrived is not tried again unless that is said to be safe. Certificates are always checked.
    """
    started = time.monotonic()
    try:
        async with asyncio.timeout(args.timeout_seconds), _exchange(args, context) as (url, exchange):
            gathered = await exchange.gather(url)
    except TimeoutError:
        place = where(args.method, args.url)
        raise timed_out(place, args.timeout_seconds, is_repeatable=args.is_repeatable) from None
    return _response(args, gathered, (time.monotonic() - started) * 1000)


def _response(args: Request, gathered: Gathered, elapsed_ms: float) -> Response:
    page = gathered.last
    return Response(
        status=page.answer.status,
        headers=dict(page.answer.headers),
        body=page.body,
        body_kind=page.kind,
        url=str(page.answer.url.copy_with(username=None, password=None, query=None, fragment=None)),
        pages=gathered.pages,
        items=gathered.items if args.pages and args.pages.items else None,
        has_more=gathered.has_more,
        elapsed_ms=round(elapsed_ms, 3),
    )


@asynccontextmanager
async def _exchange(args: Request, context: ActionContext) -> AsyncIterator[tuple[httpx.URL, "_Exchange"]]:
    """Open the way out: the guarded client, or one that may also reach the connection's own address."""
    if not args.connection:
        yield address(args.url), _Exchange(args, context, context.http, None)
        return
    service = await context.connection(args.connection, HttpService)
    credentials = Credentials(service, context, context.secrets)
    url = _address_at(service, args.url)
    if not credentials.are_for(url):
        raise NotAnAddress(f"The connection `{args.connection}` is for {service.url}; this url is somewhere else.")
    async with context.client(service.url) as client:
        yield url, _Exchange(args, context, client, credentials)


class _Exchange:
    """One call: its requests, and how their answers are judged."""

    def __init__(
        self, args: Request, context: ActionContext, client: httpx.AsyncClient, credentials: Credentials | None
    ) -> None:
        self._args = args
        self._client = client
        self._left = args.max_bytes
        self._key = context.idempotency_key
        deadline = asyncio.get_running_loop().time() + args.timeout_seconds
        self._sender = Sender(
            client=client,
            credentials=credentials,
            follow_redirects=args.follow_redirects,
            retries=0 if BUSY.intersection(args.expect_status) else args.retries,
            is_repeatable=args.is_repeatable,
            deadline=deadline,
        )

    async def gather(self, url: httpx.URL) -> Gathered:
        if self._args.query:
            url = url.copy_merge_params(self._args.query)
        if self._args.pages:
            return await Pager(self._args.pages).gather(url, self._page)
        return Gathered(await self._page(url), pages=1)

    async def _page(self, url: httpx.URL) -> Page:
        place = where(self._args.method, url)
        answer = await self._sender.send(self._request(url), max_bytes=self._left)
        self._left -= len(answer.content)
        _judge(self._args, answer, place)
        wanted = self._args.answer.wanted
        if len(answer.content) <= _SMALL_BYTES:
            return Page(answer, *value_of(answer, wanted, place))
        return Page(answer, *await asyncio.to_thread(value_of, answer, wanted, place))  # the loop is everybody's

    def _request(self, url: httpx.URL) -> httpx.Request:
        args, body = self._args, body_of(self._args)
        headers = httpx.Headers({"Accept-Encoding": ACCEPTED_ENCODINGS, **body.pop("headers", {})})
        if not args.method.is_repeatable and not args.pages:  # the pages of a list are different requests
            headers["Idempotency-Key"] = self._key
        try:
            headers.update(args.headers)
            return self._client.build_request(args.method.value, url, headers=headers, **body)
        except ValueError:  # its text quotes the header
            raise NotSendable(f"{where(args.method, url)}: a header has characters that are not allowed.") from None


def _judge(args: Request, answer: Answer, place: str) -> None:
    if answer.status == 401 and args.connection and 401 not in args.expect_status:
        told = f"{place} answered 401: the connection `{args.connection}` is not accepted. Test it."
        raise LoginRefused(told, status=401)
    expect_success(answer, place, is_repeatable=args.is_repeatable, expected=args.expect_status)


def _address_at(service: HttpService, text: str) -> httpx.URL:
    return address(text if _ABSOLUTE.match(text) else f"{service.url}/{text.lstrip('/')}")


@connection_kind(
    "http",
    title="Web service",
    icon="globe",
    example={"url": "https://api.example.com/v2", "login": "bearer"},
)
async def check(service: HttpService, outside: Outside) -> str:
    """Get the service's address, or the test path below it, and tell what came back."""
    place = f"GET {service.url}"
    url = _address_at(service, service.test_path)
    async with outside.client(service.url) as client:
        sender = Sender(
            client=client,
            credentials=Credentials(service, outside, set()),
            follow_redirects=True,
            retries=0,
            is_repeatable=True,
            deadline=asyncio.get_running_loop().time() + TEST_SECONDS,
        )
        try:
            async with asyncio.timeout(TEST_SECONDS):
                headers = {"Accept-Encoding": ACCEPTED_ENCODINGS}
                answer = await sender.send(client.build_request("GET", url, headers=headers), max_bytes=1 << 20)
        except TimeoutError:
            raise timed_out(place, TEST_SECONDS, is_repeatable=True) from None
    if answer.status in (401, 403):
        raise LoginRefused(f"{place} answered {answer.status}: it does not accept these credentials.")
    if answer.status >= 400:
        raise UnexpectedStatus(f"{place} answered {answer.status}. Give a test path that answers with success.")
    return f"{service.url} answered {answer.status}."
