"""`social/…` against a service that speaks Bluesky's protocol: what it is sent, and how it fails."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.actions import bluesky
from canvas.actions.bluesky import BlueskyAccount, record_key
from canvas.actions.connections import InvalidConnection, connection_kinds
from canvas.actions.exchange import ServiceFailed
from canvas.actions.failures import ActionFailed
from canvas.actions.posts import NotOffered, SocialFailed, TooLong
from canvas.actions.registry import registry
from tests.actions.bluesky_service import ADA, CID, DID, HANDLE, PASSWORD, Bluesky
from tests.actions.service import Answer, serving

PICTURE = {"base64": base64.b64encode(b"\x89PNG").decode(), "media_type": "image/png", "alt": "A dot"}
RUN = "01JZ0000000000000000000000"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(bluesky, "_sessions", {})
    with serving(Bluesky()) as service:
        yield service


@pytest.fixture
def account(server):
    return BlueskyAccount(service_url=server.url, handle=HANDLE, app_password=PASSWORD, timeout_seconds=10)


@pytest.fixture
def act(make_context, account):
    """Call an action with the account, which is called `sky`."""

    async def act(name: str, config: BlueskyAccount = account, **arguments: object) -> dict:
        context = make_context(connections={"sky": config})
        return await registry()[f"social/{name}"].call({"connection": "sky", **arguments}, context)

    return act


async def test_a_post_with_everything(act, server):
    """Text, language and pictures arrive; links, mentions and tags are marked where they stand, in bytes."""
    text = "Grüße @ada.bsky.social, @nobody.bsky.social! https://example.com/x #news"
    result = await act("post", text=text, language="de", media=[PICTURE])

    [(uri, record)] = server.records.items()
    assert (text, ["de"], "app.bsky.feed.post") == (record["text"], record["langs"], record["$type"])
    found = {
        text.encode()[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode(): f["features"][0]
        for f in record["facets"]
    }
    assert {
        "@ada.bsky.social": {"$type": "app.bsky.richtext.facet#mention", "did": ADA},
        "https://example.com/x": {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.com/x"},
        "#news": {"$type": "app.bsky.richtext.facet#tag", "tag": "news"},
    } == found
    image = record["embed"]["images"][0]
    assert ("app.bsky.embed.images", "A dot", [b"\x89PNG"]) == (record["embed"]["$type"], image["alt"], server.blobs)
    assert datetime.fromisoformat(record["createdAt"]).tzinfo is not None
    key = record_key(RUN, "01JZ:ask")
    assert f"at://{DID}/app.bsky.feed.post/{key}" == uri == result["id"]
    assert f"https://bsky.app/profile/{DID}/post/{key}" == result["url"]


async def test_an_attempt_that_is_repeated_makes_no_second_post(act, server):
    """The post has the name that its step's key gives it: it is found and left as it is."""
    first = await act("post", text="once")
    kept = dict(server.records)
    second = await act("post", text="once")

    assert first == second
    assert kept == server.records
    assert 1 == len(server.asked("createRecord"))


async def test_a_name_that_is_taken_by_another_post(act, server):
    """It is never taken for this one."""
    await act("post", text="one")
    with pytest.raises(SocialFailed, match="another post"):
        await act("post", text="two")

    assert ["one"] == [record["text"] for record in server.records.values()]


async def test_one_login_is_enough(act, server):
    """The network allows few logins a day, so one that holds is used again."""
    for _ in range(3):
        await act("post", text="hello")

    assert 1 == len(server.asked("createSession"))


async def test_a_login_that_was_ended_is_made_again(act, server):
    """A token that the server no longer knows leads to a new login, once."""
    await act("post", text="hello")
    server.tokens.clear()
    server.records.clear()
    await act("post", text="hello")

    assert 2 == len(server.asked("createSession"))
    assert 1 == len(server.records)


async def test_a_login_that_runs_out_is_renewed(act, server):
    """The library asks for a new token before the old one ends; the new one is kept."""
    server.expires_in = 60
    await act("post", text="hello")
    await act("post", text="hello")

    assert (1, 1) == (len(server.asked("createSession")), len(server.asked("refreshSession")))


@pytest.mark.parametrize("form", ["at://{ADA}/app.bsky.feed.post/3k", "https://bsky.app/profile/{WHO}/post/3k"])
@pytest.mark.parametrize("who", [ADA, "ada.example"])
async def test_an_answer(act, server, form, who):
    """It names the post above it and the one that the thread began with."""
    parent, root = f"at://{ADA}/app.bsky.feed.post/3k", {"uri": f"at://{ADA}/app.bsky.feed.post/2a", "cid": CID}
    post = {"$type": "app.bsky.feed.post", "text": "Is it open?", "createdAt": "2026-11-20T12:00:00Z"}
    server.records[parent] = {**post, "reply": {"root": root, "parent": root}}
    await act("reply", text="Yes.", reply_to=form.format(ADA=ADA, WHO=who))

    sent = list(server.records.values())[-1]
    assert (root, {"uri": parent, "cid": CID}) == tuple(
        {key: ref[key] for key in ("uri", "cid")} for ref in (sent["reply"]["root"], sent["reply"]["parent"])
    )


async def test_an_answer_to_the_first_post_of_a_thread(act, server):
    """That is parent and root at once."""
    parent = f"at://{ADA}/app.bsky.feed.post/3k"
    server.records[parent] = {"$type": "app.bsky.feed.post", "text": "?", "createdAt": "2026-11-20T12:00:00Z"}
    await act("reply", text="Yes.", reply_to=parent)

    reply = list(server.records.values())[-1]["reply"]
    assert parent == reply["parent"]["uri"] == reply["root"]["uri"]


