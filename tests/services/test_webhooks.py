"""Webhooks: a request to a path starts a run that sees the request, or says why not."""

from datetime import UTC, datetime

import orjson
import pytest
from sqlmodel import select

from canvas.domain.errors import Invalid, UserError
from canvas.services import deliveries, schedules, webhooks, workflows
from canvas.services.deliveries import Call
from canvas.services.webhooks import WebhookWish
from canvas.vault import Vault
from models import Webhook, WorkflowRun

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def call(session, settings):
    """Send a request to a webhook; gives the run's id."""

    def send(path="go", method="POST", body=None, key=None, now=NOON, **headers) -> str:
        content = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        headers |= {"idempotency-key": key} if key else {}
        request = Call(method=method, path=path, query={"q": "1"}, headers=headers, content=content)
        return deliveries.receive_webhook(session, request, vault=Vault(settings), now=now).run_id

    return send


def runs_of(session):
    return session.exec(select(WorkflowRun)).all()


def test_the_run_sees_the_request(session, publish, call):
    """Method, path, query, headers and body, except what authenticates the sender to us."""
    publish("hook", "[{type: webhook, path: go}]")
    run_id = call(body={"a": 1}, **{"x-kind": "order", "authorization": "Bearer x", "cookie": "y"})

    run = session.get(WorkflowRun, run_id)
    assert {
        "method": "POST",
        "path": "go",
        "query": {"q": "1"},
        "headers": {"x-kind": "order"},
        "body": {"a": 1},
    } == run.trigger_data
    assert "webhook" == run.trigger_type
    assert NOON == session.exec(select(Webhook)).one().last_called_at


def test_parameters_come_from_the_request(session, publish, call):
    """Templates over `trigger.data`; a request that does not fit is refused and starts nothing."""
    publish(
        "hook", '[{type: webhook, path: go, parameters: {id: "{{ trigger.data.body.id }}"}}]', "{id: {type: integer}}"
    )

    assert {"id": 7} == session.get(WorkflowRun, call(body={"id": 7})).parameters
    for body in ({}, {"id": "seven"}, None, "text"):
        with pytest.raises(UserError):
            call(body=body)
    assert 1 == len(runs_of(session))


def test_a_path_nobody_listens_on_is_unknown(session, publish, call):
    """Also when only a part of it is known."""
    publish("hook", "[{type: webhook, path: a/b}]")
    for path in ("a", "a/b/c", "b", ""):
        with pytest.raises(webhooks.WebhookNotFound):
            call(path)

    assert call("/a/b/")


def test_methods_are_as_told(session, publish, call):
    """Any other is refused by name."""
    publish("hook", "[{type: webhook, path: go, methods: [GET, PUT]}]")
    assert call(method="PUT")
    with pytest.raises(webhooks.MethodNotAllowed) as caught:
        call(method="POST")

    assert ["GET", "PUT"] == caught.value.allow


def test_a_webhook_that_is_off_takes_nothing(session, publish, call):
    """Switched off, or its workflow archived."""
    publish("hook", "[{type: webhook, path: go}]")
    (webhook,) = session.exec(select(Webhook)).all()
    webhooks.switch_webhook(session, webhook.id, enabled=False)
    with pytest.raises(webhooks.WebhookOff):
        call()

    webhooks.switch_webhook(session, webhook.id, enabled=True)
    workflows.archive_workflow(session, "hook")
    session.flush()
    with pytest.raises(webhooks.WebhookNotFound):
        call()


def test_a_delivery_that_comes_twice_starts_one_run(session, publish, call):
    """Senders repeat what they are not sure arrived."""
    publish("hook", "[{type: webhook, path: go}]")

    assert call(key="d1") == call(key="d1")
    assert 1 == len(runs_of(session))


def test_a_path_belongs_to_one_workflow(session, publish):
    """Publishing a second listener is refused as a whole."""
    publish("first", "[{type: webhook, path: go}]")
    with pytest.raises(webhooks.WebhookPathTaken):
        publish("second", "[{type: webhook, path: go}]")


@pytest.mark.parametrize(
    "wish", [{"path": ""}, {"path": "/"}, {"path": "a b"}, {"path": "a?b"}, {"path": "x" * 201}, {"path": "a\0"},
             {"path": "a", "methods": []}, {"path": "a", "methods": ["BREW"]}],
)  # fmt: skip
def test_what_cannot_be_listened_on_is_refused(session, publish, wish):
    """Paths and methods are those of HTTP."""
    publish("hook")
    with pytest.raises(Invalid):
        webhooks.create_webhook(session, "hook", WebhookWish(**wish))

    assert [] == session.exec(select(Webhook)).all()


def test_webhooks_kept_by_hand(session, publish, call):
    """They can be changed and forgotten; those of the definition only there."""
    publish("hook", "[{type: webhook, path: fixed}]")
    own = webhooks.create_webhook(session, "hook", WebhookWish(path="mine"))
    webhooks.change_webhook(session, own, WebhookWish(path="changed", methods=["get"]))
    session.flush()
    assert call("changed", "GET")

    webhooks.delete_webhook(session, own)
    session.flush()
    (fixed,) = session.exec(select(Webhook)).all()
    with pytest.raises(schedules.FollowsDefinition):
        webhooks.delete_webhook(session, fixed.id)
    with pytest.raises(webhooks.WebhookNotFound):
        webhooks.delete_webhook(session, own)
