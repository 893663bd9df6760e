"""Actions that tell people something."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from canvas.actions.context import ActionContext
from canvas.actions.registry import Arguments, Text, action
from canvas.domain.states import ActionPermission, LogLevel

UserName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


def _listed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    names = [name for name in value.split(",") if name.strip()]
    if not names:  # a template that found nobody must not become a message for everybody
        raise ValueError("this names nobody; leave it out for everybody")
    return names


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
    to: Annotated[list[UserName], BeforeValidator(_listed)] = Field(
        default=[], max_length=100, description="Who sees it, by user name. Empty: everybody."
    )


class Created(BaseModel):
    """What was sent."""

    title: str = Field(description="The notification's title.")
    link: str = Field(description="Where it leads.")
    to: list[str] = Field(description="Who sees it; empty means everybody.")


@action(
    "notify/create",
    title="Notify",
    category="Messages",
    icon="bell",
    idempotent=True,
    permissions=(ActionPermission.PEOPLE,),
    security="Whoever it is for can read it, which is everybody unless you name people: put no secrets into it.",
    aliases=("CREATE_NOTIFICATION",),
    example=Notification(title="The health check failed", body="3 of 5 services answered.", level=LogLevel.WARNING),
    example_result=Created(title="The health check failed", link="/runs/01JZ0000000000000000000000", to=[]),
)
async def create(args: Notification, context: ActionContext) -> Created:
    """Show a notification in the bell of the header: to everybody who uses Canvas, or to those you name.

    Each of them has it as unread until they read it. It appears when the step has completed, and only then.
    """
    link = args.link or f"/runs/{context.run_id}"
    to = list(dict.fromkeys(args.to))
    context.notify(args.title, args.body, args.level, link, to)
    return Created(title=args.title, link=link, to=to)
