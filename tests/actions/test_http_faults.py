"""What can go wrong on the way: each is a failure of its own kind, tried again only if that makes sense."""

import asyncio
import gzip
import socket
import zlib

import pytest

from canvas.actions import guard
from canvas.actions.failures import ActionFailed
from canvas.actions.guard import AddressRefused
from canvas.actions.http import failures, sending
from canvas.actions.http import reading as reading_module
from canvas.actions.registry import InvalidArguments, registry
from tests.actions.web import web, write_certificates

MEGABYTE = 1 << 20


async def call(context, **arguments):
    return await registry()["http/request"].call(arguments, context)


@pytest.fixture
def anywhere(make_context):
    """A context that may reach every private address."""
    return make_context(http_allow_private=True)


async def failing(context, answer, **arguments) -> ActionFailed:
    """Call a service that behaves like this; gives the failure."""
    with web(answer) as service, pytest.raises(ActionFailed) as caught:
        await call(context, **{"url": f"{service.url}/x", "timeout_seconds": 10, **arguments})
    return caught.value


def trickling(talk):
    """A byte now and then, for ever."""
    talk.start(content_length="1000000")
    while not talk.server.closing.wait(0.02):
        talk.wfile.write(b".")
        talk.wfile.flush()


def endless(talk):
    """As much as is read, without saying how much."""
    talk.start(transfer_encoding="chunked")
    while not talk.server.closing.is_set():
        talk.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def huge(talk):
    """50 MB, announced."""
    talk.start(content_length=str(50 * MEGABYTE))
    for _ in range(50):
        talk.wfile.write(b"x" * MEGABYTE)


def broken_off(talk):
    """Half an answer."""
    talk.start(content_length="1000")
    talk.wfile.write(b"half of it")
    talk.wfile.flush()
    talk.reset()


async def test_a_body_that_trickles_runs_into_the_time_limit(anywhere):
    """Each byte is in time, the whole is not: the limit is for the whole."""
    failure = await failing(anywhere, trickling, timeout_seconds=0.3)

    assert ("http_timeout", True) == (failure.code, failure.retryable)
    assert "0.3 s" in str(failure)


@pytest.mark.parametrize("answer", [endless, huge])
async def test_an_endless_or_huge_body_is_cut_off(anywhere, answer):
    """No more than the limit is kept, and the message says which argument raises it."""
    failure = await failing(anywhere, answer)

    assert ("http_too_large", False) == (failure.code, failure.retryable)
    assert "max_bytes" in str(failure)


async def test_an_announced_length_is_believed_before_anything_is_read(anywhere):
    """50 MB that say so cost nothing."""

    def only_the_head(talk):
        talk.start(content_length=str(50 * MEGABYTE))
        talk.server.closing.wait(20)

    assert "http_too_large" == (await failing(anywhere, only_the_head)).code


async def test_the_head_of_something_huge_is_no_failure(anywhere):
    """HEAD announces a length that it does not send."""
    with web(lambda talk: talk.start(content_length=str(50 * MEGABYTE))) as service:
        answer = await call(anywhere, url=service.url, method="HEAD")

    assert (200, str(50 * MEGABYTE)) == (answer["status"], answer["headers"]["content-length"])


