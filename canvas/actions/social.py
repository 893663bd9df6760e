"""Actions that post to social networks."""

from datetime import datetime

from pydantic import AwareDatetime, Field, model_validator

from canvas.actions import bluesky, mastodon
from canvas.actions.bluesky import BlueskyAccount
from canvas.actions.connections import connection_field
from canvas.actions.context import ActionContext
from canvas.actions.mastodon import MastodonAccount
from canvas.actions.posts import Draft, Media, Posted, Visibility, fetched
from canvas.actions.registry import Arguments, Text, action
from canvas.domain.states import ActionPermission

_PERMISSIONS = (ActionPermission.NETWORK, ActionPermission.CONNECTION, ActionPermission.PEOPLE)
_SECURITY = (
    "Speaks in the name of the connection's account, for all to see: let a person look at text that comes from outside "
    "or from an AI before it is posted."
)
_POST_ID = "114892023848170000"
_URL = "https://mastodon.social/@canvas/114892023848170000"


class Post(Arguments):
    """A post to make."""

    connection: str = connection_field("mastodon", "bluesky", description="The account that posts.")
    text: Text = Field(
        default="",
        max_length=20_000,
        description="What it says. Bluesky takes 300 characters, Mastodon 500 unless the server allows more.",
    )
    media: list[Media] = Field(
        default=[], max_length=16, description="Pictures that go with it; most servers take up to 4."
    )
    visibility: Visibility = Field(
        default=Visibility.AUTO,
        description="Who sees it. `auto`: as the account is set up, and for an answer as the post it answers.",
    )
    language: str = Field(
        default="",
        pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$",
        description="Its language, such as en.",
    )
    content_warning: Text = Field(
        default="", max_length=500, description="Shown instead of the post until somebody opens it. Mastodon only."
    )

    @model_validator(mode="after")
    def _says_something(self) -> "Post":
        if not self.text.strip() and not self.media:
            raise ValueError("give a text or media")
        return self


class ScheduledPost(Post):
    """A post to make later."""

    at: AwareDatetime = Field(description="When it appears, with its timezone: 2026-12-24T18:00:00+01:00.")


class Reply(Post):
    """An answer to a post."""

    reply_to: Text = Field(
        min_length=1,
        max_length=2_000,
        description="The post it answers: its address in the browser, or the `id` that an earlier step gave.",
    )


@action(
    "social/post",
    title="Post to social network",
    category="Social",
    icon="megaphone",
    idempotent=False,
    permissions=_PERMISSIONS,
    security=_SECURITY,
    aliases=("POST_TO_SOCIAL",),
    example=Post(connection="mastodon", text="Version 1.4 is out: https://example.com/news", language="en"),
    example_result=Posted(platform="mastodon", id=_POST_ID, url=_URL),
)
async def post(args: Post, context: ActionContext) -> Posted:
    """Post to Mastodon or Bluesky, with pictures if you like.

    A step that is tried again makes no second post: Bluesky finds the first one by its name, Mastodon by an idempotency
    key that it keeps for an hour. Links and mentions work on both. The length is checked before anything is sent.
    """
    return await _published(args, context)


@action(
    "social/schedule",
    title="Schedule a post",
    category="Social",
    icon="calendar-clock",
    idempotent=False,
    permissions=_PERMISSIONS,
    security=_SECURITY + " What is scheduled is the server's from then on: take it back there.",
    aliases=("SCHEDULE_POST",),
    example=ScheduledPost(
        connection="mastodon", text="We are open again.", at=datetime.fromisoformat("2026-12-24T09:00:00+01:00")
    ),
    example_result=Posted(
        platform="mastodon", id="3221", url="", scheduled_at=datetime.fromisoformat("2026-12-24T09:00:00+01:00")
    ),
)
async def schedule(args: ScheduledPost, context: ActionContext) -> Posted:
    """Hand a post to Mastodon that appears by itself at a time at least 5 minutes ahead; the step completes at once.

    Bluesky keeps no posts for later, so there the step fails: use a wait step until the time, then social/post.
    """
    return await _published(args, context, at=args.at)


@action(
    "social/reply",
    title="Reply to a post",
    category="Social",
    icon="reply",
    idempotent=False,
    permissions=_PERMISSIONS,
    security=_SECURITY,
    aliases=("REPLY_TO_COMMENT",),
    example=Reply(connection="mastodon", text="Thank you!", reply_to=_URL),
    example_result=Posted(platform="mastodon", id="114892023848170001", url=f"{_URL[:-1]}1"),
)
async def reply(args: Reply, context: ActionContext) -> Posted:
    """Answer a post or comment on Mastodon or Bluesky, below it in its thread.

    On Mastodon the author is mentioned, because they would hear nothing of the answer otherwise.
    """
    return await _published(args, context, answers=args.reply_to.strip())


async def _published(args: Post, context: ActionContext, *, at: datetime | None = None, answers: str = "") -> Posted:
    account = await context.connection(args.connection, MastodonAccount, BlueskyAccount)
    draft = Draft(
        text=args.text,
        pictures=await fetched(args.media, context),
        visibility=args.visibility,
        language=args.language,
        warning=args.content_warning,
        answers=answers,
        at=at,
    )
    if isinstance(account, BlueskyAccount):
        return await bluesky.publish(account, draft, context)
    assert isinstance(account, MastodonAccount)
    return await mastodon.publish(account, draft, context)
