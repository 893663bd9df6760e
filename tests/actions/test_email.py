"""`email/send` against a real mail server: what arrives there, and how it fails."""

import asyncio
import base64
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.actions.connections import InvalidConnection, UnknownConnection, connection_kinds
from canvas.actions.letter import Attachment, Letter, address_of, listed, message_id, travelling
from canvas.actions.registry import InvalidArguments, registry
from canvas.actions.smtp import MailFailed, Security, Smtp
from tests.actions.mail_server import AUTHORITY, PASSWORD, USER, certificate, mail_server, scripted

SENDER = "Canvas <canvas@example.com>"
HELLO = {"connection": "mail", "to": ["ada@example.com"], "subject": "Hello", "text": "How are you?"}


def smtp(port: int, **changes: object) -> Smtp:
    values = {"host": "127.0.0.1", "port": port, "security": "none", "sender": SENDER, "timeout_seconds": 5, **changes}
    return Smtp.model_validate(values)


@pytest.fixture
def authority(tmp_path) -> str:
    """The file with the certificate of whoever signed the server's."""
    file = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(file)
    return str(file)


@pytest.fixture
def send(make_context):
    """Send through the server at a port."""

    async def send(config: Smtp, **arguments: object) -> dict:
        context = make_context(connections={"mail": config})
        return await registry()["email/send"].call({**HELLO, **arguments}, context)

    return send


# what arrives


async def test_a_message_arrives_as_it_was_written(send):
    """Everybody gets it; who got a blind copy stands nowhere in it; text and HTML are two forms of one message."""
    async with mail_server() as server:
        result = await send(
            smtp(server.port),
            to=["Ada Lovelace <ada@example.com>", "bob@example.com"],
            cc=["carl@example.com"],
            bcc=["dora@example.com", "ada@example.com"],
            reply_to=["Desk <desk@example.com>"],
            subject="Grüße, 你好",
            text="Good morning – ünïcode\n.a line with a dot\n",
            html="<p>Good <b>morning</b></p>",
        )

    [message], [(sender, recipients)] = server.taken, server.envelopes
    assert ["ada@example.com", "bob@example.com", "carl@example.com", "dora@example.com"] == recipients
    assert "canvas@example.com" == sender
    assert SENDER == message["From"]
    assert "Ada Lovelace <ada@example.com>, bob@example.com" == message["To"]
    assert ("carl@example.com", "Desk <desk@example.com>") == (message["Cc"], message["Reply-To"])
    assert b"dora" not in server.raw[0]
    assert "Grüße, 你好" == message["Subject"]
    assert "Good morning – ünïcode\n.a line with a dot\n" == message.get_body(("plain",)).get_content()
    assert "<p>Good <b>morning</b></p>" == message.get_body(("html",)).get_content().strip()
    assert (recipients, []) == (result["accepted"], result["refused"])
    assert message["Message-ID"] == result["message_id"]
    assert message["Date"].datetime.tzinfo is not None


async def test_files_go_with_it(send):
    """Text and bytes arrive as they were, under their name and kind."""
    content = bytes(range(256)) * 40
    files = [
        {"name": "größe.csv", "text": "a;b\n1;ü\n"},
        {"name": "logo", "base64": base64.encodebytes(content).decode(), "media_type": "image/x-own"},
    ]
    async with mail_server() as server:
        await send(smtp(server.port), attachments=files)

    sheet, logo = server.taken[0].iter_attachments()
    assert ("größe.csv", "text/csv", "a;b\n1;ü\n".encode()) == (
        sheet.get_filename(),
        sheet.get_content_type(),
        sheet.get_payload(decode=True),
    )
    assert ("logo", "image/x-own", content) == (logo.get_filename(), logo.get_content_type(), logo.get_content())


async def test_every_attempt_has_one_identity(send):
    """The Message-ID is derived from the idempotency key, so that a receiver can tell copies."""
    async with mail_server() as server:
        first, second = [await send(smtp(server.port)) for _ in range(2)]

    assert first["message_id"] == second["message_id"]
    assert first["message_id"].endswith("@example.com>")
    assert message_id("another", address_of(SENDER)) != first["message_id"]


