"""Actions that speak HTTP."""

import asyncio
import time
from enum import StrEnum
from typing import Any

import httpx
import orjson
from pydantic import BaseModel, Field

from canvas.actions.context import ActionContext
from canvas.actions.failures import ActionFailed
from canvas.actions.registry import Arguments, Text, action
from canvas.domain.states import ActionPermission

MAX_ANSWER_BYTES = 10 * 1024 * 1024
EXCERPT = 200
CAREFUL = frozenset({429, 503})


class Method(StrEnum):
    """The method of a request."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"

    @property
    def is_repeatable(self) -> bool:
        """Whether the standard promises that twice does what once does."""
        return self not in (Method.POST, Method.PATCH)


class Request(Arguments):
    """One request."""

    method: Method = Field(default=Method.GET, description="What to do with the address.")
    url: str = Field(
        min_length=1, max_length=8_000, title="URL", description="The whole address, with http:// or https://."
    )
    headers: dict[str, Text] = Field(default_factory=dict, description="Header fields to send, by name.")
    query: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Added to the address after the question mark."
    )
    json_: Any = Field(default=None, alias="json", title="JSON", description="Sent as the body, as JSON.")
    body: Text = Field(default="", description="Sent as the body as it stands, when there is no JSON.")
    timeout_seconds: float = Field(default=30, gt=0, le=600, description="For the whole exchange, redirects included.")
    expect_status: list[int] = Field(
        default_factory=list, description="Statuses that count as success. Empty: any from 200 to 299."
    )


class Response(BaseModel):
    """What the other side answered."""

    status: int = Field(description="The status code.")
    headers: dict[str, str] = Field(description="Header fields, names in lower case.")
    body: Any = Field(description="JSON as values when the answer says it is JSON, else text.")
    elapsed_ms: float = Field(description="How long it took, in milliseconds.")


class RequestFailed(ActionFailed):
    """The request did not come through or was not answered as expected."""

    code = "http_failed"


@action(
    "http/request",
    title="HTTP request",
    category="Web",
    icon="globe",
    idempotent=False,
    permissions=(ActionPermission.NETWORK,),
    security="Private addresses are refused unless a setting allows them. The answer is kept with the run.",
    repeatable=lambda args: args.method.is_repeatable,
    example=Request(method=Method.GET, url="https://example.com/health", timeout_seconds=10),
    example_result=Response(
        status=200, headers={"content-type": "application/json"}, body={"status": "ok"}, elapsed_ms=12.5
    ),
)
async def request(args: Request, context: ActionContext) -> Response:
    """Send an HTTP request and give the answer's status, headers and body.

    Fails when the status is not expected: 429 and 5xx may be tried again, other statuses not. Private addresses are
    refused unless a setting allows them. At most 5 redirects and 10 MB of answer.
    """
    started = time.monotonic()
    try:
        async with asyncio.timeout(args.timeout_seconds):
            status, headers, content = await _exchange(args, context)
    except TimeoutError:
        raise RequestFailed(f"{_where(args)} took longer than {args.timeout_seconds:g} s.", retryable=True) from None
    except httpx.TooManyRedirects:
        raise RequestFailed(f"{_where(args)} redirects too often.") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise RequestFailed("The url is not an address with http:// or https://.") from None
    except (httpx.LocalProtocolError, ValueError):  # their text quotes the header, which may be a secret
        raise RequestFailed(f"{_where(args)} cannot be sent: a header has characters that are not allowed.") from None
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise RequestFailed(f"{_where(args)} did not come through: {reason}.", retryable=True) from None
    elapsed = (time.monotonic() - started) * 1000
    _judge(args, status, headers, content)
    return Response(status=status, headers=dict(headers), body=_read(headers, content), elapsed_ms=round(elapsed, 3))


async def _exchange(args: Request, context: ActionContext) -> tuple[int, httpx.Headers, bytes]:
    headers = httpx.Headers(args.headers)
    if not args.method.is_repeatable:
        headers.setdefault("Idempotency-Key", context.idempotency_key)
    content, kind = _body(args)
    if kind:
        headers.setdefault("Content-Type", kind)
    async with context.http.stream(
        args.method.value, args.url, headers=headers, params=_query(args), content=content, timeout=args.timeout_seconds
    ) as answer:
        read = bytearray()
        async for chunk in answer.aiter_bytes():
            read += chunk
            if len(read) > MAX_ANSWER_BYTES:
                raise RequestFailed(
                    f"{_where(args)} answered more than {MAX_ANSWER_BYTES >> 20} MB.", status=answer.status_code
                )
        return answer.status_code, answer.headers, bytes(read)


def _body(args: Request) -> tuple[bytes | None, str]:
    if args.json_ is not None:
        return orjson.dumps(args.json_), "application/json"
    return (args.body.encode(), "") if args.body else (None, "")


def _query(args: Request) -> httpx.QueryParams | None:
    return httpx.URL(args.url).params.merge(args.query) if args.query else None


def _judge(args: Request, status: int, headers: httpx.Headers, content: bytes) -> None:
    if status in args.expect_status or (not args.expect_status and 200 <= status < 300):
        return
    excerpt = content[:EXCERPT].decode(errors="replace").strip()
    raise RequestFailed(
        f"{_where(args)} answered {status}{': ' + excerpt if excerpt else ''}",
        retryable=status == 429 or status >= 500,
        retry_in=_retry_after(headers) if status in CAREFUL else None,
        status=status,
    )


def _retry_after(headers: httpx.Headers) -> float | None:
    text = headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _read(headers: httpx.Headers, content: bytes) -> Any:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            pass  # it says JSON and is not: the text is still worth having
    return httpx.Response(200, headers={"content-type": headers.get("content-type", "")}, content=content).text


def _where(args: Request) -> str:
    """Name the request without what may be secret in it: user, password and query."""
    url = httpx.URL(args.url).copy_with(username=None, password=None, query=None, fragment=None)
    return f"{args.method.value} {url}"
