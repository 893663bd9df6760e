"""What `http/request` sends as a body and what it makes of an answer."""

from base64 import b64decode, b64encode
from email import message_from_bytes
from email.policy import HTTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.actions.http.arguments import Request
from canvas.actions.http.bodies import body_of
from canvas.actions.http.failures import AnswerUnreadable, NotSendable
from canvas.actions.registry import InvalidArguments, registry
from tests.actions.web import web


async def call(context, **arguments):
    return await registry()["http/request"].call(arguments, context)


@pytest.fixture
def anywhere(make_context):
    """A context that may reach every private address."""
    return make_context(http_allow_private=True)


async def sent(context, **arguments):
    with web(lambda talk: talk.reply()) as service:
        await call(context, url=service.url, method="POST", **arguments)
    return service.arrived[0]


async def test_a_form_is_sent_as_browsers_do(anywhere):
    """Encoded as in a query; a list repeats its name."""
    arrived = await sent(anywhere, form={"name": "Ada & Co", "tag": ["a", 1], "ok": True})

    assert b"name=Ada+%26+Co&tag=a&tag=1&ok=true" == arrived.body
    assert "application/x-www-form-urlencoded" == arrived.headers["content-type"]


async def test_files_are_sent_in_parts_beside_the_form(anywhere):
    """With name, kind and bytes as given."""
    content = bytes(range(256))
    files = [
        {"field": "scan", "filename": "a.bin", "content": b64encode(content).decode(), "content_type": "image/png"}
    ]
    arrived = await sent(anywhere, files=files, form={"note": "hello"})

    head = f"content-type: {arrived.headers['content-type']}\r\n\r\n".encode()
    note, scan = message_from_bytes(head + arrived.body, policy=HTTP).iter_parts()
    assert ("hello", "note") == (note.get_content(), note.get_param("name", header="content-disposition"))
    assert ("image/png", "a.bin", content) == (scan.get_content_type(), scan.get_filename(), scan.get_content())


@pytest.mark.parametrize(
    ("given", "body", "kind"),
    [
        ({"body": "ünï"}, "ünï".encode(), None),
        ({"body_base64": b64encode(b"\0\xff").decode()}, b"\0\xff", "application/octet-stream"),
        ({"json": {"a": [1, None]}}, b'{"a":[1,null]}', "application/json"),
        ({"json": 1, "headers": {"Content-Type": "application/vnd.api+json"}}, b"1", "application/vnd.api+json"),
        ({"body": "<a/>", "headers": {"content-type": "text/xml"}}, b"<a/>", "text/xml"),
    ],
)  # fmt: skip
async def test_other_bodies_are_sent_as_they_are(anywhere, given, body, kind):
    """With the content type that belongs to them, unless another is given."""
    arrived = await sent(anywhere, **given)

    assert (body, kind) == (arrived.body, arrived.headers.get("content-type"))


async def test_two_bodies_are_refused(anywhere):
    """Which one was meant is not guessed."""
    with pytest.raises(InvalidArguments, match="json and body"):
        await call(anywhere, url="http://x", json=1, body="2")


@pytest.mark.parametrize("arguments", [{"body_base64": "not base64"}, {"files": [{"filename": "a", "content": "?"}]}])
async def test_what_is_no_base64_is_told_before_anything_is_sent(anywhere, arguments):
    """By the name of the argument or of the file."""
    with web(lambda talk: talk.reply()) as service, pytest.raises(NotSendable, match="base64"):
        await call(anywhere, url=service.url, method="POST", **arguments)

    assert [] == service.arrived


@given(st.binary(max_size=200))
def test_any_bytes_go_through_base64(content):
    """Line breaks in it, as mail programs write them, do not matter."""
    text = b64encode(content).decode()
    broken = "\n".join(text[at : at + 76] for at in range(0, len(text), 76))

    assert content == body_of(Request(url="http://x", body_base64=broken)).get("content", b"")


@pytest.mark.parametrize(
    ("kind", "content", "wanted", "expected"),
    [
        ("application/json", b'{"a": 1}', "auto", ("json", {"a": 1})),
        ("application/problem+json; charset=utf-8", b"[1]", "auto", ("json", [1])),
        ("application/json", b"{broken", "auto", ("text", "{broken")),
        ("application/json", b"", "auto", ("json", None)),
        ("text/plain", b"[1]", "json", ("json", [1])),
        ("application/json", b"[1]", "text", ("text", "[1]")),
        ("image/png", b"\x89PNG", "auto", ("base64", b64encode(b"\x89PNG").decode())),
        ("image/svg+xml", b"<svg/>", "auto", ("text", "<svg/>")),
        ("text/plain", b"\xff", "base64", ("base64", "/w==")),
        ("", b"plain", "auto", ("text", "plain")),
    ],
)
async def test_the_answer_comes_as_wanted(anywhere, kind, content, wanted, expected):
    """Or, when nothing is wanted, as what it says it is."""
    with web(lambda talk: talk.reply(200, content, content_type=kind)) as service:
        answer = await call(anywhere, url=service.url, answer=wanted)

    assert expected == (answer["body_kind"], answer["body"])
    if wanted == "base64":
        assert content == b64decode(answer["body"])


async def test_an_answer_that_has_to_be_json_and_is_not_fails(anywhere):
    """Here for good: it was asked for explicitly."""
    with web(lambda talk: talk.reply(200, b"<html>")) as service, pytest.raises(AnswerUnreadable, match="not JSON"):
        await call(anywhere, url=service.url, answer="json")