async def test_addresses_may_come_as_one_text(send):
    """A template that gives a text with commas is a list of addresses."""
    async with mail_server() as server:
        await send(smtp(server.port), to='"Lovelace, Ada" <ada@example.com>; bob@example.com')

    assert ["ada@example.com", "bob@example.com"] == server.envelopes[0][1]


async def test_an_address_in_other_letters(send):
    """A domain travels in its ASCII form; a name before the @ needs a server that takes it."""
    async with mail_server() as server, mail_server(enable_SMTPUTF8=False) as plain:
        await send(smtp(server.port), to=["jürgen@bücher.example"])
        await send(smtp(plain.port), to=["ada@bücher.example"])
        with pytest.raises(MailFailed, match="plain letters only") as caught:
            await send(smtp(plain.port), to=["jürgen@bücher.example"])

    assert ["jürgen@xn--bcher-kva.example"] == server.envelopes[0][1]
    assert ["ada@xn--bcher-kva.example"] == plain.envelopes[0][1]
    assert not caught.value.retryable


@pytest.mark.parametrize("security", list(Security))
async def test_protected_or_not_with_login(send, authority, security):
    """STARTTLS, TLS from the start, or neither: the server knows who is sending."""
    tls = certificate("127.0.0.1")
    options = {
        Security.STARTTLS: {"tls_context": tls, "require_starttls": True, "auth_required": True},
        Security.TLS: {"tls": tls, "auth_require_tls": False},
        Security.NONE: {"auth_require_tls": False},
    }[security]
    async with mail_server(**options) as server:
        config = smtp(server.port, security=security, user=USER, password=PASSWORD, ca_file=authority)
        await send(config)
        told = await connection_kinds()["smtp"].check(config, None)

    assert "Hello" == server.taken[0]["Subject"]
    assert {USER} == set(server.logins)
    assert "127.0.0.1 answers and takes messages as canvas." == told


# who does not get it


async def test_some_refused_is_done(send):
    """Who could be reached gets the message; who could not is listed with the reason."""
    async with mail_server() as server:
        result = await send(smtp(server.port), to=["ada@example.com", "nobody@example.com"], bcc=["later@example.com"])

    assert ["ada@example.com"] == result["accepted"] == server.envelopes[0][1]
    assert [
        {"address": "nobody@example.com", "reason": "550 5.1.1 No such user"},
        {"address": "later@example.com", "reason": "451 4.7.1 Greylisted, come back later"},
    ] == result["refused"]


@pytest.mark.parametrize(
    ("to", "retryable"),
    [(["nobody@a.example"], False), (["later@a.example"], True), (["nobody@a.example", "later@a.example"], True)],
)
async def test_all_refused_is_a_failure(send, to, retryable):
    """It is tried again when the server says that it may go better later, and names who and why."""
    async with mail_server() as server:
        with pytest.raises(MailFailed, match=to[0]) as caught:
            await send(smtp(server.port), to=to)

    assert retryable == caught.value.retryable
    assert set(to) == caught.value.details["refused"].keys()
    assert [] == server.taken


@pytest.mark.parametrize(("text", "retryable"), [("viagra", False), ("please wait", True)])
async def test_a_refused_message_is_a_failure(send, text, retryable):
    """The server's own words are told; 4xx may be tried again and 5xx not."""
    async with mail_server() as server:
        with pytest.raises(MailFailed, match=r"did not take the message: (554|452)") as caught:
            await send(smtp(server.port), text=text)

    assert retryable == caught.value.retryable


# faults


async def test_a_refused_login(send, authority):
    """The failure names the account and what to look at, and never the password."""
    async with mail_server(tls=certificate("127.0.0.1"), auth_require_tls=False) as server:
        config = smtp(server.port, security="tls", user=USER, password="wr0ng-horse", ca_file=authority)
        with pytest.raises(MailFailed, match="refused the login of canvas") as caught:
            await send(config)

    assert not caught.value.retryable
    assert "wr0ng-horse" not in f"{caught.value} {caught.value.details}"


