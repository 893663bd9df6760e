"""Actions that send e-mail."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from canvas.actions.connections import connection_field
from canvas.actions.context import ActionContext
from canvas.actions.letter import Attachment, Letter, address_of, distinct, listed, message_id, travelling
from canvas.actions.registry import Arguments, Text, action
from canvas.actions.smtp import MailFailed, Smtp, hand_over
from canvas.domain.states import ActionPermission

MAX_RECIPIENTS = 100
MAX_MESSAGE_BYTES = 35 * 1024 * 1024
EXAMPLE_ID = "<4f1c3a6e0b9d4e53a1b2c3d4e5f60718@example.com>"


def _addresses(texts: list[str]) -> list[str]:
    for text in texts:
        address_of(text)
    return texts


def _one_line(text: str) -> str:
    line = text.strip()
    if any(ord(character) < 32 or character in "\x7f\x85\u2028\u2029" for character in line):
        raise ValueError("this has to be one line without control characters")
    return line


Addresses = Annotated[list[str], BeforeValidator(listed), AfterValidator(_addresses)]


class Email(Arguments):
    """A message to send."""

    connection: str = connection_field("smtp", description="The mail server to send through.")
    to: Addresses = Field(
        min_length=1,
        max_length=MAX_RECIPIENTS,
        description="Who gets it: an address each, or Name <address>.",
    )
    cc: Addresses = Field(default=[], max_length=MAX_RECIPIENTS, description="Who gets a copy, for all to see.")
    bcc: Addresses = Field(default=[], max_length=MAX_RECIPIENTS, description="Who gets a copy that nobody else sees.")
    reply_to: Addresses = Field(default=[], max_length=5, description="Where answers go. Empty: to the sender.")
    subject: Annotated[Text, AfterValidator(_one_line)] = Field(max_length=500, description="What it is about.")
    text: Text = Field(default="", max_length=1_000_000, description="The message as plain text.")
    html: Text = Field(
        default="",
        max_length=1_000_000,
        title="HTML",
        description="The message as HTML; mail programs that show no HTML show the text.",
    )
    attachments: list[Attachment] = Field(default=[], max_length=20, description="Files that go with it.")


class Refused(BaseModel):
    """Somebody the mail server takes no messages for."""

    address: str = Field(description="Who.")
    reason: str = Field(description="What the server said.")


class Sent(BaseModel):
    """What became of the message."""

    message_id: str = Field(title="Message-ID", description="The message's identity, the same for each attempt.")
    accepted: list[str] = Field(description="For whom the mail server took it.")
    refused: list[Refused] = Field(description="For whom it did not.")


@action(
    "email/send",
    title="Send e-mail",
    category="Messages",
    icon="mail",
    idempotent=False,
    permissions=(ActionPermission.NETWORK, ActionPermission.CONNECTION, ActionPermission.PEOPLE),
    security=(
        "Sends in the name of the connection's account, to any address. Put data from outside into the text rather "
        "than the HTML, where it could pass for a part of your message."
    ),
    aliases=("SEND_EMAIL",),
    example=Email(
        connection="mail",
        to=["Ada Lovelace <ada@example.com>"],
        subject="Your order has left",
        text="Good morning Ada,\n\nyour order 4711 is on its way.",
    ),
    example_result=Sent(message_id=EXAMPLE_ID, accepted=["ada@example.com"], refused=[]),
)
async def send(args: Email, context: ActionContext) -> Sent:
    """Send an e-mail through a mail server of yours.

    Done when the server takes it for at least one recipient; `refused` lists the others. Fails when it takes it for
    nobody, and is tried again only if that may change. The Message-ID is the same for every attempt of the step in a
    run, so that mail programs can tell copies.
    """
    smtp = await context.connection(args.connection, Smtp)
    sender = address_of(smtp.sender)
    recipients = distinct([*args.to, *args.cc, *args.bcc])
    message = travelling(_letter(args, smtp, context).composed(), international=not "".join(recipients).isascii())
    if len(message) > MAX_MESSAGE_BYTES:
        raise MailFailed(
            f"The message has {len(message) >> 20} MB with its attachments; the limit is {MAX_MESSAGE_BYTES >> 20} MB."
        )
    refused = await hand_over(smtp, sender.addr_spec, recipients, message)
    missed = {refusal.recipient for refusal in refused}
    return Sent(
        message_id=message_id(context.idempotency_key, sender),
        accepted=[recipient for recipient in recipients if recipient not in missed],
        refused=[Refused(address=r.recipient, reason=f"{r.code} {r.reason}") for r in refused],
    )


def _letter(args: Email, smtp: Smtp, context: ActionContext) -> Letter:
    return Letter(
        sender=address_of(smtp.sender),
        to=args.to,
        cc=args.cc,
        reply_to=args.reply_to,
        subject=args.subject,
        text=args.text,
        html=args.html,
        attachments=args.attachments,
        key=context.idempotency_key,
        written_at=datetime.now(UTC),
    )
