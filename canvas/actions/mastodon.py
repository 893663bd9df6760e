"""Mastodon, and what speaks its API: the kind of connection that holds an account, and posting through it."""

import asyncio
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from pydantic import Field, SecretStr, field_validator

from canvas.actions.connections import Config, connection_kind
from canvas.actions.context import ActionContext, Outside
from canvas.actions.exchange import Exchange
from canvas.actions.failures import ActionFailed
from canvas.actions.posts import Draft, NotOffered, Picture, Posted, SocialFailed, TooLong, Visibility, graphemes

if TYPE_CHECKING:
    import mastodon
    import requests

LEAST_AHEAD = timedelta(minutes=5)
PROCESSING_SECONDS = 60.0
PROCESSING_PAUSE = 0.5
_URL = re.compile(r"https?://[^\s<>\"]+")
_REMOTE_MENTION = re.compile(r"(?<![\w/])(@\w+)@[\w.-]+\w")
_WORDS = {Visibility.FOLLOWERS: "private"}
Result = TypeVar("Result")


class MastodonAccount(Config):
    """An account on a Mastodon server, or on another that speaks its API."""

    base_url: str = Field(
        pattern=r"^https?://[^\s/?#@]+/?$", title="Server", description="The server, such as https://mastodon.social."
    )
    token: SecretStr = Field(
        description="An access token with write:statuses, write:media and read; made under Preferences, Development."
    )
    timeout_seconds: float = Field(default=30, gt=0, le=300, description="How long to wait for each answer.")

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[\w.~+=-]+", value.get_secret_value()):  # the library would read a file of that name
            raise ValueError("a token is one word of letters and digits")
        return value


@connection_kind(
    "mastodon", title="Mastodon account", icon="megaphone", example={"base_url": "https://mastodon.social"}
)
async def check(config: MastodonAccount, outside: Outside) -> str:
    """Ask the server who the token belongs to."""
    async with outside.client(config.base_url) as client:
        account = await _Server(config, client).ask(lambda api: api.account_verify_credentials())
    return f"Signed in as @{account.acct} on {httpx.URL(config.base_url).host}."


async def publish(config: MastodonAccount, draft: Draft, context: ActionContext) -> Posted:
    """Put a post onto the server, now or into its own schedule.

    The server takes a post with the same idempotency key once within an hour.

    Raises:
        TooLong, NotOffered, SocialFailed: it does not fit this server.
        ActionFailed: the server refuses, or cannot be asked.
    """
    if draft.at is not None and draft.at - datetime.now(UTC) < LEAST_AHEAD:
        raise NotOffered("Mastodon schedules at least 5 minutes ahead. For less, put a wait step before social/post.")
    async with context.client(config.base_url) as client:
        server = _Server(config, client)
        original = await server.original(draft.answers) if draft.answers else None
        text = _addressed(draft.text, original)
        await server.check_limits(draft, text)
        media = [await server.upload(picture) for picture in draft.pictures]
        status = await server.ask(
            lambda api: api.status_post(
                text,
                in_reply_to_id=original.id if original else None,
                media_ids=media or None,
                visibility=_visibility(draft, original),
                spoiler_text=draft.warning or None,
                language=draft.language or None,
                idempotency_key=context.idempotency_key,
                scheduled_at=draft.at,
            )
        )
    url = str(status.get("url") or status.get("uri") or "")
    return Posted(platform="mastodon", id=str(status.id), url=url, scheduled_at=draft.at)


def counted_length(text: str, *, per_url: int) -> int:
    """Count characters as Mastodon does: a link counts as `per_url`, the server of somebody mentioned not at all."""
    return len(graphemes(_REMOTE_MENTION.sub(r"\1", _URL.sub("x" * per_url, text))))


def _visibility(draft: Draft, original: Any) -> str | None:
    if draft.visibility is Visibility.AUTO:
        return str(original.visibility) if original else None
    return _WORDS.get(draft.visibility, draft.visibility.value)


def _addressed(text: str, original: Any) -> str:
    """Mention whom a post answers: Mastodon tells nobody else that there is an answer."""
    if original is None or f"@{original.account.acct}".lower() in text.lower():
        return text
    return f"@{original.account.acct} {text}"