@pytest.mark.parametrize("squeeze", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
async def test_a_bomb_is_unpacked_no_further_than_allowed(anywhere, squeeze, monkeypatch):
    """64 MB in one piece of 64 kB are never in memory, not even for a moment."""
    packed = squeeze(b"\0" * (64 * MEGABYTE))
    sizes = []
    inflate = reading_module._Inflater.decompress

    def watched(self, piece, limit):
        out = inflate(self, piece, limit)
        sizes.append(len(out))
        return out

    monkeypatch.setattr(reading_module._Inflater, "decompress", watched)
    name = "gzip" if squeeze is gzip.compress else "deflate"
    failure = await failing(anywhere, lambda talk: talk.reply(200, packed, content_encoding=name), max_bytes=1000)

    assert "http_too_large" == failure.code
    assert max(sizes) <= 1001


@pytest.mark.parametrize("encoding", ["gzip, gzip, gzip", "br", "zstd", "compress", "nonsense\x80"])
async def test_only_encodings_that_were_asked_for_are_unpacked(anywhere, encoding):
    """Bombs within bombs, and packers without a limit, are told by name."""
    failure = await failing(anywhere, lambda talk: talk.reply(200, b"x", content_encoding=encoding))

    assert ("http_unreadable", False) == (failure.code, failure.retryable)


@pytest.mark.parametrize("body", [b"no gzip at all", gzip.compress(b"x" * 500)[:-12]])
async def test_what_cannot_be_unpacked_is_told(anywhere, body):
    """Damaged, or ending too early."""
    failure = await failing(anywhere, lambda talk: talk.reply(200, body, content_encoding="gzip"))

    assert "http_unreadable" == failure.code


async def test_bare_deflate_is_read_as_well(anywhere):
    """Some servers send it without its frame."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = packer.compress(b'{"a": 1}') + packer.flush()
    with web(lambda talk: talk.reply(200, body, content_encoding="deflate")) as service:
        assert {"a": 1} == (await call(anywhere, url=service.url))["body"]


@pytest.mark.parametrize("charset", ["punycode", "idna", "zlib", "utf-7", "no-such-thing", "unicode_escape"])
async def test_a_charset_is_one_of_the_web(anywhere, charset):
    """Python knows encodings that unpack, or take forever: an answer cannot choose them."""
    with web(lambda talk: talk.reply(200, b"a\\x41-" * 1000, content_type=f"text/plain; charset={charset}")) as service:
        answer = await call(anywhere, url=service.url)

    assert "a\\x41-" * 1000 == answer["body"]


@pytest.mark.parametrize(("method", "retryable"), [("GET", True), ("PUT", True), ("POST", False), ("PATCH", False)])
async def test_a_connection_that_breaks_off_is_tried_again_only_if_harmless(anywhere, method, retryable):
    """A POST may have been carried out: the message says so, and what to set if that does not matter."""
    failure = await failing(anywhere, broken_off, method=method)

    assert ("http_broken_off", retryable) == (failure.code, failure.retryable)
    assert retryable != ("safe_to_repeat" in str(failure))


@pytest.mark.parametrize("answer", [broken_off, trickling])
async def test_whoever_knows_better_says_so(anywhere, answer):
    """With `safe_to_repeat` a POST whose outcome is unknown is tried again."""
    limit = 0.3 if answer is trickling else 10
    failure = await failing(anywhere, answer, method="POST", safe_to_repeat=True, timeout_seconds=limit)

    assert failure.retryable


@pytest.mark.parametrize(
    ("status", "method", "retryable"),
    [(500, "POST", True), (502, "GET", True), (502, "POST", False), (504, "POST", False), (404, "GET", False)],
)
async def test_a_gateway_that_knows_nothing_counts_as_an_unknown_outcome(anywhere, status, method, retryable):
    """A service that says it failed may be asked again; a gateway may have passed a POST on."""
    failure = await failing(anywhere, lambda talk: talk.reply(status, {"error": "oh"}), method=method)

    assert ("http_status", retryable) == (failure.code, failure.retryable)


async def test_nobody_at_the_address_may_be_tried_again_whatever_the_method(anywhere):
    """Nothing was sent, so nothing can be doubled."""
    with pytest.raises(failures.Unreachable) as caught:
        await call(anywhere, url="http://127.0.0.1:1/", method="POST")

    assert caught.value.retryable


async def test_an_answer_may_take_as_long_as_the_time_limit_says(make_context, monkeypatch):
    """However long connecting may take at most."""
    monkeypatch.setattr(guard, "CONNECT_SECONDS", 0.2)

    def late(talk):
        talk.server.closing.wait(0.6)
        talk.reply(200, "late")

    with web(late) as service:
        assert "late" == (await call(make_context(http_allow_private=True), url=service.url))["body"]


async def test_a_certificate_nobody_vouches_for_is_refused(anywhere, tmp_path):
    """There is no switch to look away; the message names the setting for an authority of one's own."""
    _, server = write_certificates(tmp_path)
    with web(lambda talk: talk.reply(200, "private"), server) as service, pytest.raises(ActionFailed) as caught:
        await call(anywhere, url=service.url)

    assert ("http_not_trusted", False) == (caught.value.code, caught.value.retryable)
    assert "CANVAS_HTTP_CA_FILE" in str(caught.value)
    assert [] == service.arrived


async def test_an_authority_of_ones_own_can_be_trusted(make_context, tmp_path):
    """Besides the public ones, by a setting."""
    authority, server = write_certificates(tmp_path)
    with web(lambda talk: talk.reply(200, "hello"), server) as service:
        context = make_context(http_allow_private=True, http_ca_file=str(authority))
        assert "hello" == (await call(context, url=service.url))["body"]
        with pytest.raises(failures.NotTrusted):
            await call(context, url=service.url.replace("127.0.0.1", "localhost"))


async def test_https_where_none_is_spoken_is_told(anywhere, server):
    """The message asks the question that helps."""
    with pytest.raises(failures.NotTrusted, match="really speak https"):
        await call(anywhere, url=server.url.replace("http:", "https:"))


async def test_a_detour_over_https_leads_to_no_private_address(make_context, tmp_path):
    """http → https → private: each hop is checked by itself."""
    authority, certificate = write_certificates(tmp_path)
    hidden = web(lambda talk: talk.reply(200, "secret"))
    with (
        hidden as target,
        web(lambda talk: talk.reply(302, b"", location=f"{target.url}/x"), certificate) as second,
        web(lambda talk: talk.reply(301, b"", location=f"{second.url}/x")) as first,
    ):
        allowed = f"127.0.0.1:{first.server_port},127.0.0.1:{second.server_port}"
        context = make_context(http_allowed_origins=allowed, http_ca_file=str(authority))
        with pytest.raises(AddressRefused):
            await call(context, url=first.url)

    assert [1, 1, 0] == [len(each.arrived) for each in (first, second, target)]


async def test_a_name_that_moves_to_a_private_address_between_two_hops_is_refused(make_context, monkeypatch):
    """The first answer was public once, the next connection is checked again: what a name was does not count."""
    addresses = iter(["127.0.0.1", "10.0.0.1"])

    async def getaddrinfo(_loop, host, port, **_):
        address = host if host.replace(".", "").isdigit() else next(addresses)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)

    def answer(talk):
        talk.reply(302, b"", location="/again", connection="close")
        talk.close_connection = True

    with web(answer) as service:
        context = make_context(http_allowed_networks="127.0.0.1/32")
        with pytest.raises(AddressRefused):
            await call(context, url=f"http://moving.example:{service.server_port}/")

    assert 1 == len(service.arrived)


