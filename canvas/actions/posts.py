"""What goes onto a social network, whichever it is: text, pictures, who sees it, and what came of it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, model_validator

from canvas.actions.context import ActionContext
from canvas.actions.failures import ActionFailed
from canvas.actions.letter import decoded
from canvas.actions.registry import Text

MAX_PICTURE_BYTES = 16 * 1024 * 1024
MAX_BASE64_CHARACTERS = 22 * 1024 * 1024
DOWNLOAD_SECONDS = 60.0


class SocialFailed(ActionFailed):
    """The network did not take the post."""

    code = "social_failed"


class NotOffered(SocialFailed):
    """This network has no such thing."""

    code = "not_offered"


class TooLong(SocialFailed):
    """The text is longer than the network allows."""

    code = "post_too_long"


class Visibility(StrEnum):
    """Who sees a post."""

    AUTO = "auto"
    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "followers"
    DIRECT = "direct"


class Media(BaseModel):
    """A picture, video or sound that goes with a post."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(default="", max_length=8_000, title="URL", description="Where it is fetched from, on the web.")
    base64: str = Field(
        default="", max_length=MAX_BASE64_CHARACTERS, title="Base64", description="The file itself as Base64, instead."
    )
    media_type: str = Field(
        default="",
        pattern=r"^((image|video|audio)/[A-Za-z0-9.+-]+)?$",
        description="What it is, such as image/png. Empty: as the web server says; needed with Base64.",
    )
    alt: Text = Field(
        default="", max_length=1_500, title="Description", description="What it shows, for those who cannot see it."
    )

    @model_validator(mode="after")
    def _is_one_file(self) -> "Media":
        if bool(self.url) == bool(self.base64):
            raise ValueError("give either a url or base64")
        if decoded(self.base64) and not self.media_type:
            raise ValueError("say with media_type what the base64 is")
        return self


class Posted(BaseModel):
    """Where the post is."""

    platform: str = Field(description="The network: mastodon or bluesky.")
    id: str = Field(title="ID", description="The post's name there; answer it by this.")
    url: str = Field(title="URL", description="Where people see it; empty while it is scheduled.")
    scheduled_at: datetime | None = Field(default=None, description="When it will appear; none when it is there.")


@dataclass(frozen=True, slots=True)
class Picture:
    """A file at hand."""

    content: bytes
    media_type: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A post that is ready to go."""

    text: str
    pictures: tuple[Picture, ...] = ()
    visibility: Visibility = Visibility.AUTO
    language: str = ""
    warning: str = ""
    answers: str = ""
    "The post it answers: its id or address."
    at: datetime | None = None
    "When it is to appear; None is now."


async def fetched(media: list[Media], context: ActionContext) -> tuple[Picture, ...]:
    """Get the files of a post, those on the web through the guarded client.

    Raises:
        SocialFailed: one cannot be had, is too large, or is no picture, video or sound.
    """
    return tuple([await _picture(item, context) for item in media])


def graphemes(text: str) -> list[str]:
    """Take a text apart into what people see as characters."""
    import regex  # takes long to import, for one expression

    return regex.findall(r"\X", text)


async def _picture(item: Media, context: ActionContext) -> Picture:
    if item.base64:
        return Picture(decoded(item.base64), item.media_type, item.alt)
    told, content = await _downloaded(item.url, context)
    kind = (item.media_type or told).lower()
    if not kind.startswith(("image/", "video/", "audio/")):
        raise SocialFailed(f"{_shown(item.url)} is {kind or 'of no known kind'}, no picture, video or sound.")
    return Picture(content, kind, item.alt)


async def _downloaded(url: str, context: ActionContext) -> tuple[str, bytes]:
    try:
        async with (
            asyncio.timeout(DOWNLOAD_SECONDS),
            context.http.stream("GET", url, timeout=DOWNLOAD_SECONDS) as answer,
        ):
            if answer.status_code != 200:
                passing = answer.status_code == 429 or answer.status_code >= 500
                raise SocialFailed(f"{_shown(url)} answered {answer.status_code}.", retryable=passing)
            content = await _read(url, answer)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError):
        raise SocialFailed("The url of a picture is not an address with http:// or https://.") from None
    except (TimeoutError, httpx.HTTPError) as error:
        reason = str(error) or "it takes too long"
        raise SocialFailed(f"{_shown(url)} cannot be fetched: {reason}.", retryable=True) from None
    return answer.headers.get("content-type", "").partition(";")[0].strip(), content


async def _read(url: str, answer: httpx.Response) -> bytes:
    read = bytearray()
    async for chunk in answer.aiter_bytes():
        read += chunk
        if len(read) > MAX_PICTURE_BYTES:
            raise SocialFailed(f"{_shown(url)} is larger than {MAX_PICTURE_BYTES >> 20} MB.")
    return bytes(read)


def _shown(url: str) -> Any:
    """Name an address without what may be secret in it."""
    return httpx.URL(url).copy_with(username=None, password=None, query=None, fragment=None)
