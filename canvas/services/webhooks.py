"""Webhooks: keeping them, and taking the requests that come in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from canvas.domain.errors import Conflict, Invalid, NotFound, UserError
from canvas.domain.states import TriggerType, WorkflowStatus
from canvas.services.definitions import find_workflow
from canvas.services.runs import start_triggered
from canvas.services.schedules import FollowsDefinition
from models import Webhook, Workflow

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MAX_PATH_LENGTH = 200
PRIVATE_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
"Never kept with a run: they are for us, not for the workflow."


class WebhookNotFound(NotFound):
    """Nobody listens here."""

    code = "webhook_not_found"


class WebhookPathTaken(Conflict):
    """Another workflow listens on this path."""

    code = "webhook_path_taken"


class WebhookOff(Conflict):
    """The webhook is switched off, or its workflow is not published."""

    code = "webhook_off"


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
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to a webhook; becomes the run's `trigger.data`."""

    method: str
    path: str
    query: Mapping[str, Any]
    "One text per name, or a list where a name came several times."
    headers: Mapping[str, str]
    body: Any
    "JSON as values, else text; None without a body."


def create_webhook(session: Session, workflow_name: str, wish: WebhookWish) -> str:
    """Let a workflow listen on a path; gives the webhook's id.

    Raises:
        WorkflowNotFound: there is no such workflow.
        WebhookPathTaken: somebody listens there already.
        Invalid: the path or a method is not possible.
    """
    workflow = find_workflow(session, workflow_name)
    webhook = Webhook(workflow_id=workflow.id, path="")
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
    _shape(session, _own_webhook(session, webhook_id), wish)


def switch_webhook(session: Session, webhook_id: str, *, enabled: bool) -> None:
    """Switch a webhook on or off.

    Raises:
        WebhookNotFound: there is no such webhook.
    """
    _find_webhook(session, webhook_id).enabled = enabled


def delete_webhook(session: Session, webhook_id: str) -> None:
    """Stop listening.

    Raises:
        WebhookNotFound: there is no such webhook.
        FollowsDefinition: it belongs to a published version.
    """
    session.delete(_own_webhook(session, webhook_id))


def sync_webhooks(session: Session, workflow: Workflow, wishes: list[WebhookWish]) -> None:
    """Make a workflow's webhooks those of its published version.

    Raises:
        WebhookPathTaken: another workflow listens on one of the paths.
    """
    kept = session.exec(
        select(Webhook).where(Webhook.workflow_id == workflow.id, col(Webhook.is_from_definition).is_(True))
    ).all()
    known = {webhook.path: webhook for webhook in kept}
    for wish in wishes:
        webhook = known.pop(_clean(wish.path), None) or Webhook(
            workflow_id=workflow.id, is_from_definition=True, path=""
        )
        session.add(_shape(session, webhook, wish))
    for webhook in known.values():
        session.delete(webhook)
    session.flush()


def receive_webhook(session: Session, call: Call, *, now: datetime, idempotency_key: str | None = None) -> str:
    """Start a run for a request; gives the run's id.

    Args:
        idempotency_key: A second delivery with the same key gives the run of the first one.

    Raises:
        WebhookNotFound: nobody listens on the path.
        MethodNotAllowed: the webhook does not take this method.
        WebhookOff: it is switched off, or the workflow is not published.
        UserError: the request does not fit the workflow's parameters.
    """
    webhook = session.exec(select(Webhook).where(Webhook.path == _clean(call.path))).one_or_none()
    if webhook is None:
        raise WebhookNotFound(f"Nobody listens on {call.path!r}.")
    if call.method not in webhook.methods:
        raise MethodNotAllowed(
            f"This webhook takes {', '.join(webhook.methods)}, not {call.method}.", allow=webhook.methods
        )
    workflow = session.get_one(Workflow, webhook.workflow_id)
    if not webhook.enabled or workflow.published_version is None or workflow.status is not WorkflowStatus.ACTIVE:
        raise WebhookOff("This webhook is switched off, or its workflow is not published.")
    webhook.last_called_at = now
    data = {
        "method": call.method,
        "path": webhook.path,
        "query": dict(call.query),
        "headers": {name: value for name, value in call.headers.items() if name.lower() not in PRIVATE_HEADERS},
        "body": call.body,
    }
    return start_triggered(
        session,
        workflow,
        webhook.parameters,
        trigger_type=TriggerType.WEBHOOK,
        trigger_data=data,
        triggered_by=f"webhook {webhook.path}",
        idempotency_key=idempotency_key,
    )


def _shape(session: Session, webhook: Webhook, wish: WebhookWish) -> Webhook:
    path, methods = _clean(wish.path), [method.upper() for method in wish.methods]
    if not path or len(path) > MAX_PATH_LENGTH or any(c.isspace() or c in "?#" or not c.isprintable() for c in path):
        raise Invalid(f"A webhook's path has 1 to {MAX_PATH_LENGTH} characters, without spaces, `?` and `#`.")
    if not methods or not set(methods) <= set(METHODS):
        raise Invalid(f"A webhook takes one or more of {', '.join(METHODS)}.")
    with session.no_autoflush:
        taken = session.exec(select(Webhook).where(Webhook.path == path)).one_or_none()
    if taken is not None and taken.id != webhook.id:
        raise WebhookPathTaken(f"Another webhook listens on {path!r} already.", path=path)
    webhook.path, webhook.methods = path, methods
    webhook.parameters, webhook.enabled = dict(wish.parameters or {}), wish.enabled
    return webhook


def _clean(path: str) -> str:
    return path.strip("/")


def _find_webhook(session: Session, webhook_id: str) -> Webhook:
    webhook = session.get(Webhook, webhook_id)
    if webhook is None:
        raise WebhookNotFound(f"There is no webhook {webhook_id!r}.", webhook_id=webhook_id)
    return webhook


def _own_webhook(session: Session, webhook_id: str) -> Webhook:
    webhook = _find_webhook(session, webhook_id)
    if webhook.is_from_definition:
        raise FollowsDefinition(f"The webhook {webhook.path} stands in the workflow's definition; change it there.")
    return webhook
