"""Webhooks over HTTP, and the hooks themselves."""

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.api.runs import MAX_WAIT_SECONDS, answer_run
from canvas.services import views, webhooks
from canvas.services.access import Permission

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
    enabled: bool = True

    def wish(self) -> webhooks.WebhookWish:
        """Give it in the services' words."""
        return webhooks.WebhookWish(
            path=self.path, methods=self.methods, parameters=self.parameters, enabled=self.enabled
        )


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


async def receive(caller: Sender, request: Request, path: str) -> Response:
    """Start a run of the workflow that listens on this path; it sees the request as `trigger.data`.

    202 and the run's id; with the header `Prefer: wait=SECONDS` the run, once it has ended. A second delivery with the
    same `Idempotency-Key` or `Webhook-Id` starts nothing new.
    """
    call = webhooks.Call(
        method=request.method,
        path=path,
        query=_query(request),
        headers=dict(request.headers),
        body=_body(await request.body()),
    )
    key = request.headers.get("idempotency-key") or request.headers.get("webhook-id")
    run_id = await run_in_threadpool(_receive, caller, call, key)
    return await answer_run(caller, run_id, _wanted_wait(request.headers.get("prefer", "")))


for _method in webhooks.METHODS:
    router.add_api_route(
        "/hooks/{path:path}", receive, methods=[_method], status_code=202, operation_id=f"receive_{_method.lower()}"
    )


def _receive(caller: Caller, call: webhooks.Call, key: str | None) -> str:
    with caller.transaction() as session:
        return webhooks.receive_webhook(session, call, now=datetime.now(UTC), idempotency_key=key)


def _query(request: Request) -> dict[str, Any]:
    query = {name: request.query_params.getlist(name) for name in request.query_params}
    return {name: values[0] if len(values) == 1 else values for name, values in query.items()}


def _body(content: bytes) -> Any:
    """Read JSON where it is JSON, whatever the content type says; many senders get it wrong."""
    if not content:
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return content.decode(errors="replace")


def _wanted_wait(prefer: str) -> float:
    for preference in prefer.lower().split(","):
        name, _, value = preference.strip().partition("=")
        if name == "wait" and value.isascii() and value.isdigit():
            return min(float(value), MAX_WAIT_SECONDS)
    return 0.0
