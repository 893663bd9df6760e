"""`social/…` against a service that speaks Mastodon's API: what it is sent, and how it fails."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.actions.connections import InvalidConnection, WrongConnectionKind, connection_kinds
from canvas.actions.exchange import ServiceFailed
from canvas.actions.failures import ActionFailed
from canvas.actions.guard import AddressRefused
from canvas.actions.mastodon import MastodonAccount, counted_length
from canvas.actions.posts import NotOffered, SocialFailed, TooLong
from canvas.actions.registry import InvalidArguments, registry
from canvas.actions.slack_workspace import Slack
from tests.actions.mastodon_service import TOKEN, Mastodon
from tests.actions.service import Answer, Request, serving

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PICTURE = {"base64": base64.b64encode(PNG).decode(), "media_type": "image/png", "alt": "A dot"}


class Pictures(Mastodon):
    """The same service, with pictures to be fetched from it."""

    def answer(self, request: Request) -> Answer:
        if request.path == "/dot.png":
            return Answer(PNG, headers={"Content-Type": "image/png; q=1"})
        if request.path == "/page":
            return Answer(b"<html>", headers={"Content-Type": "text/html"})
        if request.path == "/gone":
            return Answer({}, 404)
        if request.path == "/away":
            return Answer({}, 302, {"Location": "http://169.254.169.254/latest"})
        return super().answer(request)


@pytest.fixture
def server():
    with serving(Pictures()) as service:
        yield service


@pytest.fixture
def account(server):
    return MastodonAccount(base_url=server.url, token=TOKEN, timeout_seconds=5)


@pytest.fixture
def act(make_context, account):
    """Call an action with the account, which is called `fedi`."""

    async def act(name: str, config: MastodonAccount = account, **arguments: object) -> dict:
        reachable = config.base_url.removeprefix("http://")
        context = make_context(connections={"fedi": config}, http_allowed_origins=reachable)
        return await registry()[f"social/{name}"].call({"connection": "fedi", **arguments}, context)

    return act


async def test_a_post_with_everything(act, server):
    """Text, language, warning, audience and pictures arrive; the result says where the post is."""
    media = [PICTURE, {"url": f"{server.url}/dot.png"}]
    result = await act(
        "post", text="Grüße 👋", language="de", content_warning="Spoiler", visibility="followers", media=media
    )

    [form] = server.forms
    sent = {key: form[key] for key in ("status", "language", "spoiler_text", "visibility", "media_ids[]")}
    assert {
        "status": "Grüße 👋",
        "language": "de",
        "spoiler_text": "Spoiler",
        "visibility": "private",
        "media_ids[]": ["100", "101"],
    } == sent
    kept = [(m["kind"], m["content"], m["description"]) for m in server.media.values()]
    assert [("image/png", PNG, "A dot"), ("image/png", PNG, None)] == kept
    expected = {"platform": "mastodon", "id": "1001", "url": "https://loop.example/@canvas/1001", "scheduled_at": None}
    assert expected == result


async def test_an_attempt_that_is_repeated_makes_no_second_post(act, server):
    """The server knows the key of the step and gives the first post again."""
    first, second = [await act("post", text="once") for _ in range(2)]

    assert first == second
    assert 1 == len(server.forms)
    assert {"01JZ:ask"} == {r.headers["idempotency-key"] for r in server.asked("/v1/statuses")}


async def test_an_audience_is_left_to_the_account(act, server):
    """`auto` says nothing, so that the account's own setting holds."""
    await act("post", text="hello")

    assert "visibility" not in server.forms[0]


async def test_a_post_for_later(act, server):
    """It is the server that keeps it; the result says when it appears."""
    at = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    result = await act("schedule", text="later", at=at.isoformat())

    assert at == datetime.fromisoformat(server.forms[0]["scheduled_at"])
    assert ("3221", "", at) == (result["id"], result["url"], datetime.fromisoformat(result["scheduled_at"]))


async def test_too_soon_to_schedule(act, server):
    """Mastodon keeps a post for five minutes at least; what to do instead is told before anything is sent."""
    at = datetime.now(UTC) + timedelta(minutes=4)
    with pytest.raises(NotOffered, match=r"5 minutes ahead.*wait step") as caught:
        await act("schedule", text="soon", at=at.isoformat())

    assert ([], False) == (server.requests, caught.value.retryable)