@pytest.mark.parametrize(
    ("which", "words"),
    [
        (f"at://{ADA}/app.bsky.feed.post/none", "finds no post"),
        ("https://example.com/post", "is named at://"),
        ("3k", "is named at://"),
        ("https://bsky.app/profile/nobody.example/post/3k", "Unable to resolve handle"),
    ],
)
async def test_an_answer_to_nothing(act, server, which, words):
    """A post that is not there is told, and nothing is posted."""
    with pytest.raises(ActionFailed, match=words):
        await act("reply", text="Hello?", reply_to=which)

    assert {} == server.records


@pytest.mark.parametrize(
    ("arguments", "failure", "words"),
    [
        ({"text": "x" * 301}, TooLong, "has 301 characters.*at most 300"),
        ({"text": "👩‍👩‍👧‍👦" * 200}, TooLong, "at most 300"),
        ({"text": "x", "visibility": "followers"}, NotOffered, "every post is public"),
        ({"text": "x", "content_warning": "Spoiler"}, NotOffered, "no content warnings"),
        ({"text": "x", "media": [{**PICTURE, "media_type": "video/mp4"}]}, NotOffered, "Only pictures"),
        ({"text": "x", "media": [PICTURE] * 5}, SocialFailed, "at most 4 pictures"),
        ({"text": "x", "media": [{**PICTURE, "base64": "AAAA" * 400_000}]}, SocialFailed, "at most 1,000 kB"),
    ],
)
async def test_what_does_not_fit_is_told_before_anything_is_sent(act, server, arguments, failure, words):
    """A failure says what the network offers instead, and is not tried again."""
    with pytest.raises(failure, match=words) as caught:
        await act("post", **arguments)

    assert (False, []) == (caught.value.retryable, server.requests)


async def test_characters_are_those_that_people_see(act, server):
    """300 families of emoji would be too many bytes, 100 are fine and count as 100."""
    await act("post", text="👩‍👩‍👧‍👦" * 100)

    assert 1 == len(server.records)


async def test_nothing_is_kept_for_later(act, server):
    """There is no such thing on Bluesky, and the failure says how to do it."""
    at = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(NotOffered, match="wait step before social/post") as caught:
        await act("schedule", text="later", at=at.isoformat())

    assert (False, "not_offered", []) == (caught.value.retryable, caught.value.code, server.requests)


async def test_the_test_button(make_context, account, server):
    """It logs in anew; a wrong password is refused in words and not shown."""
    check = connection_kinds()["bluesky"].check

    for _ in range(2):
        assert f"Signed in as {HANDLE} ({DID})." == await check(account, make_context())
    assert 2 == len(server.asked("createSession"))
    wrong = BlueskyAccount(service_url=server.url, handle=HANDLE, app_password="wr0ng")
    with pytest.raises(ServiceFailed, match=r"refused the login.*Invalid identifier or password") as caught:
        await check(wrong, make_context())
    assert "wr0ng" not in f"{caught.value} {caught.value.details}"
    assert not caught.value.retryable


async def test_a_rate_limit_is_kept(act, server):
    """The moment when the limit ends becomes the pause before the next attempt."""
    moment = str(int((datetime.now(UTC) + timedelta(minutes=10)).timestamp()))
    server.refusals["createRecord"] = Answer(
        {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}, 429, {"ratelimit-reset": moment}
    )
    with pytest.raises(ServiceFailed, match="fewer requests") as caught:
        await act("post", text="x")

    assert caught.value.retryable
    assert 0 < caught.value.retry_in <= 600


@pytest.mark.parametrize("where", ["createSession", "uploadBlob", "createRecord"])
@pytest.mark.parametrize(
    ("fault", "words", "retryable"),
    [
        ("broken", "answered 500", True),
        ("page", "answered 502", True),
        ("slow", r"did not answer within 1.5 s", True),
        ("drop", "broke off", True),
        ("endless", "more than 4 MB", False),
        ("redirect", "redirects to http://169.254.169.254", False),
        ("nonsense", "cannot be understood", False),
    ],
)
async def test_a_server_that_misbehaves(act, server, account, where, fault, words, retryable):
    """Each fault ends in bounded time, wherever it happens; the post's name makes it safe to try again."""
    server.faults = {where: fault}
    short = account.model_copy(update={"timeout_seconds": 1.5}) if fault == "slow" else account
    with pytest.raises(ActionFailed, match=words) as caught:
        await act("post", short, text="x", media=[PICTURE])

    assert retryable == caught.value.retryable


@pytest.mark.parametrize(
    "values",
    [
        {"handle": "canvas.example"},
        {"handle": "canvas example", "app_password": "x"},
        {"handle": "canvas.example", "app_password": "x", "service_url": "bsky.social"},
        {"handle": "canvas.example", "app_password": "x", "service_url": "https://a:b@bsky.social"},
    ],
)
def test_a_connection_that_cannot_work_is_refused(values):
    """An account and its password, at a web address."""
    with pytest.raises(InvalidConnection):
        connection_kinds()["bluesky"].read(values)


@given(st.text(min_size=1))
def test_a_posts_name_is_one_the_network_takes(key):
    """13 letters of its alphabet, the first of them small, the same for the same step and no other."""
    from atproto_client.models.string_formats import validate_tid

    name = record_key(RUN, key)
    validate_tid(name, None)
    assert name == record_key(RUN, key) != record_key(RUN, f"{key}.")