@pytest.mark.parametrize(("names", "trusted"), [(("127.0.0.1",), False), (("mail.example.com",), True)])
@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_wrong_certificate(send, authority, names, trusted, security):
    """A certificate that nobody vouches for, or of somebody else: nothing is sent, not even the login."""
    tls = certificate(*names)
    options = {"tls": tls, "auth_require_tls": False} if security == "tls" else {"tls_context": tls}
    async with mail_server(**options) as server:
        config = smtp(
            server.port, security=security, user=USER, password=PASSWORD, ca_file=authority if trusted else ""
        )
        with pytest.raises(MailFailed, match=r"certificate of 127.0.0.1:.* is not trusted") as caught:
            await send(config)

    assert not caught.value.retryable
    assert ([], []) == (server.logins, server.taken)


async def test_protection_that_is_not_there_is_not_done_without(send):
    """A server without STARTTLS, or that speaks no TLS, gets nothing."""
    async with mail_server(auth_require_tls=False) as server:
        for security in ("starttls", "tls"):
            config = smtp(server.port, security=security, user=USER, password=PASSWORD)
            with pytest.raises(MailFailed, match=r"security|no TLS") as caught:
                await send(config)
            assert not caught.value.retryable

    assert ([], []) == (server.logins, server.taken)


async def test_a_server_that_is_not_there(send):
    """A refused connection may be tried again; the failure says where."""
    with pytest.raises(MailFailed, match=r"127.0.0.1:1 cannot be reached") as caught:
        await send(smtp(1))

    assert caught.value.retryable


async def _hangs(reader, writer):
    await reader.read()


async def _hangs_later(reader, writer):
    writer.write(b"220 hello\r\n")
    await reader.readline()
    writer.write(b"250 ok\r\n")
    await reader.read()


async def _hangs_up(reader, writer):
    writer.write(b"220 hello\r\n")
    await reader.readline()


async def _babbles(reader, writer):
    writer.write(b"220 hello\r\n")
    await reader.readline()
    while True:
        writer.write(b"250-and another thing\r\n" * 1000)
        await writer.drain()


async def _nonsense(reader, writer):
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await reader.read()


@pytest.mark.parametrize(
    ("script", "seconds", "retryable"),
    [(_hangs, 0.3, True), (_hangs_later, 0.3, True), (_hangs_up, 5, True), (_babbles, 5, False), (_nonsense, 5, False)],
)
async def test_a_server_that_misbehaves(send, script, seconds, retryable):
    """Silence, hanging up, talking without end or nonsense: each ends in bounded time as a failure."""
    async with scripted(script) as port:
        with pytest.raises(MailFailed, match=r"127\.0\.0\.1") as caught:
            await send(smtp(port, timeout_seconds=seconds))

    assert retryable == caught.value.retryable


async def test_slow_recipients_share_one_time_limit(send):
    """A server that takes its time over each of many recipients does not hold the step for ever."""

    async def dawdles(reader, writer):
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            if line.startswith(b"RCPT"):
                await asyncio.sleep(0.2)
            writer.write(b"250 ok\r\n")

    async with scripted(dawdles) as port:
        with pytest.raises(MailFailed, match="Nothing was sent"):
            await send(smtp(port, timeout_seconds=0.3), to=[f"a{n}@example.com" for n in range(100)])


async def test_silence_after_the_message_is_not_tried_again(send):
    """Nobody knows whether it was delivered: sending again might double it, so a person decides."""
    async with mail_server() as server:
        server.hangs_up_after_data = True
        with pytest.raises(MailFailed, match="may have been delivered") as caught:
            await send(smtp(server.port))

    assert not caught.value.retryable


async def test_a_message_that_is_too_large_is_not_sent(send):
    """The server's own limit is known before the message travels."""
    async with mail_server(data_size_limit=20_000) as server:
        with pytest.raises(MailFailed, match=r"takes at most 19 kB") as caught:
            await send(smtp(server.port), text="x" * 30_000)

    assert not caught.value.retryable


