"""Webhooks: keeping them, and the secrets that their senders prove themselves with."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, select

from canvas.domain.definition import DEFAULT_RESPOND_SECONDS
from canvas.domain.dsl.grammar import MAX_RESPOND
from canvas.domain.errors import Conflict, Invalid, NotFound, UserError
from canvas.domain.states import Respond, Signature
from canvas.services.definitions import find_workflow
from canvas.services.schedules import FollowsDefinition
from canvas.services.switches import declare, put, retire, switch
from canvas.vault import Vault
from models import Webhook, Workflow

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MAX_PATH_LENGTH = 200
OLD_SECRET_COUNTS: Final = timedelta(hours=24)
"How long the secret before the newest one is still taken."
_SECRET_BYTES: Final = 32


class WebhookNotFound(NotFound):
    """Nobody listens here."""

    code = "webhook_not_found"


class WebhookPathTaken(Conflict):
    """Another workflow listens on this path."""

    code = "webhook_path_taken"


class WebhookOff(Conflict):
    """The webhook is switched off, or its workflow is not published."""

    code = "webhook_off"


class NoSignature(Conflict):
    """The webhook takes requests from everybody, so it has no secret."""

    code = "webhook_without_signature"


class MethodNotAllowed(UserError):
    """The webhook does not take this method."""

    code = "method_not_allowed"

    @property
    def allow(self) -> list[str]:
        """The methods it does take."""
        allowed = self.details.get("allow")
        return list(map(str, allowed)) if isinstance(allowed, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookWish:
    """What a webhook is to be. `parameters` are templates over `trigger.data`."""

    path: str
    methods: Sequence[str] = ("POST",)
    parameters: Mapping[str, Any] | None = None
    signature: Signature = Signature.NONE
    respond: Respond = Respond.AT_ONCE
    respond_timeout_seconds: float = DEFAULT_RESPOND_SECONDS
    enabled: bool = True


def create_webhook(session: Session, workflow_name: str, wish: WebhookWish) -> str:
    """Let a workflow listen on a path; gives the webhook's id.

    Raises:
        WorkflowNotFound: there is no such workflow.
        WebhookPathTaken: somebody listens there already.
        Invalid: the path or a method is not possible.
    """
    workflow = find_workflow(session, workflow_name)
    webhook = Webhook(workflow_id=workflow.id, path="")
    put(webhook, enabled=wish.enabled)
    session.add(_shape(session, webhook, wish))
    session.flush()
    return webhook.id


def change_webhook(session: Session, webhook_id: str, wish: WebhookWish) -> None:
    """Give a webhook another shape.

    Raises:
        WebhookNotFound: there is no such webhook.
        FollowsDefinition: it belongs to a published version.
        WebhookPathTaken, Invalid: as `create_webhook`.
    """
    webhook = _own_webhook(session, webhook_id)
    put(_shape(session, webhook, wish), enabled=wish.enabled)


def switch_webhook(session: Session, webhook_id: str, *, enabled: bool) -> None:
    """Switch a webhook on or off, whatever its definition says.

    Raises:
        WebhookNotFound: there is no such webhook.
    """
    switch(find_webhook(session, webhook_id), enabled=enabled)


def delete_webhook(session: Session, webhook_id: str) -> None:
    """Stop listening.

    Raises:
        WebhookNotFound: there is no such webhook.
        FollowsDefinition: it belongs to a published version.
    """
    session.delete(_own_webhook(session, webhook_id))


def rotate_secret(session: Session, webhook_id: str, *, vault: Vault, now: datetime) -> str:
    """Make a webhook a new secret and give it, this once; the one before is still taken for 24 hours.

    Raises:
        WebhookNotFound: there is no such webhook.
        NoSignature: it takes requests from everybody.
    """
    webhook = find_webhook(session, webhook_id)
    if webhook.signature is Signature.NONE:
        raise NoSignature(f"The webhook {webhook.path} takes requests from everybody: give it a `signature` first.")
    random = secrets.token_bytes(_SECRET_BYTES)
    secret = f"whsec_{base64.b64encode(random).decode()}"
    if webhook.signature is Signature.TOKEN:
        secret = base64.urlsafe_b64encode(random).decode().rstrip("=")
    webhook.previous_secret, webhook.previous_until = webhook.secret, now + OLD_SECRET_COUNTS
    webhook.secret = vault.seal(_sealed_for(webhook), {"signature": webhook.signature.value, "secret": secret})
    return secret


def secrets_of(webhook: Webhook, *, vault: Vault, now: datetime) -> list[str]:
    """Open the secrets that count now, the newest first; none when none was made for this kind of signature.

    Raises:
        VaultError: they were sealed with a key that is gone.
    """
    sealed = [webhook.secret]
    if webhook.previous_until is not None and webhook.previous_until > now:
        sealed.append(webhook.previous_secret)
    opened = [vault.open(_sealed_for(webhook), text) for text in sealed if text]
    return [one["secret"] for one in opened if one["signature"] == webhook.signature.value]


def sync_webhooks(session: Session, workflow: Workflow, wishes: list[WebhookWish], *, now: datetime) -> None:
    """Make a workflow's webhooks those of its published version; switches and secrets stay with their paths.

    Raises:
        WebhookPathTaken: another workflow listens on one of the paths.
    """
    kept = session.exec(
        select(Webhook)
        .where(Webhook.workflow_id == workflow.id, col(Webhook.is_from_definition).is_(True))
        .order_by(col(Webhook.retired_at).is_(None))
    ).all()
    known = {webhook.path: webhook for webhook in kept}
    for wish in wishes:
        webhook = known.pop(_clean(wish.path), None) or Webhook(
            workflow_id=workflow.id, is_from_definition=True, path=""
        )
        session.add(_shape(session, webhook, wish))
        declare(webhook, enabled=wish.enabled)
    for webhook in known.values():
        retire(webhook, now=now)
    session.flush()


def webhook_at(session: Session, path: str) -> Webhook:
    """Load the webhook that listens on a path.

    Raises:
        WebhookNotFound: nobody listens there.
    """
    query = select(Webhook).where(Webhook.path == _clean(path), col(Webhook.retired_at).is_(None))
    webhook = session.exec(query).one_or_none()
    if webhook is None:
        raise WebhookNotFound(f"Nobody listens on {path!r}.")
    return webhook


def find_webhook(session: Session, webhook_id: str) -> Webhook:
    """Load a webhook by its id.

    Raises:
        WebhookNotFound: there is no such webhook.
    """
    webhook = session.get(Webhook, webhook_id)
    if webhook is None or webhook.retired_at is not None:
        raise WebhookNotFound(f"There is no webhook {webhook_id!r}.", webhook_id=webhook_id)
    return webhook


def _shape(session: Session, webhook: Webhook, wish: WebhookWish) -> Webhook:
    path, methods = _clean(wish.path), [method.upper() for method in wish.methods]
    if not path or len(path) > MAX_PATH_LENGTH or any(c.isspace() or c in "?#" or not c.isprintable() for c in path):
        raise Invalid(f"A webhook's path has 1 to {MAX_PATH_LENGTH} characters, without spaces, `?` and `#`.")
    if not methods or not set(methods) <= set(METHODS):
        raise Invalid(f"A webhook takes one or more of {', '.join(METHODS)}.")
    if not 0 < wish.respond_timeout_seconds <= MAX_RESPOND:
        raise Invalid(f"A webhook waits for a result above 0 and at most {MAX_RESPOND} seconds.")
    with session.no_autoflush:
        listening = select(Webhook).where(Webhook.path == path, col(Webhook.retired_at).is_(None))
        taken = session.exec(listening).one_or_none()
    if taken is not None and taken.id != webhook.id:
        raise WebhookPathTaken(f"Another webhook listens on {path!r} already.", path=path)
    webhook.path, webhook.methods = path, methods
    webhook.parameters = dict(wish.parameters or {})
    webhook.signature, webhook.respond = wish.signature, wish.respond
    webhook.respond_timeout_seconds = wish.respond_timeout_seconds
    return webhook


def _clean(path: str) -> str:
    return path.strip("/")


def _sealed_for(webhook: Webhook) -> str:
    return f"webhook:{webhook.id}"


def _own_webhook(session: Session, webhook_id: str) -> Webhook:
    webhook = find_webhook(session, webhook_id)
    if webhook.is_from_definition:
        raise FollowsDefinition(f"The webhook {webhook.path} stands in the workflow's definition; change it there.")
    return webhook
