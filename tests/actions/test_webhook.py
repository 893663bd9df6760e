"""`webhook/send` to a receiver that checks signatures with the official package."""

from base64 import b64encode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from canvas.actions.connections import InvalidConnection, connection_kinds
from canvas.actions.context import Outside
from canvas.actions.failures import ActionFailed
from canvas.actions.registry import InvalidArguments, registry
from canvas.actions.webhook import WebhookReceiver
from tests.actions.web import web

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def call(context, **arguments):
    return await registry()["webhook/send"].call({"timeout_seconds": 10, **arguments}, context)


def receiving(talk) -> None:
    """Take what is rightly signed, as the standard asks for."""
    try:
        Webhook(SECRET).verify(talk.seen.body, talk.seen.headers)
    except WebhookVerificationError as error:
        talk.reply(400, {"error": str(error)})
    else:
        talk.reply(200, {"taken": True})


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_the_receiver_can_check_the_signature(make_context, method):
    """With the official package, at a private address that the connection names; the secret itself is not sent."""
    with web(receiving) as receiver:
        context = make_context({"shop": WebhookReceiver(url=f"{receiver.url}/hooks", secret=SECRET)})
        sent = await call(
            context, connection="shop", type="order.shipped", body={"id": 7, "to": "Zürich"}, method=method
        )

    arrived = receiver.arrived[0]
    told = orjson.loads(arrived.body)
    assert (200, True, {"taken": True}) == (sent["status"], sent["is_signed"], sent["body"])
    assert ("order.shipped", {"id": 7, "to": "Zürich"}) == (told["type"], told["data"])
    assert ("/hooks", method, sent["webhook_id"]) == (arrived.path, arrived.method, arrived.headers["webhook-id"])
    assert SECRET.removeprefix("whsec_") not in str(arrived)


async def test_another_secret_is_not_accepted(make_context):
    """A real receiver refuses; the failure says so and is not tried again."""
    with web(receiving) as receiver:
        context = make_context({"shop": WebhookReceiver(url=receiver.url, secret=b64encode(b"x" * 24).decode())})
        with pytest.raises(ActionFailed, match="No matching signature") as caught:
            await call(context, connection="shop", body=1)

    assert not caught.value.retryable


async def test_every_attempt_has_the_same_id_and_every_step_its_own(make_context):
    """So that a receiver takes each webhook once."""
    ids = []
    with web(receiving) as receiver:
        config = WebhookReceiver(url=receiver.url, secret=SECRET)
        for key in ("run:a", "run:a", "run:each[3]/b"):
            context = make_context({"shop": config})
            object.__setattr__(context, "idempotency_key", key)
            ids.append((await call(context, connection="shop", body={}))["webhook_id"])

    assert ids[0] == ids[1] != ids[2]
    assert all("." not in each for each in ids)


async def test_without_a_connection_it_is_unsigned_and_guarded(make_context, server):
    """An address that a workflow names is as guarded as any; the body is sent as it is."""
    sent = await call(make_context(http_allow_private=True), url=f"{server.url}/echo", body={"camelCase": True})
    with pytest.raises(ActionFailed, match="private address"):
        await call(make_context(), url=f"{server.url}/echo", body=1)

    assert ('{"camelCase":true}', False) == (sent["body"]["body"], sent["is_signed"])
    assert "webhook-signature" not in sent["body"]["headers"]


async def test_nothing_is_signed_for_somebody_else(make_context, server):
    """A url on another origin than the connection's is refused before anything is sent."""
    context = make_context({"shop": WebhookReceiver(url="http://127.0.0.1:1", secret=SECRET)}, http_allow_private=True)
    with pytest.raises(ActionFailed, match="somewhere else"):
        await call(context, connection="shop", url=f"{server.url}/echo")

    assert [] == server.arrived


