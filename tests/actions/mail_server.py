"""A real mail server on the loopback, well-behaved or not, with certificates made on the spot."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import trustme
from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = "canvas", "c0rrect-h0rse"
AUTHORITY = trustme.CA()


def certificate(*names: str) -> ssl.SSLContext:
    """Make what a server with these names needs."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert(*names).configure_cert(context)
    return context


class MailServer:
    """Takes messages; its answers depend on whom they are for."""

    def __init__(self) -> None:
        self.port = 0
        self.taken: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.logins: list[str] = []
        self.hangs_up_after_data = False
        self.connections: set[asyncio.BaseTransport] = set()

    async def handle_EHLO(self, server, session, envelope, hostname, responses) -> list[str]:
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address: str, options) -> str:
        answers = {"nobody": "550 5.1.1 No such user", "later": "451 4.7.1 Greylisted, come back later"}
        answer = answers.get(address.partition("@")[0], "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.hangs_up_after_data:
            server.transport.abort()
            return "250 never heard"
        if b"viagra" in envelope.content:
            return "554 5.7.1 Rejected as spam"
        if b"please wait" in envelope.content:
            return "452 4.3.1 Out of storage"
        self.raw.append(envelope.content)
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return "250 taken"

    def authenticate(self, server, session, envelope, mechanism, data) -> AuthResult:
        login, password = data.login.decode(), data.password.decode()
        self.logins.append(login)
        return AuthResult(success=(login, password) == (USER, PASSWORD), handled=False)


class _Protocol(SMTP):
    """Remembers its connections, to close them at the end of a test."""

    known: set

    def connection_made(self, transport) -> None:
        self.known.add(transport)
        super().connection_made(transport)


@asynccontextmanager
async def mail_server(*, tls: ssl.SSLContext | None = None, **options: object) -> AsyncIterator[MailServer]:
    """Serve until the end of the block; with `tls` from the first byte, with `tls_context` by STARTTLS."""
    handler = MailServer()
    protocol = type("Protocol", (_Protocol,), {"known": handler.connections})
    options = {"enable_SMTPUTF8": True, "hostname": "mail.test", **options}

    def connected() -> SMTP:
        return protocol(handler, authenticator=handler.authenticate, **options)

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0, ssl=tls)
    handler.port = server.sockets[0].getsockname()[1]
    try:
        yield handler
    finally:
        server.close()
        for transport in handler.connections:
            transport.abort()
        for task in (tasks := _conversations()):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _conversations() -> list[asyncio.Task]:
    return [t for t in asyncio.all_tasks() if t.get_coro().__qualname__ == "SMTP._handle_client"]


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[int]:
    """Serve by a script of the test's own, and give the port."""
    tasks: set[asyncio.Task] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
