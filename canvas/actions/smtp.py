"""Mail servers: the kind of connection that holds one, and the conversation that hands a message over."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr, model_validator

from canvas.actions.connections import Config, connection_kind
from canvas.actions.context import Outside
from canvas.actions.exchange import certificate_fault
from canvas.actions.failures import ActionFailed
from canvas.actions.letter import address_of

if TYPE_CHECKING:
    from aiosmtplib import SMTP

TOO_LARGE = 552
ENVELOPE_ANSWERS = 5
"The sender and all recipients together get the time of so many answers."
SLOWEST_BYTES_PER_SECOND = 128 * 1024
"A line slower than that is given up on."


class Security(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Smtp(Config):
    """A mail server that takes messages and delivers them, as in the settings of a mail program."""

    host: str = Field(min_length=1, max_length=255, description="The server's name, such as smtp.example.com.")
    port: int = Field(default=587, ge=1, le=65535, description="587 for STARTTLS, 465 for TLS, 25 for neither.")
    security: Security = Field(
        default=Security.STARTTLS, description="With `none` everything, the password included, travels in the clear."
    )
    user: str = Field(default="", max_length=255, description="The name to log in with. Empty: no login.")
    password: SecretStr = Field(default=SecretStr(""), description="The password, or app password, of that user.")
    sender: str = Field(
        max_length=320, title="From", description="Who messages come from: an address, or Name <address>."
    )
    ca_file: str = Field(
        default="",
        max_length=4096,
        title="CA file",
        description="A file on the machine of Canvas with the certificate to trust. Empty: those of the system.",
    )
    timeout_seconds: float = Field(
        default=30, gt=0, le=300, description="How long to wait for each answer of the server."
    )

    @model_validator(mode="after")
    def _has_a_sender(self) -> "Smtp":
        address_of(self.sender)
        return self


class MailFailed(ActionFailed):
    """The mail server did not take the message."""

    code = "mail_failed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the server does not take messages for somebody."""

    recipient: str
    code: int
    reason: str

    @property
    def is_temporary(self) -> bool:
        """Whether the server says that it may go better later."""
        return 400 <= self.code < 500


@connection_kind(
    "smtp",
    title="Mail server (SMTP)",
    icon="mail",
    example={"host": "smtp.example.com", "port": 587, "user": "canvas", "sender": "Canvas <canvas@example.com>"},
)
async def check(config: Smtp, outside: Outside) -> str:
    """Log in and leave again."""
    async with conversation(config) as server:
        await _answered(config, server.noop())
    login = f"as {config.user}" if config.user else "without login"
    return f"{config.host} answers and takes messages {login}."


@asynccontextmanager
async def conversation(config: Smtp) -> "AsyncIterator[SMTP]":
    """Connect, protect the connection as the configuration asks, log in; and say good-bye at the end.

    Raises:
        MailFailed: none of that can be done.
    """
    from aiosmtplib import SMTP, SMTPException  # takes long to import, and most processes never send mail

    server = SMTP(
        hostname=config.host,
        port=config.port,
        use_tls=config.security is Security.TLS,
        start_tls=config.security is Security.STARTTLS,
        tls_context=None if config.security is Security.NONE else _trust(config),
        username=config.user or None,
        password=config.password.get_secret_value() if config.user else None,
        local_hostname=socket.gethostname(),
        timeout=config.timeout_seconds,
    )
    try:
        try:
            await server.connect()
            if server.is_ehlo_or_helo_needed:
                await server.ehlo()  # tells what the server can do
        except (SMTPException, OSError) as error:
            raise _not_opened(config, error) from None
        yield server
        with suppress(SMTPException, OSError):
            await server.quit()
    finally:
        server.close()


async def hand_over(config: Smtp, sender: str, recipients: Sequence[str], message: bytes) -> list[Refusal]:
    """Give a message to the server and tell whom it does not take it for; it takes it for at least one.

    Args:
        sender: A bare address.
        recipients: Bare addresses, each once.
        message: As it travels, headers first.

    Raises:
        MailFailed: nobody gets it. It is not retryable when the server fell silent after it had the message, because
            then nobody knows.
    """
    async with conversation(config) as server:
        try:
            async with asyncio.timeout(ENVELOPE_ANSWERS * config.timeout_seconds):
                refused = await _addressed(config, server, sender, recipients, len(message))
        except TimeoutError:
            raise _silent(config) from None
        if len(refused) == len(recipients):
            raise _nobody(config, refused)
        await _sent(config, server, message)
    return refused


