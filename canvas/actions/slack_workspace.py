"""Workspaces of Slack: the kind of connection that holds a bot or an incoming webhook, and the way to call either."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import Field, SecretStr, field_validator, model_validator

from canvas.actions.connections import Config, connection_kind
from canvas.actions.context import Outside
from canvas.actions.exchange import Exchange, retry_after
from canvas.actions.failures import ActionFailed

if TYPE_CHECKING:
    from urllib.request import Request

    from slack_sdk.web import WebClient
    from slack_sdk.webhook import WebhookClient

_log = logging.getLogger("canvas.actions.slack.library")
_log.propagate = False  # slack_sdk would log what it could not send, text and address included
_log.addHandler(logging.NullHandler())


class Slack(Config):
    """A workspace of Slack, reached as a bot (`token`) or through one channel's incoming webhook (`webhook_url`)."""

    token: SecretStr = Field(
        default=SecretStr(""), description="The bot's token, xoxb-…, with the scope chat:write. Or use a webhook."
    )
    webhook_url: SecretStr = Field(
        default=SecretStr(""),
        title="Webhook URL",
        description="An incoming webhook's address, https://hooks.slack.com/…; it always writes to its own channel.",
    )
    base_url: str = Field(
        default="https://slack.com/api/",
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
        title="Base URL",
        description="Where the Web API is; leave it, unless you use Slack's government cloud or a proxy.",
    )
    timeout_seconds: float = Field(default=30, gt=0, le=300, description="How long to wait for Slack's answer.")

    @field_validator("webhook_url")
    @classmethod
    def _is_an_address(cls, value: SecretStr) -> SecretStr:
        url = httpx.URL(text) if (text := value.get_secret_value()) else None
        if url is not None and not (url.scheme in ("http", "https") and url.host):
            raise ValueError("this is no web address")
        return value

    @model_validator(mode="after")
    def _has_one_way_in(self) -> "Slack":
        if bool(self.token.get_secret_value()) == bool(self.webhook_url.get_secret_value()):
            raise ValueError("give either a token or a webhook_url")
        return self

    @property
    def origin(self) -> str:
        """The address that requests go to."""
        return self.webhook_url.get_secret_value() or self.base_url


class SlackFailed(ActionFailed):
    """Slack did not take the message."""

    code = "slack_failed"


@connection_kind(
    "slack",
    title="Slack",
    icon="hash",
    example={"base_url": "https://slack.com/api/"},
)
async def check(config: Slack, outside: Outside) -> str:
    """Ask Slack who the token belongs to; for a webhook, whether there still is one, without writing anything."""
    async with outside.client(config.origin) as client:
        exchange = Exchange(client, "Slack", seconds=config.timeout_seconds, repeatable=True)
        if config.webhook_url.get_secret_value():
            await call_webhook(config, exchange, {"text": ""}, fine=("no_text", "invalid_payload"))
            return "The webhook is there."
        answer = await call(config, exchange, "auth.test", {})
    return f"Signed in as {answer.get('user')} in {answer.get('team')}."


