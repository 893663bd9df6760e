"""Events over HTTP, and who listens to them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.domain.events import DEFAULT_TIME_TO_LIVE, KNOWN_EVENTS, MAX_TIME_TO_LIVE
from canvas.services import events, subscriptions, views
from canvas.services.access import Permission

router = APIRouter(tags=["triggers"], route_class=StrictJson)
Viewer = Annotated[Caller, needs(Permission.VIEW)]
Operator = Annotated[Caller, needs(Permission.RUN)]
MAX_BATCH = 100
Editor = Annotated[Caller, needs(Permission.EDIT)]


class Event(BaseModel):
    """Something that happened."""

    type: str = Field(min_length=1, max_length=200, examples=["order.created"])
    data: Any = None
    id: str | None = Field(
        default=None, min_length=1, max_length=255, description="Yours; a second event of this type with it is ignored."
    )
    occurred_at: AwareDatetime | None = Field(default=None, description="Left out: now.")
    time_to_live_seconds: float = Field(
        default=DEFAULT_TIME_TO_LIVE.total_seconds(),
        ge=0,
        le=MAX_TIME_TO_LIVE.total_seconds(),
        description="How long a workflow that begins to listen still gets it.",
    )

    def new(self) -> events.NewEvent:
        """Give it in the services' words."""
        return events.NewEvent(
            type=self.type,
            data=self.data,
            key=self.id,
            occurred_at=self.occurred_at,
            time_to_live=timedelta(seconds=self.time_to_live_seconds),
        )


class EventBatch(BaseModel):
    """Several events, all taken or none."""

    events: list[Event] = Field(min_length=1, max_length=MAX_BATCH)


class SubscriptionBody(BaseModel):
    """What a subscription is to be."""

    event: str = Field(min_length=1, max_length=200, examples=["order.created"])
    filter: str | None = Field(default=None, max_length=16_384, description="A condition over `event.data`.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Templates over `trigger.data`.")
    enabled: bool = True

    def wish(self) -> subscriptions.SubscriptionWish:
        """Give it in the services' words."""
        return subscriptions.SubscriptionWish(
            event_type=self.event, filter=self.filter, parameters=self.parameters, enabled=self.enabled
        )


class NewSubscription(SubscriptionBody):
    """A subscription to make."""

    workflow: str = Field(description="The workflow it starts.")


@router.post("/events", status_code=202)
def receive_event(caller: Operator, body: Event | EventBatch) -> Response:
    """Take in an event, or a batch of them under `events`, and start every workflow that listens.

    Says what each listener made of it. An event whose `id` came before starts nothing and gives the first one's id.
    """
    given = body.events if isinstance(body, EventBatch) else [body]
    now = datetime.now(UTC)
    with caller.transaction() as session:
        source = f"api:{caller.actor.name}"
        received = [events.receive_event(session, one.new(), now=now, source=source) for one in given]
    return answer({"events": received} if isinstance(body, EventBatch) else received[0], 202)


@router.get("/events", response_model=list[views.EventRow])
def list_events(
    caller: Viewer,
    type: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List the latest events and what they started, the newest first."""
    with caller.reading() as session:
        return answer(views.event_rows(session, now=datetime.now(UTC), event_type=type, limit=limit))


@router.get("/event-types")
def list_event_types(caller: Viewer) -> Response:
    """List the types of events that are known beforehand; any other can be sent too."""
    return answer({"types": KNOWN_EVENTS})


@router.get("/event-subscriptions/{subscription_id}/events", response_model=list[views.HeardRow])
def list_heard(caller: Viewer, subscription_id: str, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Response:
    """List the latest events that a subscription had, the newest first."""
    with caller.reading() as session:
        return answer(views.heard_rows(session, subscription_id, limit=limit))


@router.get("/event-subscriptions", response_model=list[views.SubscriptionRow])
def list_subscriptions(caller: Viewer) -> Response:
    """List all event subscriptions."""
    with caller.reading() as session:
        return answer(views.subscription_rows(session))


@router.post("/event-subscriptions", status_code=201)
def create_subscription(caller: Editor, body: NewSubscription) -> Response:
    """Let a workflow listen to a type of event."""
    with caller.transaction() as session:
        return answer({"id": subscriptions.create_subscription(session, body.workflow, body.wish())}, 201)


@router.put("/event-subscriptions/{subscription_id}", status_code=204)
def change_subscription(caller: Editor, subscription_id: str, body: SubscriptionBody) -> Response:
    """Give a subscription another shape."""
    with caller.transaction() as session:
        subscriptions.change_subscription(session, subscription_id, body.wish())
    return Response(status_code=204)


@router.post("/event-subscriptions/{subscription_id}/enable", status_code=204)
def enable_subscription(caller: Operator, subscription_id: str) -> Response:
    """Switch a subscription on."""
    with caller.transaction() as session:
        subscriptions.switch_subscription(session, subscription_id, enabled=True)
    return Response(status_code=204)


@router.post("/event-subscriptions/{subscription_id}/disable", status_code=204)
def disable_subscription(caller: Operator, subscription_id: str) -> Response:
    """Switch a subscription off."""
    with caller.transaction() as session:
        subscriptions.switch_subscription(session, subscription_id, enabled=False)
    return Response(status_code=204)


@router.delete("/event-subscriptions/{subscription_id}", status_code=204)
def delete_subscription(caller: Editor, subscription_id: str) -> Response:
    """Stop listening."""
    with caller.transaction() as session:
        subscriptions.delete_subscription(session, subscription_id)
    return Response(status_code=204)
