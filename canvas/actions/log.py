"""Actions that write to the run's log."""

from typing import Any

from pydantic import BaseModel, Field

from canvas.actions.context import ActionContext
from canvas.actions.registry import Arguments, Text, action
from canvas.domain.states import ActionPermission, LogLevel


class Event(Arguments):
    """A line for the log."""

    level: LogLevel = Field(default=LogLevel.INFO, description="How much it matters.")
    message: Text = Field(min_length=1, max_length=10_000, description="What to write.")
    data: dict[str, Any] = Field(default_factory=dict, description="Values to keep with the line.")


class Logged(BaseModel):
    """What was written."""

    level: LogLevel = Field(description="How much it matters.")
    message: str = Field(description="The line.")


@action(
    "log/event",
    title="Log a message",
    category="Data",
    icon="scroll-text",
    idempotent=True,
    touches_world=False,
    permissions=(ActionPermission.LOG,),
    security="Everybody who may see the run can read it: put no secrets into it.",
    aliases=("LOG_EVENT",),
    example=Event(message="Deployed version 1.4.2", data={"version": "1.4.2"}),
    example_result=Logged(level=LogLevel.INFO, message="Deployed version 1.4.2"),
)
async def event(args: Event, context: ActionContext) -> Logged:
    """Write a line to the run's log, with values to go with it."""
    context.log(args.level, args.message, **args.data)
    return Logged(level=args.level, message=args.message)
