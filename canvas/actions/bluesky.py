"""Bluesky, and other servers of its protocol: the kind of connection that holds an account, and posting through it."""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from pydantic import Field, SecretStr
from ulid import ULID

from canvas.actions.connections import Config, connection_kind
from canvas.actions.context import ActionContext, Outside
from canvas.actions.exchange import Exchange, ExchangeTransport
from canvas.actions.failures import ActionFailed
from canvas.actions.posts import Draft, NotOffered, Posted, SocialFailed, TooLong, Visibility, graphemes

if TYPE_CHECKING:
    from atproto_client import AsyncClient
    from atproto_client.request import AsyncRequest

MAX_GRAPHEMES = 300
MAX_BYTES = 3_000
MAX_PICTURES = 4
MAX_PICTURE_BYTES = 1_000_000
POSTS = "app.bsky.feed.post"
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"
_sessions: dict[str, str] = {}
"Logins that still hold, by account: the network allows few new ones a day."
Result = TypeVar("Result")


class BlueskyAccount(Config):
    """An account on Bluesky, or on another server of its protocol."""

    service_url: str = Field(
        default="https://bsky.social",
        pattern=r"^https?://[^\s/?#@]+/?$",
        title="Server",
        description="Where the account is; leave it, unless you have a server of your own.",
    )
    handle: str = Field(
        min_length=3, max_length=253, pattern=r"^@?[\w.-]+$", description="The account, such as canvas.bsky.social."
    )
    app_password: SecretStr = Field(description="An app password, made under Settings, Privacy and security.")
    timeout_seconds: float = Field(default=30, gt=0, le=300, description="How long to wait for each answer.")


@connection_kind("bluesky", title="Bluesky account", icon="cloud", example={"handle": "canvas.bsky.social"})
async def check(config: BlueskyAccount, outside: Outside) -> str:
    """Log in anew."""

    async def name(api: "AsyncClient", did: str) -> str:
        return f"Signed in as {config.handle.removeprefix('@')} ({did})."

    _sessions.pop(_account_key(config), None)
    async with outside.client(config.service_url) as client:
        return await _signed_in(config, _exchange(config, client), name)


async def publish(config: BlueskyAccount, draft: Draft, context: ActionContext) -> Posted:
    """Put a post onto the network; doing it again for the same step of a run finds the one that is there.

    Raises:
        TooLong, NotOffered, SocialFailed: it does not fit the network.
        ActionFailed: the network refuses, or cannot be asked.
    """
    check_fits(draft)

    async def work(api: "AsyncClient", did: str) -> Posted:
        return await _post(api, did, draft, context)

    async with context.client(config.service_url) as client:
        return await _signed_in(config, _exchange(config, client), work)


def check_fits(draft: Draft) -> None:
    """Compare a post with what the network offers.

    Raises:
        TooLong, NotOffered, SocialFailed: it does not fit.
    """
    if draft.at is not None:
        raise NotOffered("Bluesky keeps no posts for later. Put a wait step before social/post instead.")
    if draft.visibility not in (Visibility.AUTO, Visibility.PUBLIC):
        raise NotOffered(f"On Bluesky every post is public; it cannot be {draft.visibility}.")
    if draft.warning:
        raise NotOffered("Bluesky has no content warnings in words of one's own. Write it into the text instead.")
    length = len(graphemes(draft.text))
    if length > MAX_GRAPHEMES or len(draft.text.encode()) > MAX_BYTES:
        raise TooLong(f"The text has {length} characters; Bluesky takes at most {MAX_GRAPHEMES}.")
    if len(draft.pictures) > MAX_PICTURES:
        raise SocialFailed(f"Bluesky takes at most {MAX_PICTURES} pictures with a post.")
    for picture in draft.pictures:
        if not picture.media_type.startswith("image/"):
            raise NotOffered("Only pictures can go along to Bluesky, no videos and sounds.")
        if len(picture.content) > MAX_PICTURE_BYTES:
            size = f"{len(picture.content) // 1000:,} kB"
            raise SocialFailed(f"A picture has {size}; Bluesky takes at most {MAX_PICTURE_BYTES // 1000:,} kB.")


def record_key(run_id: str, idempotency_key: str) -> str:
    """Derive the name of a post from what it is for, in the form that the network demands (a TID).

    Its time is up to 72 minutes before the run began, so that the posts of one run have different ones.
    """
    digest = int.from_bytes(sha256(idempotency_key.encode()).digest()[:6], "big")
    micros = ULID.from_str(run_id).milliseconds * 1000 - (digest >> 16)
    number = (micros << 10) | (digest & 0x3FF)
    return "".join(_SORTABLE[number >> shift & 31] for shift in range(60, -1, -5))


async def _post(api: "AsyncClient", did: str, draft: Draft, context: ActionContext) -> Posted:
    from atproto_client import models

    key = record_key(context.run_id, context.idempotency_key)
    uri = f"at://{did}/{POSTS}/{key}"
    url = f"https://bsky.app/profile/{did}/post/{key}"
    posted = Posted(platform="bluesky", id=uri, url=url)
    if await _is_there(api, did, key, draft.text):
        return posted
    images = [await _image(api, picture.content, picture.alt) for picture in draft.pictures]
    record = models.AppBskyFeedPost.Record(
        created_at=api.get_current_time_iso(),
        text=draft.text,
        facets=await api.detect_facets(draft.text) or None,
        embed=models.AppBskyEmbedImages.Main(images=images) if images else None,
        langs=[draft.language] if draft.language else None,
        reply=await _answering(api, draft.answers) if draft.answers else None,
    )
    data = models.ComAtprotoRepoCreateRecord.Data(
        repo=did, collection=POSTS, rkey=key, record=models.get_model_as_dict(record)
    )
    await api.com.atproto.repo.create_record(data)
    return posted