@pytest.mark.parametrize("which", ["7", "https://loop.example/@canvas/7"])
async def test_an_answer(act, server, which):
    """It hangs below its post, mentions the author, and is no more public than what it answers."""
    await act("reply", text="Yes, until six.", reply_to=which)

    form = server.forms[0]
    assert ("@ada@far.example Yes, until six.", "7", "unlisted") == (
        form["status"],
        form["in_reply_to_id"],
        form["visibility"],
    )


async def test_an_answer_that_mentions_the_author_already(act, server):
    """Nobody is mentioned twice; an audience that was chosen holds."""
    await act("reply", text="Yes, @Ada@far.example!", reply_to="7", visibility="direct")

    assert ("Yes, @Ada@far.example!", "direct") == (server.forms[0]["status"], server.forms[0]["visibility"])


@pytest.mark.parametrize(
    ("which", "words"), [("8", "does not know.*Record not found"), ("https://loop.example/@canvas/8", "finds no post")]
)
async def test_an_answer_to_nothing(act, server, which, words):
    """A post that is not there is told, and nothing is posted."""
    with pytest.raises(ActionFailed, match=words):
        await act("reply", text="Hello?", reply_to=which)

    assert [] == server.forms


async def test_limits_are_those_of_the_server(act, server):
    """Length, number and kind of files are compared before anything is uploaded."""
    with pytest.raises(TooLong, match=r"has 101 characters.* at most 100"):
        await act("post", text="x" * 99, content_warning="xx")
    with pytest.raises(SocialFailed, match="at most 2 files"):
        await act("post", text="x", media=[PICTURE] * 3)
    with pytest.raises(SocialFailed, match="no files of kind video/mp4"):
        await act("post", text="x", media=[{**PICTURE, "media_type": "video/mp4"}])

    assert ([], {}) == (server.forms, server.media)


async def test_a_server_that_tells_nothing_about_itself(act, server):
    """Others that speak the API are taken to allow what Mastodon allows by default."""
    server.limits = None
    await act("post", text="x" * 500)
    with pytest.raises(TooLong, match="at most 500"):
        await act("post", text="x" * 501)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("héllo", 5),
        ("👩‍👩‍👧‍👦🇪🇺", 2),
        ("see https://example.com/" + "x" * 200, 27),
        ("@ada@far.example hi", 7),
        ("ada@far.example", 15),
    ],
)
def test_characters_are_counted_as_mastodon_does(text, length):
    """What people see as one character is one; links have one length; a mention's server is free."""
    assert length == counted_length(text, per_url=23)


@given(st.text(), st.text(alphabet=st.characters(exclude_characters="/@"), max_size=20))
def test_counting_adds_up(text, word):
    """Two texts with a blank in between are at most as long as both, and a text is never longer than its letters."""
    assert counted_length(word, per_url=23) <= len(word)
    assert counted_length(f"{text} {word}", per_url=0) <= len(text) + 1 + len(word)


async def test_the_test_button(make_context, account, server):
    """The token is told by its owner; a wrong one is refused in words."""
    check = connection_kinds()["mastodon"].check

    assert "Signed in as @canvas on 127.0.0.1." == await check(account, make_context())
    with pytest.raises(ServiceFailed, match=r"refused the login.*expired.*access token is invalid"):
        await check(account.model_copy(update={"token": type(account.token)("wrong")}), make_context())


# how it fails


async def test_an_expired_token(act, server):
    """The failure says what to look at, and never the token; it is not tried again."""
    with pytest.raises(ServiceFailed, match="refused the login of the connection") as caught:
        await act("post", MastodonAccount(base_url=server.url, token="expired-t0ken"), text="x")

    assert not caught.value.retryable
    assert "expired-t0ken" not in f"{caught.value} {caught.value.details}"


async def test_a_rate_limit_is_kept(act, server):
    """The moment when the limit ends becomes the pause before the next attempt."""
    moment = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
    server.refusals["/statuses"] = Answer({"error": "Too many requests"}, 429, {"X-RateLimit-Reset": moment})
    with pytest.raises(ServiceFailed, match="fewer requests") as caught:
        await act("post", text="x")

    assert caught.value.retryable
    assert 0 < caught.value.retry_in <= 600


async def test_what_the_server_does_not_accept(act, server):
    """Its own words are told."""
    server.refusals["/statuses"] = Answer({"error": "Validation failed: Text looks like spam"}, 422)
    with pytest.raises(ServiceFailed, match="did not accept this: Validation failed") as caught:
        await act("post", text="x")

    assert not caught.value.retryable


