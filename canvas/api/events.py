"""Events over HTTP, and who listens to them."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.services import events, views
from canvas.services.access import Permission

router = APIRouter(tags=["triggers"], route_class=StrictJson)
Viewer = Annotated[Caller, needs(Permission.VIEW)]
Operator = Annotated[Caller, needs(Permission.RUN)]
Editor = Annotated[Caller, needs(Permission.EDIT)]


class Event(BaseModel):
    """Something that happened."""

    type: str = Field(min_length=1, max_length=200, examples=["order.created"])
    data: Any = None


class SubscriptionBody(BaseModel):
    """What a subscription is to be."""

    event: str = Field(min_length=1, max_length=200, examples=["order.created"])
    filter: str | None = Field(default=None, max_length=16_384, description="A condition over `event.data`.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Templates over `trigger.data`.")
    enabled: bool = True

    def wish(self) -> events.SubscriptionWish:
        """Give it in the services' words."""
        return events.SubscriptionWish(
            event_type=self.event, filter=self.filter, parameters=self.parameters, enabled=self.enabled
        )


class NewSubscription(SubscriptionBody):
    """A subscription to make."""

    workflow: str = Field(description="The workflow it starts.")


@router.post("/events", status_code=202)
def receive_event(caller: Operator, body: Event) -> Response:
    """Start a run of every workflow that listens to this event; says what each of them made of it."""
    with caller.transaction() as session:
        reactions = events.receive_event(session, body.type, body.data, triggered_by=caller.actor.name)
    return answer({"reactions": reactions}, 202)


@router.get("/event-subscriptions", response_model=list[views.SubscriptionRow])
def list_subscriptions(caller: Viewer) -> Response:
    """List all event subscriptions."""
    with caller.reading() as session:
        return answer(views.subscription_rows(session))


@router.post("/event-subscriptions", status_code=201)
def create_subscription(caller: Editor, body: NewSubscription) -> Response:
    """Let a workflow listen to a type of event."""
    with caller.transaction() as session:
        return answer({"id": events.create_subscription(session, body.workflow, body.wish())}, 201)


@router.put("/event-subscriptions/{subscription_id}", status_code=204)
def change_subscription(caller: Editor, subscription_id: str, body: SubscriptionBody) -> Response:
    """Give a subscription another shape."""
    with caller.transaction() as session:
        events.change_subscription(session, subscription_id, body.wish())
    return Response(status_code=204)


@router.post("/event-subscriptions/{subscription_id}/enable", status_code=204)
def enable_subscription(caller: Operator, subscription_id: str) -> Response:
    """Switch a subscription on."""
    with caller.transaction() as session:
        events.switch_subscription(session, subscription_id, enabled=True)
    return Response(status_code=204)


@router.post("/event-subscriptions/{subscription_id}/disable", status_code=204)
def disable_subscription(caller: Operator, subscription_id: str) -> Response:
    """Switch a subscription off."""
    with caller.transaction() as session:
        events.switch_subscription(session, subscription_id, enabled=False)
    return Response(status_code=204)


@router.delete("/event-subscriptions/{subscription_id}", status_code=204)
def delete_subscription(caller: Editor, subscription_id: str) -> Response:
    """Stop listening."""
    with caller.transaction() as session:
        events.delete_subscription(session, subscription_id)
    return Response(status_code=204)