async def call(config: Slack, exchange: Exchange, method: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Call a method of the Web API as the bot and give what it answers.

    Raises:
        ActionFailed: Slack refuses, or cannot be asked.
    """

    def work() -> Mapping[str, Any]:
        from slack_sdk.errors import SlackClientError

        try:
            answer = _web_client(config, exchange).api_call(method, json=dict(body))
        except SlackClientError:
            raise _failure(exchange) from None
        return answer.data if isinstance(answer.data, dict) else {}

    return await exchange.in_thread(work)


async def call_webhook(
    config: Slack, exchange: Exchange, body: Mapping[str, Any], *, fine: tuple[str, ...] = ("ok",)
) -> None:
    """Write through the incoming webhook.

    Args:
        fine: What Slack may answer.

    Raises:
        ActionFailed: it answers something else, or cannot be asked.
    """

    def work() -> str:
        return _webhook_client(config, exchange).send_dict(dict(body)).body.strip()

    if await exchange.in_thread(work) not in fine:
        raise _failure(exchange)


def _webhook_client(config: Slack, exchange: Exchange) -> "WebhookClient":
    from slack_sdk.webhook import WebhookClient, WebhookResponse

    class Client(WebhookClient):
        """Sends through the exchange."""

        def _perform_http_request_internal(self, url: str, req: "Request") -> WebhookResponse:
            answer = _forwarded(exchange, req)
            return WebhookResponse(
                url=url, status_code=answer.status_code, body=answer.text, headers=dict(answer.headers)
            )

    return Client(config.webhook_url.get_secret_value(), logger=_log, retry_handlers=[])


def _web_client(config: Slack, exchange: Exchange) -> "WebClient":
    from slack_sdk.web import WebClient  # takes long to import, and most processes never write to Slack

    class Client(WebClient):
        """Sends through the exchange."""

        def _perform_urllib_http_request_internal(self, url: str, req: "Request") -> dict[str, Any]:
            answer = _forwarded(exchange, req)
            return {"status": answer.status_code, "headers": answer.headers, "body": answer.text}

    base = config.base_url if config.base_url.endswith("/") else f"{config.base_url}/"
    return Client(token=config.token.get_secret_value(), base_url=base, logger=_log, retry_handlers=[])


def _forwarded(exchange: Exchange, request: "Request") -> httpx.Response:
    body = request.data if isinstance(request.data, bytes) else b""
    own = httpx.Request(request.get_method(), request.full_url, headers=dict(request.header_items()), content=body)
    return exchange.send_from_thread(own)


def _failure(exchange: Exchange) -> ActionFailed:
    """Say what Slack's code for a failure means."""
    answer = exchange.answer
    if exchange.failure is not None or answer is None:
        return exchange.refused()
    code = _code(answer)
    if answer.status_code >= 500 or not code:
        return exchange.refused()
    if answer.status_code == 429 or code in _BUSY:
        return SlackFailed(
            "Slack wants fewer messages.", retryable=True, retry_in=retry_after(answer), slack_error=code
        )
    sentence = _SENTENCES.get(code, "Slack did not take the message.")
    return SlackFailed(f"{sentence} ({code})", retryable=code in _PASSING, slack_error=code)


def _code(answer: httpx.Response) -> str:
    """Find the word by which Slack names what is wrong: in its JSON, or for webhooks as the whole answer."""
    try:
        told = answer.json()
    except ValueError:
        told = {"error": answer.text.strip()}
    code = told.get("error") if isinstance(told, dict) else None
    return code if isinstance(code, str) and len(code) < 80 and code.replace("_", "").isalnum() else ""


_LOGIN = "Slack does not accept the token of the connection: it is wrong, expired or withdrawn. Put a new one in."
_HOOK = "The webhook of the connection is no longer there. Make a new one in Slack and put it into the connection."
_BUSY = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_PASSING = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_SENTENCES = {
    "invalid_auth": _LOGIN,
    "not_authed": _LOGIN,
    "token_expired": _LOGIN,
    "token_revoked": _LOGIN,
    "account_inactive": _LOGIN,
    "invalid_token": _HOOK,
    "no_service": _HOOK,
    "no_active_hooks": _HOOK,
    "action_prohibited": "Slack's administrators do not allow this webhook to write.",
    "channel_not_found": "Slack knows no such channel, or it is a private one. Invite the bot there.",
    "not_in_channel": "The bot is no member of this channel. Invite it there: /invite @bot.",
    "is_archived": "This channel is archived.",
    "channel_is_archived": "This channel is archived.",
    "missing_scope": "The bot lacks the scope chat:write. Add it in Slack and install the app there again.",
    "restricted_action": "The workspace does not allow the bot to write in this channel.",
    "msg_too_long": "The text is too long for Slack.",
    "no_text": "Slack finds nothing to show in the message.",
    "invalid_blocks": "Slack does not understand the blocks. Try them in its Block Kit Builder.",
    "invalid_blocks_format": "Slack does not understand the blocks. Try them in its Block Kit Builder.",
    "invalid_payload": "Slack does not understand the message; look at its blocks.",
    "thread_not_found": "Slack knows no message with this `ts` in this channel.",
    "invalid_thread_ts": "Slack knows no message with this `ts` in this channel.",
    "cannot_reply_to_message": "This message cannot be answered in a thread.",
    "user_not_found": "Slack knows no such member.",
    "ekm_access_denied": "Slack's administrators have withdrawn access to this channel's messages.",
}  # fmt: skip