class _Server:
    """One conversation with a server, in the words of its library."""

    def __init__(self, config: MastodonAccount, client: httpx.AsyncClient) -> None:
        self._exchange = Exchange(client, "Mastodon", seconds=config.timeout_seconds, repeatable=True)
        self._config = config
        self._api: mastodon.Mastodon | None = None

    async def ask(self, question: "Callable[[mastodon.Mastodon], Result]") -> Result:
        """Call the library in a thread; what it raises becomes a failure that people can act on."""

        def work() -> Result:
            from mastodon.errors import MastodonError

            try:
                return question(self._library())
            except MastodonError:
                raise self._exchange.refused() from None

        return await self._exchange.in_thread(work)

    async def check_limits(self, draft: Draft, text: str) -> None:
        """Compare a post with what the server allows."""
        told = await self._limits()
        statuses = told.get("statuses") or {}
        longest = int(statuses.get("max_characters") or 500)
        length = counted_length(text + draft.warning, per_url=int(statuses.get("characters_reserved_per_url") or 23))
        if length > longest:
            raise TooLong(f"The text has {length} characters; this Mastodon server takes at most {longest}.")
        most = int(statuses.get("max_media_attachments") or 4)
        if len(draft.pictures) > most:
            raise SocialFailed(f"This Mastodon server takes at most {most} files with a post.")
        kinds = (told.get("media_attachments") or {}).get("supported_mime_types")
        for picture in draft.pictures:
            if kinds and picture.media_type not in kinds:
                raise SocialFailed(f"This Mastodon server takes no files of kind {picture.media_type}.")

    async def original(self, wanted: str) -> Any:
        """Find the post that is answered, by its id here or its address anywhere."""
        if not wanted.startswith(("http://", "https://")):
            return await self.ask(lambda api: api.status(wanted))
        found = await self.ask(lambda api: api.search_v2(wanted, result_type="statuses", resolve=True))
        if not found.statuses:
            raise SocialFailed(f"Mastodon finds no post at {wanted[:200]}.")
        return found.statuses[0]

    async def upload(self, picture: Picture) -> Any:
        """Hand over a file and wait until the server has worked through it."""
        media = await self.ask(
            lambda api: api.media_post(picture.content, mime_type=picture.media_type, description=picture.alt or None)
        )
        media_id = media.id
        try:
            async with asyncio.timeout(PROCESSING_SECONDS):
                while not media.get("url"):
                    await asyncio.sleep(PROCESSING_PAUSE)
                    media = await self.ask(lambda api: api.media(media_id))
        except TimeoutError:
            told = f"Mastodon was not done with a file within {PROCESSING_SECONDS:g} s."
            raise SocialFailed(told, retryable=True) from None
        return media_id

    async def _limits(self) -> Any:
        try:
            return (await self.ask(lambda api: api.instance_v2())).get("configuration") or {}
        except ActionFailed as failure:
            if failure.details.get("status") != 404:
                raise
            return {}  # servers that only speak the API tell nothing about themselves

    def _library(self) -> "mastodon.Mastodon":
        if self._api is None:
            import mastodon  # takes long to import, and most processes never post

            self._api = mastodon.Mastodon(
                access_token=self._config.token.get_secret_value(),
                api_base_url=self._config.base_url,
                session=_session(self._exchange),
                ratelimit_method="throw",
                version_check_mode="none",
                request_timeout=self._config.timeout_seconds,
            )
        return self._api


def _session(exchange: Exchange) -> "requests.Session":
    """Make a session for the library whose every request is an exchange."""
    import requests
    from requests.adapters import BaseAdapter

    class Adapter(BaseAdapter):
        """Sends through the exchange."""

        def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
            body = request.body.encode() if isinstance(request.body, str) else request.body
            own = httpx.Request(
                request.method or "GET", request.url or "", headers=dict(request.headers), content=body or b""
            )
            return _as_requests(request, exchange.send_from_thread(own))

        def close(self) -> None:
            """The client belongs to whoever made it."""

    session = requests.Session()
    session.trust_env = False
    session.mount("http://", Adapter())
    session.mount("https://", Adapter())
    return session


def _as_requests(request: "requests.PreparedRequest", answer: httpx.Response) -> "requests.Response":
    import requests

    response = requests.Response()
    response.status_code = answer.status_code
    response.headers.update(answer.headers)
    response.raw = io.BytesIO(answer.content)
    response.url = request.url or ""
    response.request = request
    response.encoding = "utf-8"
    response.reason = answer.reason_phrase
    return response
