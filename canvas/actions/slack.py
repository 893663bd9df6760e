"""Actions that write to Slack."""

from typing import Any

from pydantic import BaseModel, Field, model_validator

from canvas.actions.connections import connection_field
from canvas.actions.context import ActionContext
from canvas.actions.exchange import Exchange
from canvas.actions.registry import Arguments, Text, action
from canvas.actions.slack_workspace import Slack, SlackFailed, call, call_webhook
from canvas.domain.states import ActionPermission


class Message(Arguments):
    """A message to write."""

    connection: str = connection_field("slack", description="The workspace, or channel, to write to.")
    channel: str = Field(
        default="",
        max_length=200,
        description="Where: a channel's name or ID, or a member's ID. Empty only with a webhook, which has its own.",
    )
    text: Text = Field(default="", max_length=40_000, description="The message; *bold*, _italic_ and links work.")
    blocks: list[dict[str, Any]] = Field(
        default=[],
        max_length=50,
        description="A layout of Block Kit instead of plain text; the text is then what notifications show.",
    )
    thread: str = Field(
        default="",
        pattern=r"^(\d{1,12}\.\d{1,8})?$",
        description="To answer a message: its `ts`, such as the result of an earlier step.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> "Message":
        if not self.text.strip() and not self.blocks:
            raise ValueError("give a text or blocks")
        return self


class Written(BaseModel):
    """Where the message is now."""

    channel: str = Field(description="The channel's ID; empty for a webhook.")
    ts: str = Field(title="ts", description="The message's name in its channel, to answer it; empty for a webhook.")


@action(
    "slack/send",
    title="Send Slack message",
    category="Messages",
    icon="slack",
    idempotent=False,
    permissions=(ActionPermission.NETWORK, ActionPermission.CONNECTION, ActionPermission.PEOPLE),
    security=(
        "Writes in the name of the connection's bot, wherever it is a member. Text from outside may hold links and "
        "mentions such as <!channel>."
    ),
    aliases=("SEND_SLACK_MESSAGE",),
    example=Message(connection="slack", channel="#orders", text="Order 4711 is on its way."),
    example_result=Written(channel="C0123456789", ts="1760000000.000100"),
)
async def send(args: Message, context: ActionContext) -> Written:
    """Write a message to a channel, a thread or a member of Slack.

    A bot has to be a member of the channel. When Slack wants fewer messages, the step is tried again when Slack says,
    within its retry policy. When Slack falls silent after it was asked, the step fails for good, because the message
    may have been written.
    """
    config = await context.connection(args.connection, Slack)
    async with context.client(config.origin) as client:
        exchange = Exchange(client, "Slack", seconds=config.timeout_seconds, repeatable=False)
        if config.webhook_url.get_secret_value():
            return await _through_webhook(args, config, exchange)
        if not args.channel:
            raise SlackFailed("Say which channel to write to; only a webhook has one of its own.")
        answer = await call(config, exchange, "chat.postMessage", _body(args))
    return Written(channel=str(answer.get("channel", "")), ts=str(answer.get("ts", "")))


async def _through_webhook(args: Message, config: Slack, exchange: Exchange) -> Written:
    if args.thread or args.channel:
        raise SlackFailed(
            "A webhook always writes to its own channel and into no thread. Leave channel and thread empty, or use a "
            "connection with a bot's token."
        )
    await call_webhook(config, exchange, _body(args))
    return Written(channel="", ts="")


def _body(args: Message) -> dict[str, Any]:
    body = {"channel": args.channel, "text": args.text, "blocks": args.blocks, "thread_ts": args.thread}
    return {name: value for name, value in body.items() if value}