async def test_a_server_that_finds_it_too_large_on_arrival(send):
    """552 is told as what it means."""

    async def refuses(reader, writer):
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            if line == b"DATA\r\n":
                await refuse(reader, writer)
            else:
                writer.write(b"250 ok\r\n")

    async def refuse(reader, writer):
        writer.write(b"354 go\r\n")
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"552 5.3.4 Message too big\r\n")

    async with scripted(refuses) as port:
        with pytest.raises(MailFailed, match="It is too large") as caught:
            await send(smtp(port))

    assert not caught.value.retryable


async def test_a_ca_file_that_is_not_there(send, tmp_path):
    """The failure names the file."""
    with pytest.raises(MailFailed, match="cannot be read"):
        await send(smtp(1, security="tls", ca_file=str(tmp_path / "none.pem")))


async def test_a_connection_that_is_not_there(make_context):
    """The step fails by the connection's name."""
    with pytest.raises(UnknownConnection, match="`mail`"):
        await registry()["email/send"].call(HELLO, make_context())


# bad input


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({"to": []}, "to"),
        ({"to": ["ada"]}, "to"),
        ({"to": ["ada@example.com\r\nBcc: eve@example.com"]}, "to"),
        ({"to": ["Ada\nBcc: eve@example.com <ada@example.com>"]}, "to"),
        ({"bcc": ["<>"]}, "bcc"),
        ({"cc": ["a@b@c"]}, "cc"),
        ({"subject": "Hello\r\nBcc: eve@example.com"}, "subject"),
        ({"subject": "Hello\nX: y"}, "subject"),
        ({"attachments": [{"name": "a/../b", "text": ""}]}, "attachments.0.name"),
        ({"attachments": [{"name": 'a"\r\nX: y', "text": ""}]}, "attachments.0.name"),
        ({"attachments": [{"name": "a", "base64": "no!"}]}, "attachments.0"),
        ({"attachments": [{"name": "a", "base64": "YQ==", "text": "a"}]}, "attachments.0"),
        ({"attachments": [{"name": "a", "text": "", "media_type": "text/plain\r\nX: y"}]}, "attachments.0.media_type"),
    ],
)
async def test_bad_input_is_told_by_its_place(send, arguments, where):
    """Nothing that would become another header, or is no address, gets as far as the server."""
    with pytest.raises(InvalidArguments, match=where):
        await send(smtp(1), **arguments)


@pytest.mark.parametrize("values", [{"host": "h", "sender": "nobody"}, {"host": "", "sender": SENDER}, {"host": "h"}])
def test_a_connection_that_cannot_work_is_refused(values):
    """Without a server or somebody to send from there is no mail server."""
    with pytest.raises(InvalidConnection):
        connection_kinds()["smtp"].read(values)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
lines = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120).map(str.strip)


@given(name=lines, subject=lines, text=texts, html=texts, file=lines.filter(lambda t: t and not set(t) & {"/", "\\"}))
def test_no_text_ever_becomes_a_header(name, subject, text, html, file):
    """Whatever is put in: the message that travels has the headers we set and no other, each once."""
    sender = address_of(SENDER)
    letter = Letter(
        sender=sender,
        to=["ada@example.com"],
        subject=subject,
        text=text,
        html=html,
        attachments=[Attachment(name=file, text=text)],
        key=name,
        written_at=datetime(2026, 1, 1, tzinfo=UTC),
    )

    sent = travelling(letter.composed(), international=False)

    read = message_from_bytes(sent, policy=default)
    own = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    assert own == list(read.keys())
    assert sent.isascii()
    assert b"\n" not in sent.replace(b"\r\n", b"")
    assert subject == read["Subject"]
    assert text.encode() == next(read.iter_attachments()).get_payload(decode=True)


@given(st.lists(lines.filter(bool), max_size=4))
def test_addresses_are_read_or_refused(texts):
    """Any text is an address with one @ and no control character, or a ValueError; nothing else comes out."""
    for text in [*texts, *(f"{text} <a@b.example>" for text in texts)]:
        try:
            address = address_of(text)
        except ValueError:
            continue
        assert address.username and address.domain.isascii()
        assert [address.addr_spec] == [bare for _, bare in getaddresses([str(address)])]
        assert isinstance(listed(text), list)
