"""Telling another system that something happened: webhooks, signed as the Standard Webhooks specification says."""

import asyncio
import time
from base64 import b64decode
from binascii import Error
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import httpx
import orjson
from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator
from standardwebhooks import Webhook

from canvas.actions.connections import Config, connection_field, connection_kind
from canvas.actions.context import ActionContext, Outside
from canvas.actions.http.addresses import address, origin_of, web_address
from canvas.actions.http.arguments import Headers
from canvas.actions.http.failures import NotAnAddress, NotSendable, where
from canvas.actions.http.judging import expect_success, timed_out
from canvas.actions.http.reading import ACCEPTED_ENCODINGS, Answer, value_of
from canvas.actions.http.sending import Sender
from canvas.actions.registry import Arguments, action
from canvas.domain.states import ActionPermission

MAX_ANSWER_BYTES = 1024 * 1024
TEST_SECONDS = 15.0
_SECRET_BYTES = range(16, 129)


class Method(StrEnum):
    """How a webhook is called."""

    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    GET = "GET"


class WebhookReceiver(Config):
    """A system that takes signed webhooks. The secret signs and is never sent."""

    url: str = Field(
        min_length=1, max_length=2_000, title="Address", description="Where the webhooks go; may be private."
    )
    secret: SecretStr = Field(
        title="Signing secret", description="As the receiver shows it: whsec_ and base64, of 16 bytes or more."
    )

    _url = field_validator("url")(web_address)

    @field_validator("secret")
    @classmethod
    def _can_sign(cls, secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value().strip().removeprefix("whsec_")
        try:
            key = b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (Error, ValueError):
            key = b""
        if len(key) not in _SECRET_BYTES:
            raise ValueError("this is no signing secret: whsec_ and base64 of 16 to 128 bytes")
        return SecretStr(f"whsec_{text}")


class Send(Arguments):
    """One webhook."""

    connection: str | None = connection_field(
        "webhook", description="Where it goes and what signs it. Empty: an unsigned webhook to `url`.", required=False
    )
    url: str = Field(
        default="",
        max_length=8_000,
        title="URL",
        description="Where it goes, when not to the connection's own address; with a connection, on the same origin.",
    )
    method: Method = Field(default=Method.POST, description="How it is sent; POST is what receivers expect.")
    type: str = Field(
        default="",
        max_length=200,
        description="What happened, such as order.shipped. Given, the body is the data of an event of this type, sent "
        "with the moment; empty, the body is sent as it is.",
    )
    body: Any = Field(default=None, description="What there is to tell; sent as JSON.")
    headers: Headers = Field(default_factory=dict, description="Header fields to send besides, by name.")
    timeout_seconds: float = Field(default=15, gt=0, le=240, description="For the whole exchange, retries included.")
    retries: int = Field(
        default=2, ge=0, le=10, description="How often to call again within this attempt when Retry-After asks for it."
    )

    @property
    def is_repeatable(self) -> bool:
        """Whether the receiver knows a repetition: by its id when it is signed, else by the method's nature."""
        return bool(self.connection) or self.method not in (Method.POST, Method.PATCH)

    @model_validator(mode="after")
    def _goes_somewhere(self) -> "Send":
        if not self.connection and not self.url:
            raise ValueError("give a connection or a url")
        return self


class Sent(BaseModel):
    """What became of it."""

    status: int = Field(description="The status code of the answer.")
    webhook_id: str = Field(title="Webhook id", description="Names it for the receiver; the same for every attempt.")
    is_signed: bool = Field(title="Signed", description="Whether the receiver could check who sent it.")
    body: Any = Field(description="What the receiver answered: JSON as values, else text.")
    elapsed_ms: float = Field(title="Elapsed ms", description="How long it took, in milliseconds.")


@action(
    "webhook/send",
    title="Send a webhook",
    category="Web",
    icon="webhook",
    idempotent=False,
    permissions=(ActionPermission.NETWORK, ActionPermission.CONNECTION),
    security="The signing secret is never sent. Redirects are not followed, and private addresses are refused unless "
    "the connection names them or a setting allows them.",
    aliases=("TRIGGER_WEBHOOK",),
    repeatable=lambda args: args.is_repeatable,
    example=Send(connection="warehouse", type="order.shipped", body={"order": 4711, "parcels": 2}),
    example_result=Sent(status=204, webhook_id="msg_2f6a1d0c9b8e7f60", is_signed=True, body=None, elapsed_ms=35.2),
)
async def send(args: Send, context: ActionContext) -> Sent:
    """Tell another system that something happened, signed with the secret it shares with the connection.

    The headers webhook-id, webhook-timestamp and webhook-signature are those of Standard Webhooks. The id stays the
    same when a step is tried again, so a receiver that follows the standard takes it once. Any answer from 200 to 299
    is success; 429 and 5xx may be tried again, other statuses and redirects not.
    """
    started = time.monotonic()
    message_id = f"msg_{blake2b(context.idempotency_key.encode(), digest_size=16).hexdigest()}"
    receiver = await context.connection(args.connection, WebhookReceiver) if args.connection else None
    url = _where_to(args, receiver)
    place = where(args.method, url)
    answer = await _call(args, context, receiver, url, message_id)
    expect_success(answer, place, is_repeatable=args.is_repeatable)
    return Sent(
        status=answer.status,
        webhook_id=message_id,
        is_signed=receiver is not None,
        body=value_of(answer, None, place)[1],
        elapsed_ms=round((time.monotonic() - started) * 1000, 3),
    )


def _where_to(args: Send, receiver: WebhookReceiver | None) -> httpx.URL:
    url = address(args.url or (receiver.url if receiver else ""))
    if receiver and origin_of(url) != origin_of(receiver.url):
        raise NotAnAddress(f"The connection `{args.connection}` is for {receiver.url}; this url is somewhere else.")
    return url


async def _call(
    args: Send, context: ActionContext, receiver: WebhookReceiver | None, url: httpx.URL, message_id: str
) -> Answer:
    try:
        async with asyncio.timeout(args.timeout_seconds), _client(context, receiver) as client:
            request = _request(client, args.method, url, _body(args), args.headers)
            _sign(request, message_id, receiver)
            return await _sender(client, args).send(request, max_bytes=MAX_ANSWER_BYTES)
    except TimeoutError:
        place = where(args.method, url)
        raise timed_out(place, args.timeout_seconds, is_repeatable=args.is_repeatable) from None


@asynccontextmanager
async def _client(outside: Outside, receiver: WebhookReceiver | None) -> AsyncIterator[httpx.AsyncClient]:
    if receiver is None:
        yield outside.http
        return
    async with outside.client(receiver.url) as client:
        yield client


def _sender(client: httpx.AsyncClient, args: Send) -> Sender:
    return Sender(
        client=client,
        credentials=None,
        follow_redirects=False,  # a signed message is for whom it was signed
        retries=args.retries,
        is_repeatable=args.is_repeatable,
        deadline=asyncio.get_running_loop().time() + args.timeout_seconds,
    )


def _body(args: Send) -> bytes:
    if args.type:
        return orjson.dumps({"type": args.type, "timestamp": datetime.now(UTC).isoformat(), "data": args.body})
    return b"" if args.body is None else orjson.dumps(args.body)


def _request(
    client: httpx.AsyncClient, method: Method, url: httpx.URL, body: bytes, headers: dict[str, str]
) -> httpx.Request:
    own = {"Accept-Encoding": ACCEPTED_ENCODINGS, **({"Content-Type": "application/json"} if body else {})}
    try:
        return client.build_request(method.value, url, content=body, headers={**own, **headers})
    except ValueError:  # its text quotes the header
        raise NotSendable(f"{where(method, url)}: a header has characters that are not allowed.") from None


def _sign(request: httpx.Request, message_id: str, receiver: WebhookReceiver | None) -> None:
    now = datetime.now(UTC)
    request.headers["webhook-id"] = message_id
    request.headers["webhook-timestamp"] = str(int(now.timestamp()))
    if receiver is not None:
        signature = Webhook(receiver.secret.get_secret_value()).sign(message_id, now, request.content.decode())
        request.headers["webhook-signature"] = signature


@connection_kind(
    "webhook", title="Webhook receiver", icon="webhook", example={"url": "https://warehouse.example.com/hooks/orders"}
)
async def check(receiver: WebhookReceiver, outside: Outside) -> str:
    """Send a signed event of the type `canvas.test` and tell what came back."""
    args = Send(url=receiver.url, type="canvas.test", body={"message": "A test from Canvas."}, retries=0)
    place = where(args.method, receiver.url)
    try:
        async with asyncio.timeout(TEST_SECONDS), _client(outside, receiver) as client:
            request = _request(client, args.method, address(receiver.url), _body(args), {})
            _sign(request, f"msg_test_{time.time_ns()}", receiver)
            answer = await _sender(client, args).send(request, max_bytes=MAX_ANSWER_BYTES)
    except TimeoutError:
        raise timed_out(place, TEST_SECONDS, is_repeatable=True) from None
    expect_success(answer, place, is_repeatable=True)
    return f"{receiver.url} took a signed test event and answered {answer.status}."
