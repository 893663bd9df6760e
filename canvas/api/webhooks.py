"""Webhooks over HTTP, and the hooks themselves."""

from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.api.problems import problem, status_of
from canvas.api.results import RESULTS
from canvas.api.runs import MAX_WAIT_SECONDS, answer_run
from canvas.domain.definition import DEFAULT_RESPOND_SECONDS
from canvas.domain.dsl.grammar import MAX_RESPOND
from canvas.domain.errors import UserError
from canvas.domain.states import Respond, RunStatus, Signature
from canvas.services import deliveries, runs, views, webhooks
from canvas.services.access import Permission
from canvas.settings import Settings
from canvas.vault import Vault

router = APIRouter(tags=["triggers"], route_class=StrictJson)
Viewer = Annotated[Caller, needs(Permission.VIEW)]
Operator = Annotated[Caller, needs(Permission.RUN)]
Editor = Annotated[Caller, needs(Permission.EDIT)]
Sender = Annotated[Caller, needs(Permission.RUN, reads_token=False)]


class WebhookBody(BaseModel):
    """What a webhook is to be."""

    path: str = Field(min_length=1, max_length=200, description="What follows `/api/hooks/`.")
    methods: list[str] = Field(default=["POST"], min_length=1, max_length=5)
    parameters: dict[str, Any] = Field(default_factory=dict, description="Templates over `trigger.data`.")
    signature: Signature = Field(default=Signature.NONE, description="How the sender proves who it is.")
    respond: Respond = Field(default=Respond.AT_ONCE, description="At once, or with what the run gives back.")
    respond_timeout_seconds: float = Field(default=DEFAULT_RESPOND_SECONDS, gt=0, le=MAX_RESPOND)
    enabled: bool = True

    def wish(self) -> webhooks.WebhookWish:
        """Give it in the services' words."""
        return webhooks.WebhookWish(**{key: value for key, value in self if key != "workflow"})


class NewWebhook(WebhookBody):
    """A webhook to make."""

    workflow: str = Field(description="The workflow it starts.")


@router.get("/webhooks", response_model=list[views.WebhookRow])
def list_webhooks(caller: Viewer) -> Response:
    """List all webhooks by path."""
    with caller.reading() as session:
        return answer(views.webhook_rows(session))


@router.post("/webhooks", status_code=201)
def create_webhook(caller: Editor, body: NewWebhook) -> Response:
    """Let a workflow listen on a path."""
    with caller.transaction() as session:
        return answer({"id": webhooks.create_webhook(session, body.workflow, body.wish())}, 201)


@router.put("/webhooks/{webhook_id}", status_code=204)
def change_webhook(caller: Editor, webhook_id: str, body: WebhookBody) -> Response:
    """Give a webhook another shape."""
    with caller.transaction() as session:
        webhooks.change_webhook(session, webhook_id, body.wish())
    return Response(status_code=204)


@router.post("/webhooks/{webhook_id}/enable", status_code=204)
def enable_webhook(caller: Operator, webhook_id: str) -> Response:
    """Switch a webhook on."""
    with caller.transaction() as session:
        webhooks.switch_webhook(session, webhook_id, enabled=True)
    return Response(status_code=204)


@router.post("/webhooks/{webhook_id}/disable", status_code=204)
def disable_webhook(caller: Operator, webhook_id: str) -> Response:
    """Switch a webhook off."""
    with caller.transaction() as session:
        webhooks.switch_webhook(session, webhook_id, enabled=False)
    return Response(status_code=204)


@router.delete("/webhooks/{webhook_id}", status_code=204)
def delete_webhook(caller: Editor, webhook_id: str) -> Response:
    """Stop listening."""
    with caller.transaction() as session:
        webhooks.delete_webhook(session, webhook_id)
    return Response(status_code=204)


@router.get("/webhooks/{webhook_id}", response_model=views.WebhookRow)
def get_webhook(caller: Viewer, webhook_id: str) -> Response:
    """Give one webhook."""
    with caller.reading() as session:
        return answer(views.webhook_row(session, webhook_id))


@router.post("/webhooks/{webhook_id}/secret", status_code=201)
def rotate_secret(caller: Editor, webhook_id: str) -> Response:
    """Make a webhook a new secret, shown this once; the one before is still taken for 24 hours."""
    with caller.transaction() as session:
        secret = webhooks.rotate_secret(session, webhook_id, vault=_vault(caller.settings), now=datetime.now(UTC))
        return answer({"secret": secret, "webhook": views.webhook_row(session, webhook_id)}, 201)


