"""Events: taking them in, and starting a run for each listener whose filter holds, exactly once.

An event is a row until its time to live ends; that a subscription has had it is a row too, written together with the
run it starts. So whoever begins to listen later gets what is still alive, and a crash loses and doubles nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from canvas.domain.errors import Invalid, UserError
from canvas.domain.events import (
    DEFAULT_TIME_TO_LIVE,
    MAX_CHAIN,
    MAX_TIME_TO_LIVE,
    MAX_TYPE_LENGTH,
    OWN_TIME_TO_LIVE,
)
from canvas.domain.expressions import compile_expression, evaluate_condition
from canvas.domain.states import LogLevel, TriggerType, WorkflowStatus
from canvas.services.definitions import WITHOUT_DRAFT
from canvas.services.runs import start_triggered
from models import Event, EventDelivery, EventSubscription, Notification, Workflow
from models.columns import new_id, utc_now

BATCH: Final = 100
KEPT_AFTER_END: Final = timedelta(days=1)
"An event that has ended is remembered for so long, so that a second one with the same id is still known."
MAX_KEY_LENGTH: Final = 255
_UNHEARD: Final = sa.text("event.dispatched_at IS NULL")
_BEHIND: Final = sa.text("event_subscription.behind_after IS NOT NULL")
"In the words of the partial indexes, so that they are used."


class EventChainTooLong(Invalid):
    """Runs have started each other by events too many times in a row."""

    code = "event_chain_too_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """Something that happened, as it is told from outside."""

    type: str
    data: Any = None
    key: str | None = None
    "The sender's own id; a second event of this type with the same one is the first one."
    occurred_at: datetime | None = None
    "None for now."
    time_to_live: timedelta = DEFAULT_TIME_TO_LIVE
    "How long somebody who begins to listen still gets it; 0 is for who listens now."


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one subscription made of an event: a run, or a reason why there is none."""

    subscription_id: str
    workflow: str
    run_id: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """An event as it was taken in."""

    id: str
    is_duplicate: bool
    reactions: tuple[Reaction, ...]


def receive_event(session: Session, new: NewEvent, *, now: datetime, source: str = "api") -> Received:
    """Take in an event and start a run of every workflow that listens to its type and whose filter holds.

    A listener that cannot start does not keep the others from starting: its reaction says why.

    Raises:
        Invalid: the type, the id or the time to live is not possible.
    """
    _check(new)
    if (known := _same(session, new)) is not None:
        return Received(known, True, ())
    event = Event(
        id=new_id(),
        type=new.type,
        data=new.data,
        source=source,
        dedupe_key=new.key,
        occurred_at=new.occurred_at or now,
        expires_at=now + new.time_to_live,
        dispatched_at=now,
    )
    try:
        with session.begin_nested():
            session.add(event)
    except IntegrityError:  # another process was faster with the same id
        known = _same(session, new)
        if known is None:
            raise
        return Received(known, True, ())
    return Received(event.id, False, tuple(_tell_listeners(session, event, now)))


def emit(
    session: Session, event_type: str, data: Any, *, source: str = "", workflow: str | None = None, depth: int = 0
) -> None:
    """Tell something of our own, in the caller's transaction; nothing is kept when nobody ever listened to this type.

    Args:
        source: Who tells, such as `task:ID`.
        workflow: The workflow it is about; that one is not told.
        depth: How many runs stand between this and what came from outside.
    """
    listens = select(EventSubscription.id).where(
        EventSubscription.event_type == event_type, col(EventSubscription.retired_at).is_(None)
    )
    if session.exec(listens.limit(1)).first() is None:
        return
    now = utc_now()
    event = Event(
        id=new_id(),
        type=event_type,
        data=data,
        source=source,
        occurred_at=now,
        expires_at=now + OWN_TIME_TO_LIVE,
        dispatched_at=now,
        workflow=workflow,
        depth=depth,
    )
    session.add(event)
    session.flush()
    _tell_listeners(session, event, now)


def dispatch_events(session: Session, *, now: datetime) -> int:
    """Tell the listeners of events that the engine wrote, at most `BATCH` of them; gives how many there were."""
    events = session.exec(
        select(Event).where(_UNHEARD).order_by(Event.id).limit(BATCH).with_for_update(skip_locked=True)
    ).all()
    for event in events:
        event.dispatched_at = now
        if event.expires_at <= now:
            continue
        if event.error_workflow is None:
            _tell_listeners(session, event, now)
        else:
            _start_error_workflow(session, event)
    return len(events)


def catch_up(session: Session, *, now: datetime) -> int:
    """Tell one subscription that has begun to listen what is still alive, at most `BATCH` events; gives how many.

    Call it until it gives 0.
    """
    found = session.exec(
        _listening().where(_BEHIND).limit(1).with_for_update(skip_locked=True, of=EventSubscription)
    ).first()
    if found is None:
        return 0
    row, workflow = found
    events = session.exec(
        select(Event)
        .where(Event.type == row.event_type, Event.id > (row.behind_after or ""), Event.expires_at > now)
        .where(col(Event.dispatched_at).is_not(None), col(Event.error_workflow).is_(None))
        .order_by(Event.id)
        .limit(BATCH)
    ).all()
    for event in events:
        _react(session, event, row, workflow, now)
    row.behind_after = events[-1].id if len(events) == BATCH else None
    return max(1, len(events))


