"""A message as mail servers pass it on: addresses, headers and parts, put together without any input and output."""

import base64
import binascii
import mimetypes
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from canvas.actions.registry import Text

_BARE = re.compile(r"([^\s@<>()\[\],;:\\\"]{1,64})@([\w-]+(?:\.[\w-]+)*)")
_NAMED = re.compile(r"(.*?)\s*<([^<>]*)>")
_SEPARATE = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,;])+')
MAX_ATTACHMENT_CHARACTERS = 36 * 1024 * 1024


class Attachment(BaseModel):
    """A file that goes with a message."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f/\\]+$",
        description="Its name, such as report.csv.",
    )
    text: Text = Field(
        default="", max_length=MAX_ATTACHMENT_CHARACTERS, description="What is in the file, when that is text."
    )
    base64: str = Field(
        default="",
        max_length=MAX_ATTACHMENT_CHARACTERS,
        title="Base64",
        description="What is in the file, as Base64, when that is not text.",
    )
    media_type: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+)?$",
        description="What kind of file it is, such as text/csv. Empty: told by its name.",
    )

    @model_validator(mode="after")
    def _has_one_content(self) -> "Attachment":
        if self.text and self.base64:
            raise ValueError("give either text or base64, not both")
        decoded(self.base64)
        return self

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return decoded(self.base64) if self.base64 else self.text.encode("utf-8", "replace")

    @property
    def kind(self) -> tuple[str, str]:
        """Its media type in two halves."""
        told = self.media_type or mimetypes.guess_type(self.name)[0]
        main, _, sub = (told or ("application/octet-stream" if self.base64 else "text/plain")).partition("/")
        return main.lower(), sub.lower()


def decoded(text: str) -> bytes:
    """Read Base64; blanks and line breaks in it do not matter.

    Raises:
        ValueError: it is none.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise ValueError("this is not Base64") from None


def listed(value: Any) -> Any:
    """Take addresses apart that came as one text, separated by commas or semicolons."""
    if not isinstance(value, str):
        return value
    return [text.strip() for text in _SEPARATE.findall(value) if text.strip()]


def address_of(text: str) -> Address:
    """Read `ada@example.com` or `Ada Lovelace <ada@example.com>`; a domain in other letters becomes its ASCII form.

    Raises:
        ValueError: it is no such address.
    """
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("an address is one line without control characters")
    named = _NAMED.fullmatch(text.strip())
    name, bare = named.groups() if named else ("", text.strip())
    found = _BARE.fullmatch(bare)
    if found is None:
        raise ValueError(f"{text[:100]!r} is not an e-mail address")
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1].replace('\\"', '"')
    local, domain = found.groups()
    try:
        return Address(name, local, domain.encode("idna").decode())
    except UnicodeError:
        raise ValueError(f"{domain[:100]!r} is no domain") from None


def distinct(texts: Iterable[str]) -> list[str]:
    """Give the bare addresses of several, each once."""
    return list(dict.fromkeys(address_of(text).addr_spec for text in texts))


def message_id(key: str, sender: Address) -> str:
    """Derive the identity of a message from what it is sent for: sent twice, it can be told to be one."""
    return f"<{sha256(key.encode()).hexdigest()[:32]}@{sender.domain}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message before it is put into the form that travels."""

    sender: Address
    to: Sequence[str]
    cc: Sequence[str] = ()
    reply_to: Sequence[str] = ()
    subject: str
    text: str = ""
    html: str = ""
    attachments: Sequence[Attachment] = ()
    key: str
    "What it is sent for; see `message_id`."
    written_at: datetime

    def composed(self) -> EmailMessage:
        """Put headers and parts together; who gets a blind copy stands nowhere in it."""
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        for name, texts in (("To", self.to), ("Cc", self.cc), ("Reply-To", self.reply_to)):
            if texts:
                message[name] = [address_of(text) for text in texts]
        message["Subject"] = self.subject
        message["Date"] = format_datetime(self.written_at)
        message["Message-ID"] = message_id(self.key, self.sender)
        message["Auto-Submitted"] = "auto-generated"
        self._fill(message)
        return message

    def _fill(self, message: EmailMessage) -> None:
        if self.text or not self.html:
            message.set_content(self.text)
        if self.html and self.text:
            message.add_alternative(self.html, subtype="html")
        elif self.html:
            message.set_content(self.html, subtype="html")
        for attachment in self.attachments:
            main, sub = attachment.kind
            message.add_attachment(attachment.content, maintype=main, subtype=sub, filename=attachment.name)


def travelling(message: EmailMessage, *, international: bool) -> bytes:
    """Give the bytes of a message: seven bits only, save for addresses in other letters where those are allowed."""
    return message.as_bytes(policy=(SMTPUTF8 if international else SMTP).clone(cte_type="7bit"))