async def _is_there(api: "AsyncClient", did: str, key: str, text: str) -> bool:
    from atproto_client import models
    from atproto_client.exceptions import BadRequestError

    try:
        wanted = models.ComAtprotoRepoGetRecord.Params(repo=did, collection=POSTS, rkey=key)
        found = await api.com.atproto.repo.get_record(wanted)
    except BadRequestError as error:
        if getattr(getattr(error.response, "content", None), "error", "") == "RecordNotFound":
            return False
        raise
    if getattr(found.value, "text", None) != text:
        raise SocialFailed("There is another post under the name that this step's post would have. Start a new run.")
    return True


async def _image(api: "AsyncClient", content: bytes, alt: str) -> Any:
    from atproto_client import models

    upload = await api.upload_blob(content)
    return models.AppBskyEmbedImages.Image(alt=alt, image=upload.blob)


async def _answering(api: "AsyncClient", wanted: str) -> Any:
    from atproto_client import models

    found = (await api.get_posts([await _uri(api, wanted)])).posts
    if not found:
        raise SocialFailed(f"Bluesky finds no post {wanted[:200]}.")
    parent = models.ComAtprotoRepoStrongRef.Main(cid=found[0].cid, uri=found[0].uri)
    above = getattr(found[0].record, "reply", None)
    return models.AppBskyFeedPost.ReplyRef(root=above.root if above else parent, parent=parent)


async def _uri(api: "AsyncClient", wanted: str) -> str:
    """Read the address of a post as the network writes it, or as a browser shows it."""
    if wanted.startswith("at://"):
        return wanted
    parts = httpx.URL(wanted).path.strip("/").split("/") if wanted.startswith("https://") else []
    if len(parts) != 4 or (parts[0], parts[2]) != ("profile", "post"):
        raise SocialFailed("A post on Bluesky is named at://… or https://bsky.app/profile/…/post/….")
    owner = parts[1] if parts[1].startswith("did:") else (await api.resolve_handle(parts[1])).did
    return f"at://{owner}/{POSTS}/{parts[3]}"


def _exchange(config: BlueskyAccount, client: httpx.AsyncClient) -> Exchange:
    return Exchange(client, "Bluesky", seconds=config.timeout_seconds, repeatable=True)


def _account_key(config: BlueskyAccount) -> str:
    secret = config.app_password.get_secret_value()
    return sha256("\0".join([config.service_url, config.handle, secret]).encode()).hexdigest()


async def _signed_in(
    config: BlueskyAccount, exchange: Exchange, work: "Callable[[AsyncClient, str], Awaitable[Result]]"
) -> Result:
    """Do something with the login that still holds, else with a new one."""
    await asyncio.to_thread(_load_library)
    key = _account_key(config)
    if key in _sessions:
        try:
            return await _with_session(config, exchange, _sessions[key], work)
        except ActionFailed:
            if not _has_expired(exchange.answer):
                raise
            _sessions.pop(key, None)
    return await _with_session(config, exchange, None, work)


async def _with_session(
    config: BlueskyAccount,
    exchange: Exchange,
    known: str | None,
    work: "Callable[[AsyncClient, str], Awaitable[Result]]",
) -> Result:
    from atproto_client import AsyncClient
    from atproto_core.exceptions import AtProtocolError

    request = _requests_through(exchange)
    api = AsyncClient(base_url=config.service_url.rstrip("/"), request=request)
    accounts: list[str] = []

    def remember(_: object, session: Any) -> None:
        _sessions[_account_key(config)] = session.export()
        accounts.append(session.did)

    api.on_session_change(remember)
    try:
        if known is not None:
            await api.login(session_string=known, fetch_bsky_profile=False)
        else:
            handle = config.handle.removeprefix("@")
            await api.login(handle, config.app_password.get_secret_value(), fetch_bsky_profile=False)
        return await work(api, accounts[-1])
    except (AtProtocolError, ValueError):
        raise exchange.refused() from None
    finally:
        await request.close()


def _requests_through(exchange: Exchange) -> "AsyncRequest":
    from atproto_client.request import AsyncRequest, Response

    class Request(AsyncRequest):  # type: ignore[misc]  # the library has no types
        """Sends through the exchange."""

        async def post(self, *args: Any, **kwargs: Any) -> Response:
            if isinstance(kwargs.get("data"), bytes):  # a file; httpx has another word for that
                kwargs["content"] = kwargs.pop("data")
            return await super().post(*args, **kwargs)

    return Request(transport=ExchangeTransport(exchange), trust_env=False)


def _has_expired(answer: httpx.Response | None) -> bool:
    if answer is None or answer.status_code not in (400, 401):
        return False
    return b"ExpiredToken" in answer.content or b"InvalidToken" in answer.content or answer.status_code == 401


def _load_library() -> None:
    """Import in a thread: it takes seconds, during which the event loop would stand still."""
    import_module("atproto_client")
