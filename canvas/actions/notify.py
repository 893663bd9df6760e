"""Actions that tell people something."""

from pydantic import BaseModel, Field

from canvas.actions.context import ActionContext
from canvas.actions.registry import Arguments, Text, action
from canvas.domain.states import ActionPermission, LogLevel


class Notification(Arguments):
    """A notification to show."""

    title: Text = Field(min_length=1, max_length=200, description="What happened, in a few words.")
    body: Text = Field(default="", max_length=10_000, description="The rest of the story.")
    level: LogLevel = Field(default=LogLevel.INFO, description="How much it matters.")
    link: str = Field(
        default="",
        max_length=2_000,
        pattern=r"^(/([^/\\].*)?|https?://.*)?$",
        description="Where it leads: a page of Canvas such as /runs, or a web address. Empty: this run.",
    )


class Created(BaseModel):
    """What was sent."""

    title: str = Field(description="The notification's title.")
    link: str = Field(description="Where it leads.")


@action(
    "notify/create",
    title="Notify",
    category="People",
    icon="bell",
    idempotent=True,
    permissions=(ActionPermission.PEOPLE,),
    security="Everybody who uses Canvas can read it: put no secrets into it.",
    aliases=("CREATE_NOTIFICATION",),
    example=Notification(title="The health check failed", body="3 of 5 services answered.", level=LogLevel.WARNING),
    example_result=Created(title="The health check failed", link="/runs/01JZ0000000000000000000000"),
)
async def create(args: Notification, context: ActionContext) -> Created:
    """Show a notification to the people who use Canvas, in the bell of the header."""
    link = args.link or f"/runs/{context.run_id}"
    context.notify(args.title, args.body, args.level, link)
    return Created(title=args.title, link=link)