@pytest.mark.parametrize("where", ["/v2/instance/", "/v2/media", "/v1/statuses"])
@pytest.mark.parametrize(
    ("fault", "words", "retryable"),
    [
        ("broken", "answered 500", True),
        ("slow", r"did not answer within 1.5 s", True),
        ("drop", "broke off", True),
        ("endless", "more than 4 MB", False),
        ("redirect", "redirects to http://169.254.169.254", False),
        ("nonsense", "cannot be understood", False),
    ],
)
async def test_a_server_that_misbehaves(act, server, account, where, fault, words, retryable):
    """Each fault ends in bounded time, wherever it happens; the key makes it safe to try again."""
    server.faults = {where: fault}
    short = account.model_copy(update={"timeout_seconds": 1.5}) if fault == "slow" else account
    with pytest.raises(ActionFailed, match=words) as caught:
        await act("post", short, text="x", media=[PICTURE])

    assert retryable == caught.value.retryable


async def test_a_server_that_is_not_there(act):
    """A refused connection may be tried again."""
    with pytest.raises(ServiceFailed, match="cannot be reached") as caught:
        await act("post", MastodonAccount(base_url="http://127.0.0.1:1", token=TOKEN), text="x")

    assert caught.value.retryable


@pytest.mark.parametrize(
    ("path", "failure", "words"),
    [
        ("/gone", SocialFailed, "/gone answered 404"),
        ("/page", SocialFailed, "is text/html, no picture"),
        ("/away", AddressRefused, "169.254.169.254"),
    ],
)
async def test_a_picture_that_cannot_be_had(act, server, path, failure, words):
    """A wrong address, another kind of file, a redirect to where nothing should go: nothing is posted."""
    with pytest.raises(failure, match=words):
        await act("post", text="x", media=[{"url": f"{server.url}{path}?key=s3cr3t"}])

    assert [] == server.forms


async def test_a_picture_without_end(act, server):
    """Fetching stops at 16 MB."""
    server.faults = {"/flood": "endless"}
    with pytest.raises(SocialFailed, match="larger than 16 MB"):
        await act("post", text="x", media=[{"url": f"{server.url}/flood"}])


async def test_a_picture_at_a_private_address(make_context, account, server):
    """What a workflow names goes through the guard, even where the connection itself may go."""
    context = make_context(connections={"fedi": account})
    arguments = {"connection": "fedi", "text": "x", "media": [{"url": "http://127.0.0.1:1/dot.png"}]}
    with pytest.raises(AddressRefused):
        await registry()["social/post"].call(arguments, context)


async def test_a_connection_of_another_kind(make_context):
    """The failure names both kinds that can post."""
    context = make_context(connections={"fedi": Slack(token="x")})
    with pytest.raises(WrongConnectionKind, match="Mastodon account or Bluesky account"):
        await registry()["social/post"].call({"connection": "fedi", "text": "x"}, context)


@pytest.mark.parametrize(
    ("name", "arguments", "where"),
    [
        ("post", {}, "text or media"),
        ("post", {"text": "x", "media": [{}]}, "media.0"),
        ("post", {"text": "x", "media": [{"base64": "YQ=="}]}, "media_type"),
        ("post", {"text": "x", "media": [{"base64": "no!", "media_type": "image/png"}]}, "Base64"),
        ("post", {"text": "x", "language": "German"}, "language"),
        ("schedule", {"text": "x", "at": "2030-01-01T09:00:00"}, "at"),
        ("schedule", {"text": "x"}, "at"),
        ("reply", {"text": "x"}, "reply_to"),
    ],
)
async def test_bad_input_is_told_by_its_place(act, server, name, arguments, where):
    """Nothing is asked before the input is right."""
    with pytest.raises(InvalidArguments, match=where):
        await act(name, **arguments)

    assert [] == server.requests


@pytest.mark.parametrize(
    "values",
    [
        {"base_url": "mastodon.social", "token": "x"},
        {"base_url": "https://mastodon.social/api", "token": "x"},
        {"base_url": "https://mastodon.social"},
        {"base_url": "https://mastodon.social", "token": "/etc/passwd"},
    ],
)
def test_a_connection_that_cannot_work_is_refused(values):
    """A server and a token; the library would read a file of the token's name."""
    with pytest.raises(InvalidConnection):
        connection_kinds()["mastodon"].read(values)
