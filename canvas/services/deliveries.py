"""What comes in on webhooks: proving the sender, starting the run, remembering each delivery and taking one again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from canvas.domain.errors import Conflict, Invalid, NotFound, Unauthorized, UserError
from canvas.domain.signatures import PROOFS, TOKEN_PARAMETER, check_standard, check_token
from canvas.domain.states import Respond, Signature, TriggerType, WorkflowStatus
from canvas.services.definitions import owner_of
from canvas.services.runs import MAX_KEY_LENGTH, start_triggered
from canvas.services.webhooks import MethodNotAllowed, WebhookNotFound, WebhookOff, secrets_of, webhook_at
from canvas.vault import Vault
from models import Webhook, WebhookDelivery, WebhookSeen, Workflow
from models.columns import new_id, table_of

SEEN_FOR: Final = timedelta(hours=24)
"A second delivery with the same id within this time gets the answer of the first."
KEPT_FOR: Final = timedelta(days=30)
KEPT_PER_WEBHOOK: Final = 200
"Of those that were taken, and of those that were refused."
MAX_KEPT_BODY: Final = 64 * 1024
MAX_HEADERS: Final = 64
MAX_HEADER: Final = 2_048
REFUSALS_NOTED: Final = 60
"Per webhook and minute; whoever floods it fills no disk."
ACCEPTED: Final = 202
_PLAIN_HEADERS: Final = frozenset({"content-type", "user-agent", "webhook-id", "webhook-timestamp"})


class DeliveryNotFound(NotFound):
    """There is no such delivery; only the latest are kept."""

    code = "delivery_not_found"


class DeliveryNotKept(Conflict):
    """Too little of this delivery was kept to take it again."""

    code = "delivery_not_kept"


class SecretMissing(Conflict):
    """The webhook wants a proof, but nobody has made it a secret yet."""

    code = "secret_missing"


class UnreadableBody(Invalid):
    """The body is not what its content type says."""

    code = "unreadable_body"


_INSERT: Final = sa.insert(table_of(WebhookDelivery))
_BEFORE_PROOF: Final = (Unauthorized, SecretMissing, MethodNotAllowed, WebhookOff)
"Whoever was refused with these has proved nothing yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to a webhook."""

    method: str
    path: str
    query: Mapping[str, Any]
    "One text per name, or a list where a name came several times."
    headers: Mapping[str, str]
    "Names in small letters."
    content: bytes = b""

    @property
    def key(self) -> str | None:
        """What makes it the same delivery when it comes again."""
        return self.headers.get("webhook-id") or self.headers.get("idempotency-key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A request that was taken, and what its sender wants to know."""

    run_id: str
    is_duplicate: bool
    wants_result: bool
    timeout_seconds: float


def receive_webhook(
    session: Session, call: Call, *, vault: Vault, now: datetime, reply_port: int | None = None
) -> Taken:
    """Start a run for a request; one that came before gets the run of the first time.

    Args:
        reply_port: Where somebody would wait for the end of the run.

    Raises:
        WebhookNotFound: nobody listens on the path.
        MethodNotAllowed: the webhook does not take this method.
        WebhookOff: it is switched off, or the workflow is not published.
        BadSignature, SecretMissing: the sender could not prove who it is.
        UserError: the request does not fit the workflow's parameters, or cannot be read.
    """
    webhook = webhook_at(session, call.path)
    if call.method not in webhook.methods:
        raise MethodNotAllowed(
            f"This webhook takes {', '.join(webhook.methods)}, not {call.method}.", allow=webhook.methods
        )
    workflow = _workflow_of(session, webhook)
    _prove(webhook, call, vault, now)
    run_id, is_duplicate = _start_once(session, webhook, workflow, call, now, reply_port)
    webhook.last_called_at = now
    reason = "duplicate" if is_duplicate else ""
    _note(session, webhook, call, now, status=ACCEPTED, reason=reason, run_id=run_id)
    return Taken(
        run_id=run_id,
        is_duplicate=is_duplicate,
        wants_result=webhook.respond is Respond.RESULT,
        timeout_seconds=webhook.respond_timeout_seconds,
    )


def note_refusal(session: Session, call: Call, error: UserError, *, status: int, now: datetime) -> None:
    """Remember a request that was refused; of one whose sender is not known, neither body nor query is kept."""
    try:
        webhook = webhook_at(session, call.path)
    except WebhookNotFound:
        return
    lately = select(WebhookDelivery.id).where(
        WebhookDelivery.webhook_id == webhook.id,
        WebhookDelivery.received_at > now - timedelta(minutes=1),
        col(WebhookDelivery.run_id).is_(None),
    )
    if len(session.exec(lately.limit(REFUSALS_NOTED)).all()) >= REFUSALS_NOTED:
        return
    is_known = webhook.signature is Signature.NONE or not isinstance(error, _BEFORE_PROOF)
    told = {"reason": error.code, "detail": str(error)[:1_000]}
    _note(session, webhook, call, now, status=status, is_known=is_known, **told)


def replay_delivery(session: Session, delivery_id: str, *, now: datetime, triggered_by: str = "") -> str:
    """Take a kept delivery again, as the webhook is now, and without asking for a proof; gives the new run's id.

    Raises:
        DeliveryNotFound: there is none, or it is not kept any more.
        DeliveryNotKept: its body was too long, or its sender unknown.
        WebhookOff, UserError: as `receive_webhook`.
    """
    delivery = find_delivery(session, delivery_id)
    if delivery.body is None:
        raise DeliveryNotKept("Too little of this delivery was kept: its body was too long, or its sender unknown.")
    webhook = session.get_one(Webhook, delivery.webhook_id)
    call = Call(
        method=delivery.method,
        path=webhook.path,
        query=delivery.query,
        headers=delivery.headers,
        content=delivery.body,
    )
    workflow = _workflow_of(session, webhook)
    run_id = _start(session, webhook, workflow, call, triggered_by=triggered_by, replay_of=delivery_id)
    _note(session, webhook, call, now, status=ACCEPTED, run_id=run_id, replay_of=delivery_id)
    return run_id


def find_delivery(session: Session, delivery_id: str) -> WebhookDelivery:
    """Load a delivery.

    Raises:
        DeliveryNotFound: there is none, or it is not kept any more.
    """
    delivery = session.get(WebhookDelivery, delivery_id)
    if delivery is None:
        raise DeliveryNotFound(f"There is no delivery {delivery_id!r}; only the latest are kept.")
    return delivery


def prune_deliveries(session: Session, *, now: datetime) -> int:
    """Forget old deliveries, those beyond the latest of each webhook, and ids seen long ago; gives how many."""
    place = sa.func.row_number().over(
        partition_by=(col(WebhookDelivery.webhook_id), col(WebhookDelivery.run_id).is_(None)),
        order_by=col(WebhookDelivery.id).desc(),
    )
    ranked = sa.select(col(WebhookDelivery.id).label("id"), place.label("place")).subquery()
    surplus = sa.select(ranked.c.id).where(ranked.c.place > KEPT_PER_WEBHOOK)
    old = col(WebhookDelivery.received_at) < now - KEPT_FOR
    statements = (
        sa.delete(WebhookDelivery).where(sa.or_(old, col(WebhookDelivery.id).in_(surplus))),
        sa.delete(WebhookSeen).where(col(WebhookSeen.seen_at) < now - SEEN_FOR),
    )
    options = {"synchronize_session": False}
    return sum(int(getattr(session.execute(s, execution_options=options), "rowcount", 0)) for s in statements)


def _workflow_of(session: Session, webhook: Webhook) -> Workflow:
    workflow = owner_of(session, webhook.workflow_id)
    if not webhook.enabled or workflow.published_version is None or workflow.status is not WorkflowStatus.ACTIVE:
        raise WebhookOff("This webhook is switched off, or its workflow is not published.")
    return workflow


def _prove(webhook: Webhook, call: Call, vault: Vault, now: datetime) -> None:
    if webhook.signature is Signature.NONE:
        return
    known = secrets_of(webhook, vault=vault, now=now)
    if not known:
        raise SecretMissing(f"The webhook {webhook.path} has no secret yet; make one on the Triggers page.")
    if webhook.signature is Signature.TOKEN:
        check_token(known, call.headers, call.query)
    else:
        check_standard(known, call.headers, call.content)


def _start_once(
    session: Session, webhook: Webhook, workflow: Workflow, call: Call, now: datetime, reply_port: int | None
) -> tuple[str, bool]:
    """Start a run unless this delivery came before; tells which run, and whether it did."""
    key = call.key
    if key is None:
        return _start(session, webhook, workflow, call, reply_port=reply_port), False
    if len(key) > MAX_KEY_LENGTH:
        raise Invalid(f"The id of a delivery has at most {MAX_KEY_LENGTH} characters.")
    seen = session.get(WebhookSeen, (webhook.id, key))
    if seen is not None and seen.seen_at > now - SEEN_FOR:
        return seen.run_id, True
    try:
        with session.begin_nested():
            run_id = _start(session, webhook, workflow, call, reply_port=reply_port)
            if seen is None:
                session.add(WebhookSeen(webhook_id=webhook.id, delivery_key=key, seen_at=now, run_id=run_id))
            else:
                seen.seen_at, seen.run_id = now, run_id
    except IntegrityError:  # the same delivery came twice at the same moment
        return session.get_one(WebhookSeen, (webhook.id, key)).run_id, True
    return run_id, False


def _start(
    session: Session,
    webhook: Webhook,
    workflow: Workflow,
    call: Call,
    *,
    reply_port: int | None = None,
    triggered_by: str = "",
    replay_of: str | None = None,
) -> str:
    data: dict[str, Any] = {
        "method": call.method,
        "path": webhook.path,
        "query": _public_query(call),
        "headers": {name: value for name, value in call.headers.items() if name not in PROOFS},
        "body": _body(call),
    }
    if replay_of is not None:
        data["replay_of"] = replay_of
    return start_triggered(
        session,
        workflow,
        webhook.parameters,
        trigger_type=TriggerType.WEBHOOK,
        trigger_data=data,
        triggered_by=triggered_by or f"webhook {webhook.path}",
        reply_port=reply_port,
    )


def _body(call: Call) -> Any:
    """Read JSON where it is JSON, whatever the content type says; many senders get it wrong."""
    content, kind = call.content, call.headers.get("content-type", "").lower()
    if not content:
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if "json" in kind:
            raise UnreadableBody(f"The body is not JSON, or nested too deep: {error}") from None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise UnreadableBody("The body is neither JSON nor text in UTF-8.") from None
    if kind.startswith("application/x-www-form-urlencoded"):
        fields = parse_qs(text, keep_blank_values=True)
        return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}
    return text


def _public_query(call: Call) -> dict[str, Any]:
    return {name: value for name, value in call.query.items() if name != TOKEN_PARAMETER}


def _note(
    session: Session,
    webhook: Webhook,
    call: Call,
    now: datetime,
    *,
    status: int,
    reason: str = "",
    detail: str = "",
    run_id: str | None = None,
    replay_of: str | None = None,
    is_known: bool = True,
) -> None:
    """Remember a request; as a plain statement, since it is on the way of every one that comes in."""
    names = [name for name in call.headers if name not in PROOFS and (is_known or name in _PLAIN_HEADERS)]
    is_short = len(call.content) <= MAX_KEPT_BODY
    row = {
        "id": new_id(),
        "webhook_id": webhook.id,
        "received_at": now,
        "delivery_key": (call.key or "")[:MAX_KEY_LENGTH] or None,
        "method": call.method,
        "size": len(call.content),
        "status": status,
        "reason": reason,
        "detail": detail,
        "run_id": run_id,
        "query": _public_query(call) if is_known else {},
        "headers": {name: call.headers[name][:MAX_HEADER] for name in names[:MAX_HEADERS]},
        "body": call.content if is_known and is_short else None,
        "replay_of": replay_of,
    }
    session.execute(_INSERT, row)