async def _addressed(config: Smtp, server: "SMTP", sender: str, recipients: Sequence[str], size: int) -> list[Refusal]:
    utf8 = not "".join([sender, *recipients]).isascii()
    if utf8 and not server.supports_extension("smtputf8"):
        raise MailFailed(f"{config.host} takes addresses in plain letters only: no accents, no other alphabets.")
    options = ["SMTPUTF8"] if utf8 else []
    if server.supports_extension("size"):
        _check_size(config, server, size)
        options.append(f"size={size}")
    encoding = "utf-8" if utf8 else "ascii"
    await _answered(config, server.mail(sender, options=options, encoding=encoding))
    offers = [await _offered(config, server, recipient, encoding) for recipient in recipients]
    return [refusal for refusal in offers if refusal]


def _check_size(config: Smtp, server: "SMTP", size: int) -> None:
    told = server.esmtp_extensions.get("size", "")
    limit = int(told) if told.isascii() and told.isdigit() else 0
    if 0 < limit < size:
        raise MailFailed(
            f"The message has {size >> 10:,} kB; {config.host} takes at most {limit >> 10:,} kB. Send less, or a link."
        )


async def _offered(config: Smtp, server: "SMTP", recipient: str, encoding: str) -> Refusal | None:
    from aiosmtplib import SMTPRecipientRefused

    try:
        await _answered(config, server.rcpt(recipient, encoding=encoding), passed=SMTPRecipientRefused)
    except SMTPRecipientRefused as error:
        return Refusal(recipient, error.code, _line(error.message))
    return None


async def _answered(config: Smtp, command: Awaitable[object], passed: type[Exception] | tuple[()] = ()) -> None:
    """Wait for the answer to a command; every error but `passed` becomes a failure that people can act on."""
    from aiosmtplib import SMTPException, SMTPResponseException

    try:
        await command
    except passed:
        raise
    except SMTPResponseException as error:
        raise _refused(config, "did not take the message", error.code, error.message) from None
    except (TimeoutError, OSError):
        raise _silent(config) from None
    except (SMTPException, ValueError) as error:
        raise MailFailed(f"{config.host} cannot be used like this: {_line(str(error))}.") from None


async def _sent(config: Smtp, server: "SMTP", message: bytes) -> None:
    from aiosmtplib import SMTPResponseException

    try:
        await server.data(message, timeout=config.timeout_seconds + len(message) / SLOWEST_BYTES_PER_SECOND)
    except SMTPResponseException as error:
        raise _refused(config, "did not take the message", error.code, error.message) from None
    except (TimeoutError, OSError):
        raise MailFailed(
            f"{config.host} fell silent after it was given the message. It may have been delivered: look before you "
            "send it again."
        ) from None


def _trust(config: Smtp) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=config.ca_file or None)
    except (OSError, ssl.SSLError):
        raise MailFailed(
            f"The CA file {config.ca_file!r} of the connection cannot be read; it has to hold certificates as PEM."
        ) from None


def _not_opened(config: Smtp, error: Exception) -> MailFailed:
    from aiosmtplib import SMTPAuthenticationError, SMTPResponseException

    where = f"{config.host}:{config.port}"
    if untrusted := certificate_fault(error):
        return MailFailed(f"The certificate of {where} is not trusted: {untrusted}. Nothing was sent.")
    if isinstance(error, SMTPAuthenticationError):
        what = f"refused the login of {config.user}; check user and password of the connection"
        return _refused(config, what, error.code, error.message)
    if isinstance(error, SMTPResponseException):
        return _refused(config, "does not want to talk", error.code, error.message)
    if _is_by(error, ssl.SSLError):
        return MailFailed(f"{where} speaks no TLS, or not at once: with port 587 choose `starttls`, with 465 `tls`.")
    if isinstance(error, TimeoutError):
        return _silent(config)
    if isinstance(error, OSError):
        return MailFailed(f"{where} cannot be reached: {_line(str(error))}.", retryable=True)
    return MailFailed(f"{where} cannot be used like this: {_line(str(error))}. Check `security` of the connection.")


def _is_by(error: BaseException | None, kind: type[Exception]) -> bool:
    return error is not None and (isinstance(error, kind) or _is_by(error.__cause__, kind))


def _silent(config: Smtp) -> MailFailed:
    told = f"{config.host} did not answer within {config.timeout_seconds:g} s, or hung up. Nothing was sent."
    return MailFailed(told, retryable=True)


def _refused(config: Smtp, what: str, code: int, reason: str) -> MailFailed:
    hint = " It is too large." if code == TOO_LARGE else ""
    return MailFailed(
        f"{config.host} {what}: {code} {_line(reason)}.{hint}", retryable=400 <= code < 500, smtp_code=code
    )


def _nobody(config: Smtp, refused: list[Refusal]) -> MailFailed:
    first = refused[0]
    more = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
    return MailFailed(
        f"{config.host} takes no message for {first.recipient}{more}: {first.code} {first.reason}.",
        retryable=any(refusal.is_temporary for refusal in refused),
        refused={refusal.recipient: f"{refusal.code} {refusal.reason}" for refusal in refused},
    )


def _line(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode().split())[:200].rstrip(".")