@router.get("/webhooks/{webhook_id}/deliveries", response_model=list[views.DeliveryRow])
def list_deliveries(
    caller: Viewer, webhook_id: str, limit: Annotated[int, Query(ge=1, le=deliveries.KEPT_PER_WEBHOOK)] = 50
) -> Response:
    """List the latest deliveries of a webhook, taken and refused, the newest first."""
    with caller.reading() as session:
        return answer(views.delivery_rows(session, webhook_id, limit=limit))


@router.get("/webhooks/deliveries/{delivery_id}", response_model=views.DeliveryDetail)
def get_delivery(caller: Viewer, delivery_id: str) -> Response:
    """Give one delivery with what was kept of it."""
    with caller.reading() as session:
        return answer(views.delivery_detail(session, delivery_id))


@router.post("/webhooks/deliveries/{delivery_id}/replay", status_code=202)
def replay_delivery(caller: Operator, delivery_id: str) -> Response:
    """Take a kept delivery again, as the webhook is now; no proof is asked for."""
    with caller.transaction() as session:
        run_id = deliveries.replay_delivery(
            session, delivery_id, now=datetime.now(UTC), triggered_by=f"replay by {caller.actor.name}"
        )
    return answer({"id": run_id}, 202, {"Location": f"/api/runs/{run_id}"})


async def receive(caller: Sender, request: Request, path: str) -> Response:
    """Start a run of the workflow that listens on this path; it sees the request as `trigger.data`.

    202 and the run's id; with the header `Prefer: wait=SECONDS` the run, once it has ended. A webhook that responds
    with the result gives the run's outputs, 202 and its id when that takes too long, and a 5xx when the run failed. A
    second delivery with the same `Webhook-Id` or `Idempotency-Key` within a day gets the answer of the first.
    """
    call = deliveries.Call(
        method=request.method,
        path=path,
        query=_query(request),
        headers=dict(request.headers),
        content=await request.body(),
    )
    taken = await run_in_threadpool(_receive, caller, call)
    if taken.wants_result:
        return await _answer_result(caller, taken)
    return await answer_run(caller, taken.run_id, _wanted_wait(request.headers.get("prefer", "")))


for _method in webhooks.METHODS:
    router.add_api_route(
        "/hooks/{path:path}", receive, methods=[_method], status_code=202, operation_id=f"receive_{_method.lower()}"
    )


async def _answer_result(caller: Caller, taken: deliveries.Taken) -> Response:
    """Answer with what the run gives back; of a failed one the sender, who may be anybody, learns only which it was."""
    result = await RESULTS.wait(taken.run_id, partial(_result, caller, taken.run_id), taken.timeout_seconds)
    headers = {"Location": f"/api/runs/{taken.run_id}", "Canvas-Run-Id": taken.run_id}
    if result is None:
        return answer({"id": taken.run_id}, 202, headers)
    if result.status is RunStatus.COMPLETED:
        return answer(result.output, 200, headers)
    status = 500 if result.status is RunStatus.FAILED else 503
    told = f"The run {result.status.value}." if status == 500 else "The run was cancelled."
    return problem(status, f"run_{result.status.value}", told, {"run_id": taken.run_id}, headers)


def _result(caller: Caller, run_id: str) -> runs.RunResult | None:
    with caller.reading() as session:
        return runs.run_result(session, run_id)


def _receive(caller: Caller, call: deliveries.Call) -> deliveries.Taken:
    now = datetime.now(UTC)
    try:
        with caller.transaction() as session:
            return deliveries.receive_webhook(
                session, call, vault=_vault(caller.settings), now=now, reply_port=RESULTS.port
            )
    except UserError as error:
        with caller.transaction() as session:
            deliveries.note_refusal(session, call, error, status=status_of(error), now=now)
        raise


@lru_cache(maxsize=8)
def _vault(settings: Settings) -> Vault:
    return Vault(settings)


def _query(request: Request) -> dict[str, Any]:
    query = {name: request.query_params.getlist(name) for name in request.query_params}
    return {name: values[0] if len(values) == 1 else values for name, values in query.items()}


def _wanted_wait(prefer: str) -> float:
    for preference in prefer.lower().split(","):
        name, _, value = preference.strip().partition("=")
        if name == "wait" and value.isascii() and value.isdigit():
            return min(float(value), MAX_WAIT_SECONDS)
    return 0.0
