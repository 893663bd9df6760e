"""Deliveries: proved, taken once, remembered within bounds, and taken again when somebody asks for it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select
from standardwebhooks import Webhook as Sender

from canvas.domain.errors import Invalid, UserError
from canvas.domain.signatures import BadSignature, StaleSignature
from canvas.services import deliveries, views, webhooks
from canvas.services.deliveries import Call
from canvas.vault import Vault
from models import Webhook, WebhookDelivery, WebhookSeen, WorkflowRun

NOW = datetime.now(UTC)
BODY = b'{"n": 1}'


@pytest.fixture
def vault(settings):
    return Vault(settings)


@pytest.fixture
def hook(session, publish):
    """Publish a workflow with one webhook of this signature; gives the webhook."""

    def make(signature="none", **more) -> Webhook:
        keys = "".join(f", {key}: {value}" for key, value in more.items())
        publish("hook", f"[{{type: webhook, path: go, signature: {signature}{keys}}}]")
        return session.exec(select(Webhook)).one()

    return make


@pytest.fixture
def send(session, vault):
    """Send a request as the API would: what is refused is remembered; gives what was taken."""

    def send(content=BODY, now=NOW, query=None, method="POST", **headers):
        call = Call(method=method, path="go", query=query or {}, headers=headers, content=content)
        try:
            with session.begin_nested():
                return deliveries.receive_webhook(session, call, vault=vault, now=now)
        except UserError as error:
            deliveries.note_refusal(session, call, error, status=400, now=now)
            session.flush()
            raise

    return send


def signed(secret, content=BODY, key="msg_1", at=None) -> dict[str, str]:
    moment = at or datetime.now(UTC)
    signature = Sender(secret).sign(key, moment, content.decode())
    return {"webhook-id": key, "webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature}


def rows(session, webhook):
    session.flush()
    return views.delivery_rows(session, webhook.id)


def runs_of(session):
    return session.exec(select(WorkflowRun)).all()


def test_a_signed_webhook_takes_only_what_is_signed(session, hook, send, vault):
    """With its own secret, untouched and in time; the proof itself is never kept."""
    webhook = hook("standard")
    with pytest.raises(deliveries.SecretMissing):
        send(**signed("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    secret = webhooks.rotate_secret(session, webhook.id, vault=vault, now=NOW)
    taken = send(**signed(secret))

    run = session.get(WorkflowRun, taken.run_id)
    assert {"webhook-id", "webhook-timestamp"} == set(run.trigger_data["headers"])
    with pytest.raises(BadSignature):
        send(b'{"n": 2}', **signed(secret, key="msg_2"))
    with pytest.raises(StaleSignature):
        send(**signed(secret, key="msg_3", at=NOW - timedelta(minutes=10)))
    with pytest.raises(BadSignature):
        send()
    assert 1 == len(runs_of(session))


def test_secrets_change_without_a_gap(session, hook, send, vault):
    """The one before counts for a day, the ones before that no more; none stands readable in the database."""
    webhook = hook("token")
    first, second, third = (webhooks.rotate_secret(session, webhook.id, vault=vault, now=NOW) for _ in range(3))
    for secret in (second, third):
        assert send(authorization=f"Bearer {secret}")
    with pytest.raises(BadSignature):
        send(authorization=f"Bearer {first}")
    with pytest.raises(BadSignature):
        send(now=NOW + timedelta(hours=24, seconds=1), authorization=f"Bearer {second}")
    assert send(now=NOW + timedelta(hours=25), query={"token": third, "q": "1"})

    assert third not in f"{webhook.secret} {webhook.previous_secret}"
    session.flush()
    kept = "".join(f"{row.headers} {row.query} {row.detail}" for row in session.exec(select(WebhookDelivery)).all())
    told = "".join(str(run.trigger_data) for run in runs_of(session))
    assert not [secret for secret in (first, second, third) if secret in kept + told]


def test_a_secret_of_another_kind_does_not_count(session, publish, hook, send, vault):
    """A webhook whose signature was changed needs a new one."""
    webhook = hook("token")
    webhooks.rotate_secret(session, webhook.id, vault=vault, now=NOW)
    publish("hook", "[{type: webhook, path: go, signature: standard}]")

    with pytest.raises(deliveries.SecretMissing):
        send()
    publish("hook", "[{type: webhook, path: go}]")
    with pytest.raises(webhooks.NoSignature):
        webhooks.rotate_secret(session, webhook.id, vault=vault, now=NOW)


def test_a_delivery_is_taken_once_a_day(session, hook, send):
    """The second one gets the run of the first, whatever else it says; a day later the id is free again."""
    webhook = hook()
    first = send(**{"webhook-id": "d1"})
    again = send(b'{"n": 2}', now=NOW + timedelta(hours=23), **{"webhook-id": "d1"})
    assert (first.run_id, False, True) == (again.run_id, first.is_duplicate, again.is_duplicate)
    assert 1 == len(runs_of(session))

    later = send(now=NOW + timedelta(hours=25), **{"webhook-id": "d1"})
    assert first.run_id != later.run_id
    assert {"d1"} == {row.delivery_key for row in rows(session, webhook)}
    assert ["duplicate"] == [row.reason for row in rows(session, webhook) if row.reason]
    with pytest.raises(Invalid):
        send(**{"webhook-id": "x" * 256})


def test_a_delivery_that_was_refused_may_come_again(session, publish, send):
    """Only what was taken is seen: a sender that repeats after the repair is taken."""
    publish("hook", '[{type: webhook, path: go, parameters: {n: "{{ trigger.data.body.n }}"}}]', "{n: {type: integer}}")
    with pytest.raises(UserError):
        send(b'{"n": "x"}', **{"webhook-id": "d1"})

    assert not send(**{"webhook-id": "d1"}).is_duplicate


def test_what_was_refused_is_remembered_with_its_reason(session, hook, send, vault):
    """Of a sender that proved nothing neither body nor query nor headers of its own are kept."""
    webhook = hook("token", methods="[POST]")
    webhooks.rotate_secret(session, webhook.id, vault=vault, now=NOW)
    for options in ({"authorization": "Bearer wrong"}, {"method": "PUT"}):
        with pytest.raises(UserError):
            send(b"secret body", query={"a": "secret"}, **{"x-own": "secret"}, **options)

    found = {row.reason: row for row in rows(session, webhook)}
    assert {"bad_signature", "method_not_allowed"} == set(found)
    for row in session.exec(select(WebhookDelivery)).all():
        assert (11, None, {}, {}) == (row.size, row.body, row.query, row.headers)
        with pytest.raises(deliveries.DeliveryNotKept):
            deliveries.replay_delivery(session, row.id, now=NOW)


def test_a_flood_of_refusals_fills_no_disk(session, hook, send):
    """Only so many are noted in a minute; those that are taken always are."""
    webhook = hook("token")
    for _ in range(deliveries.REFUSALS_NOTED + 5):
        with pytest.raises(deliveries.SecretMissing):
            send()

    assert deliveries.REFUSALS_NOTED == len(session.exec(select(WebhookDelivery)).all())
    with pytest.raises(deliveries.SecretMissing):
        send(now=NOW + timedelta(minutes=2))
    session.flush()
    assert deliveries.REFUSALS_NOTED + 1 == len(session.exec(select(WebhookDelivery)).all())
    assert webhook.last_called_at is None


def test_a_delivery_can_be_taken_again(session, hook, send, vault):
    """As the webhook is now, without a proof; the run says which one it repeats, and so does the list."""
    webhook = hook("token")
    secret = webhooks.rotate_secret(session, webhook.id, vault=vault, now=NOW)
    first = send(query={"token": secret, "q": "1"}, **{"x-kind": "order", "webhook-id": "d1"})
    (row,) = rows(session, webhook)
    again = deliveries.replay_delivery(session, row.id, now=NOW, triggered_by="replay by ada")

    one, other = session.get(WorkflowRun, first.run_id), session.get(WorkflowRun, again)
    assert {**one.trigger_data, "replay_of": row.id} == other.trigger_data
    assert "replay by ada" == other.triggered_by
    assert {row.id, ""} == {each.replay_of for each in rows(session, webhook)}
    with pytest.raises(deliveries.DeliveryNotFound):
        deliveries.replay_delivery(session, "nothing", now=NOW)


def test_a_long_body_is_not_kept(session, hook, send):
    """The run has it; the delivery says how long it was."""
    webhook = hook()
    content = b'"' + b"x" * deliveries.MAX_KEPT_BODY + b'"'
    send(content)

    (row,) = rows(session, webhook)
    assert (len(content), False) == (row.size, row.can_replay)
    assert deliveries.MAX_KEPT_BODY == len(runs_of(session)[0].trigger_data["body"])


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"", "application/json", None),
        (b"[1]", "text/plain", [1]),
        (b"hi", "text/plain", "hi"),
        (b"a=1&b=2&b=3&c=", "application/x-www-form-urlencoded; charset=utf-8", {"a": "1", "b": ["2", "3"], "c": ""}),
        ("é".encode(), "", "é"),
    ],
)
def test_bodies_are_read_for_what_they_are(session, hook, send, content, kind, expected):
    """JSON wherever it is JSON, forms as names and values, else text."""
    hook()
    run = session.get(WorkflowRun, send(content, **{"content-type": kind}).run_id)

    assert expected == run.trigger_data["body"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"{", "application/json"), (b"[" * 5_000 + b"]" * 5_000, "application/json"), (b"\xff\xfe", "text/plain"),
     (b'{"a": NaN}', "application/cloudevents+json")],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(session, hook, send, content, kind):
    """Broken or endlessly nested JSON, and bytes that are no text; nothing starts, and the reason is remembered."""
    webhook = hook()
    with pytest.raises(deliveries.UnreadableBody):
        send(content, **{"content-type": kind})

    assert ["unreadable_body"] == [row.reason for row in rows(session, webhook)]
    assert [] == runs_of(session)


def test_only_the_latest_are_remembered(session, hook, send):
    """Two hundred that were taken and as many that were not, for a month; ids for a day."""
    webhook = hook()
    for number in range(3):
        send(**{"webhook-id": f"d{number}"})
    session.flush()
    kept = deliveries.KEPT_PER_WEBHOOK
    for number in range(kept + 7):
        session.add(_row(webhook, f"1{number:025}", run_id="r"))
        session.add(_row(webhook, f"2{number:025}", reason="bad_signature"))
    session.add(_row(webhook, "0", received_at=NOW - timedelta(days=31)))
    session.flush()

    assert 7 + 3 + 8 == deliveries.prune_deliveries(session, now=NOW)
    assert 3 == len(session.exec(select(WebhookSeen)).all())
    assert 3 == deliveries.prune_deliveries(session, now=NOW + timedelta(hours=25))
    assert [] == session.exec(select(WebhookSeen)).all()
    assert 2 * kept == len(session.exec(select(WebhookDelivery)).all())


def _row(webhook, key, **more):
    known = {"received_at": NOW, "method": "POST", "status": 202, **more}
    return WebhookDelivery(id=key, webhook_id=webhook.id, **known)