def has_work(session: Session) -> bool:
    """Tell whether `dispatch_events` or `catch_up` would find something."""
    if session.exec(select(Event.id).where(_UNHEARD).limit(1)).first() is not None:
        return True
    return session.exec(_listening().where(_BEHIND).limit(1)).first() is not None


def prune_events(session: Session, *, now: datetime) -> int:
    """Forget events that ended long enough ago; gives how many there were."""
    old = sa.delete(Event).where(col(Event.expires_at) < now - KEPT_AFTER_END)
    return int(getattr(session.execute(old), "rowcount", 0))


def _check(new: NewEvent) -> None:
    if not 0 < len(new.type) <= MAX_TYPE_LENGTH:
        raise Invalid(f"An event's type has 1 to {MAX_TYPE_LENGTH} characters.")
    if new.key is not None and not 0 < len(new.key) <= MAX_KEY_LENGTH:
        raise Invalid(f"An event's id has 1 to {MAX_KEY_LENGTH} characters.")
    if not timedelta(0) <= new.time_to_live <= MAX_TIME_TO_LIVE:
        raise Invalid(f"An event lives for 0 to {MAX_TIME_TO_LIVE.total_seconds():.0f} seconds.")


def _same(session: Session, new: NewEvent) -> str | None:
    if new.key is None:
        return None
    return session.exec(select(Event.id).where(Event.type == new.type, Event.dedupe_key == new.key)).first()


def _listening() -> Any:
    """Select every subscription that starts runs now, with its workflow."""
    return (
        select(EventSubscription, Workflow)
        .where(EventSubscription.workflow_id == Workflow.id, col(EventSubscription.enabled).is_(True))
        .where(Workflow.status == WorkflowStatus.ACTIVE, col(Workflow.published_version).is_not(None))
        .order_by(EventSubscription.id)
        .options(*WITHOUT_DRAFT)
    )


def _tell_listeners(session: Session, event: Event, now: datetime) -> list[Reaction]:
    rows: Iterable[Any] = session.exec(_listening().where(EventSubscription.event_type == event.type)).all()
    reactions = [_react(session, event, row, workflow, now) for row, workflow in rows]
    return [reaction for reaction in reactions if reaction is not None]


def _react(
    session: Session, event: Event, row: EventSubscription, workflow: Workflow, now: datetime
) -> Reaction | None:
    """Start a run for an event, once; None when it is not for this listener."""
    if event.workflow == workflow.name or _has_had(session, event, row):
        return None
    told = _told(event)
    run_id, reason = None, ""
    try:
        if row.filter and not evaluate_condition(compile_expression(row.filter), {"event": told}):
            return None
        run_id = _start(session, event, row, workflow, told)
    except UserError as error:
        reason = f"{error} [{error.code}]"
    session.add(EventDelivery(event_id=event.id, subscription_id=row.id, at=now, run_id=run_id, reason=reason))
    session.flush()
    return Reaction(row.id, workflow.name, run_id, reason or None)


def _has_had(session: Session, event: Event, row: EventSubscription) -> bool:
    had = select(EventDelivery.id).where(EventDelivery.event_id == event.id, EventDelivery.subscription_id == row.id)
    return session.exec(had).first() is not None


def _start(session: Session, event: Event, row: EventSubscription, workflow: Workflow, told: dict[str, Any]) -> str:
    if event.depth > MAX_CHAIN:
        text = f"{MAX_CHAIN} runs have started each other by events, and {workflow.name} would go on."
        title = f"{workflow.name} was not started: a circle of events"
        session.add(Notification(title=title, body=text, level=LogLevel.ERROR, link="/triggers"))
        raise EventChainTooLong(text)
    return start_triggered(
        session,
        workflow,
        row.parameters,
        trigger_type=TriggerType.EVENT,
        trigger_data=told,
        triggered_by=event.source or "event",
        depth=event.depth,
    )


def _told(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type,
        "data": event.data,
        "source": event.source,
        "occurred_at": event.occurred_at.isoformat(),
    }


def _start_error_workflow(session: Session, event: Event) -> None:
    """Start the workflow that a failed run named; one that cannot start is told to people."""
    name = event.error_workflow or ""
    try:
        workflow = session.exec(select(Workflow).where(Workflow.name == name).options(*WITHOUT_DRAFT)).one_or_none()
        if workflow is None:
            raise Invalid(f"There is no workflow {name!r}.")
        start_triggered(
            session,
            workflow,
            {},
            trigger_type=TriggerType.ERROR,
            trigger_data=event.data,
            triggered_by=event.source,
            depth=event.depth,
        )
    except UserError as error:
        title = f"The error workflow {name} could not be started"
        link = f"/runs/{event.data['run_id']}"
        session.add(Notification(title=title, body=str(error), level=LogLevel.ERROR, link=link))