async def test_a_redirect_is_not_followed(make_context, server):
    """A signed message is for whom it was signed."""
    with web(lambda talk: talk.reply(302, b"", location=f"{server.url}/echo")) as receiver:
        context = make_context({"shop": WebhookReceiver(url=receiver.url, secret=SECRET)}, http_allow_private=True)
        with pytest.raises(ActionFailed, match="answered 302") as caught:
            await call(context, connection="shop")

    assert ([], False) == (server.arrived, caught.value.retryable)


@pytest.mark.parametrize(("status", "retryable"), [(410, False), (404, False), (429, True), (500, True), (502, True)])
async def test_a_refusal_says_whether_to_try_again(make_context, status, retryable):
    """The receiver knows a repetition by its id, so that even a gateway that knows nothing is asked again."""
    with web(lambda talk: talk.reply(status)) as receiver:
        context = make_context({"shop": WebhookReceiver(url=receiver.url, secret=SECRET)})
        with pytest.raises(ActionFailed) as caught:
            await call(context, connection="shop", retries=0)

    assert retryable == caught.value.retryable


async def test_a_busy_receiver_is_called_again_with_the_same_message(make_context):
    """As it asks to, with a signature that still holds."""
    calls = []

    def answer(talk):
        calls.append(talk.seen)
        if len(calls) == 1:
            talk.reply(429, None, retry_after="0")
        else:
            receiving(talk)

    with web(answer) as receiver:
        context = make_context({"shop": WebhookReceiver(url=receiver.url, secret=SECRET)})
        assert 200 == (await call(context, connection="shop", body={"a": 1}))["status"]

    assert calls[0].headers["webhook-id"] == calls[1].headers["webhook-id"]


def test_what_may_be_sent_twice():
    """After a crash a signed webhook is sent again, an unsigned POST is not."""
    send = registry()["webhook/send"]
    calls = [{"connection": "shop"}, {"url": "http://x"}, {"url": "http://x", "method": "PUT"}]

    assert [True, False, True] == [send.is_idempotent(each) for each in calls]


async def test_it_has_to_go_somewhere(make_context):
    """Neither a connection nor a url is refused."""
    with pytest.raises(InvalidArguments, match="connection or a url"):
        await call(make_context(), body=1)


@pytest.mark.parametrize("secret", ["", "whsec_", "not base64!", "whsec_c2hvcnQ=", b64encode(b"x" * 200).decode()])
def test_a_secret_that_cannot_sign_is_refused(secret):
    """When the connection is saved; the message does not quote it."""
    with pytest.raises(InvalidConnection, match="signing secret") as caught:
        connection_kinds()["webhook"].read({"url": "https://x.example", "secret": secret})

    assert secret == "" or secret not in str(caught.value).replace("whsec_ and", "")


@given(st.binary(min_size=16, max_size=128), st.booleans(), st.booleans())
def test_any_good_secret_is_taken_with_and_without_prefix_and_padding(key, has_prefix, has_padding):
    """And signs as the official package does."""
    text = b64encode(key).decode()
    given_text = ("whsec_" if has_prefix else "") + (text if has_padding else text.rstrip("="))
    secret = WebhookReceiver(url="https://x.example", secret=given_text).secret.get_secret_value()

    assert Webhook(key)._whsecret == Webhook(secret)._whsecret


async def test_the_test_button_sends_a_signed_event(make_context):
    """And tells what the receiver said."""
    outside = make_context()
    ways = Outside(http=outside.http, settings=outside.settings)
    with web(receiving) as receiver:
        check = connection_kinds()["webhook"].check
        said = await check(WebhookReceiver(url=receiver.url, secret=SECRET), ways)
        with pytest.raises(ActionFailed, match="No matching signature"):
            await check(WebhookReceiver(url=receiver.url, secret=b64encode(b"y" * 20).decode()), ways)

    assert "answered 200" in said
    assert "canvas.test" == orjson.loads(receiver.arrived[0].body)["type"]