@pytest.mark.parametrize("location", ["ftp://example.com/", "javascript:alert(1)", "http://[::1", "file:///etc/passwd"])
async def test_a_redirect_to_something_else_than_the_web_is_refused(anywhere, location):
    """It says that it was the redirect."""
    failure = await failing(anywhere, lambda talk: talk.reply(302, b"", location=location))

    assert ("http_redirect", False) == (failure.code, failure.retryable)


async def test_a_redirect_with_an_endless_body_costs_nothing(anywhere, server):
    """Where it leads is all that is read of it."""

    def answer(talk):
        talk.start(302, location=f"{server.url}/echo", transfer_encoding="chunked")
        endless_part = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        while not talk.server.closing.is_set():
            talk.wfile.write(endless_part)

    with web(answer) as service:
        assert 200 == (await call(anywhere, url=service.url))["status"]


async def test_a_redirect_can_be_the_answer(anywhere):
    """With `follow_redirects` off it is given as it came."""
    with web(lambda talk: talk.reply(302, b"", location="/elsewhere")) as service:
        answer = await call(anywhere, url=service.url, follow_redirects=False, expect_status=[302])

    assert (302, "/elsewhere", 1) == (answer["status"], answer["headers"]["location"], len(service.arrived))


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "1\r\nX-B: 2"}, {"X-A\r\nX-B": "2"}, {"X A": "1"}, {"": "1"}, {"X-A": "1\0"}, {"X:A": "1"},
        {"Transfer-Encoding": "chunked"}, {"content-length": "5"}, {"Connection": "upgrade"},
    ],
)  # fmt: skip
async def test_no_header_changes_the_request_around_it(anywhere, headers):
    """Neither by a line break nor by the fields that say where a body ends; nothing is sent."""
    with web(lambda talk: talk.reply()) as service, pytest.raises(InvalidArguments, match="header"):
        await call(anywhere, url=service.url, headers=headers, body="x", method="POST")

    assert [] == service.arrived


async def test_no_part_of_a_form_breaks_out_of_it(anywhere):
    """Quotes and line breaks in names stay within their names."""
    evil = 'a"; name="admin"\r\nX: y'
    with web(lambda talk: talk.reply()) as service:
        files = [{"field": evil, "filename": evil, "content": ""}]
        await call(anywhere, url=service.url, method="POST", files=files, form={evil: "1"})

    heads = [line for line in service.arrived[0].body.split(b"\r\n") if line.lower().startswith(b"content-disp")]
    assert 2 == len(heads)
    assert b"\nX: y" not in service.arrived[0].body
    with pytest.raises(InvalidArguments, match="content_type"):
        await call(anywhere, url="http://x", files=[{"filename": "a", "content": "", "content_type": "a/b\r\nX: y"}])


async def test_cookies_of_one_call_are_not_sent_with_the_next(anywhere):
    """All runs share one client: what a service told one of them is no business of the others."""
    with web(lambda talk: talk.reply(200, None, set_cookie="session=of-somebody-else; Path=/")) as service:
        await call(anywhere, url=service.url)
        await call(anywhere, url=service.url)

    assert "cookie" not in service.arrived[1].headers


async def test_what_is_asked_for_beyond_the_time_limit_is_not_waited_for(anywhere, monkeypatch):
    """The failure hands the wish on to the step's retry policy instead."""

    async def no_pause(seconds):
        raise AssertionError(f"waited {seconds} s")

    monkeypatch.setattr(sending, "pause", no_pause)
    failure = await failing(anywhere, lambda talk: talk.reply(503, None, retry_after="3600"), timeout_seconds=30)

    assert (True, 3600.0) == (failure.retryable, failure.retry_in)
