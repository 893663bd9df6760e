"""What starts runs besides people: schedules, webhooks and events."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from canvas.domain.states import CatchUp, Overlap, Respond, Signature
from models.columns import Row, json_field, sealed_field, utc_now, word

_QUEUED = text("outcome = 'queued'")
_LISTENS = text("retired_at IS NULL")
_UNHEARD = text("dispatched_at IS NULL")
_BEHIND = text("behind_after IS NOT NULL")


class TriggerRow(Row):
    """What schedules, webhooks and subscriptions share: whose they are, and who switched them on or off."""

    workflow_id: str = Field(foreign_key="workflow.id", ondelete="CASCADE", max_length=26, index=True)
    is_from_definition: bool = False
    "Follows the published version's `triggers`; the others are kept by hand or over the API."
    parameters: dict[str, Any] = json_field(default_factory=dict)
    enabled: bool = True
    "Whether it starts runs: what the definition says, unless a person switched it."
    is_declared_on: bool = True
    "What the definition says, or said last."
    switched: bool | None = None
    "What a person said against the definition; publishing does not change it."
    retired_at: datetime | None = None
    "Since when no published version has it; kept, so that its switch and its secret are there when it comes back."


class Schedule(TriggerRow, table=True):
    """Starts runs of a workflow's published version by the clock."""

    __tablename__ = "schedule"
    __table_args__ = (
        CheckConstraint("(cron IS NULL) <> (interval_seconds IS NULL)", name="cron_or_interval"),
        CheckConstraint("interval_seconds IS NULL OR interval_seconds >= 1", name="interval_at_least_a_second"),
        CheckConstraint("jitter_seconds >= 0", name="jitter_not_negative"),
        Index("ix_schedule_due", "next_fire_at", sqlite_where=text("enabled"), postgresql_where=text("enabled")),
    )

    cron: str | None = None
    interval_seconds: float | None = None
    timezone: str = "UTC"
    jitter_seconds: float = 0
    overlap: Overlap = Field(default=Overlap.ALLOW, sa_type=word(Overlap))
    catch_up: CatchUp = Field(default=CatchUp.LAST, sa_type=word(CatchUp))
    anchor_at: datetime
    "Intervals count from here; nothing before it is caught up."
    last_fire_at: datetime | None = None
    "The latest due time that was dealt with."
    next_fire_at: datetime | None = None
    "When the next due time is fired, its jitter included."


class ScheduleFire(Row, table=True):
    """One due time of a schedule and what became of it; unique, so firing twice is harmless."""

    __tablename__ = "schedule_fire"
    __table_args__ = (
        UniqueConstraint("schedule_id", "fire_at"),
        Index("ix_schedule_fire_queued", "schedule_id", "id", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
    )

    schedule_id: str = Field(foreign_key="schedule.id", ondelete="CASCADE", max_length=26)
    fire_at: datetime
    outcome: str
    "`started`, `queued`, `skipped`, or `refused` when no run could be started"
    run_id: str | None = Field(default=None, max_length=26)
    is_backfill: bool = False
    "Whether a person asked for it afterwards."


class Webhook(TriggerRow, table=True):
    """Starts a run for each request to its path."""

    __tablename__ = "webhook"
    __table_args__ = (
        Index("ix_webhook_path", "path", unique=True, sqlite_where=_LISTENS, postgresql_where=_LISTENS),
        CheckConstraint("length(path) > 0", name="path_not_empty"),
        CheckConstraint("respond_timeout_seconds > 0", name="waits_for_a_while"),
    )

    path: str = Field(max_length=200)
    methods: list[str] = json_field(default_factory=lambda: ["POST"])
    signature: Signature = Field(default=Signature.NONE, sa_type=word(Signature))
    respond: Respond = Field(default=Respond.AT_ONCE, sa_type=word(Respond))
    respond_timeout_seconds: float = 30
    secret: str | None = sealed_field(default=None)
    "Sealed by the vault."
    previous_secret: str | None = sealed_field(default=None)
    "Sealed; counts until `previous_until`, so that senders can be told the new one in peace."
    previous_until: datetime | None = None
    last_called_at: datetime | None = None


class WebhookSeen(SQLModel, table=True):
    """The ids of deliveries that were taken lately; a second one with the same id gets the first one's answer."""

    __tablename__ = "webhook_seen"
    __table_args__ = (Index(None, "seen_at"),)

    webhook_id: str = Field(foreign_key="webhook.id", ondelete="CASCADE", max_length=26, primary_key=True)
    delivery_key: str = Field(max_length=255, primary_key=True)
    seen_at: datetime
    run_id: str = Field(max_length=26)


class WebhookDelivery(SQLModel, table=True):
    """One request to a webhook, taken or refused, with as much of it as may be kept to take it again."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (Index(None, "webhook_id", "id"), Index(None, "received_at"))

    id: str = Field(primary_key=True, max_length=26)
    webhook_id: str = Field(foreign_key="webhook.id", ondelete="CASCADE", max_length=26)
    received_at: datetime
    delivery_key: str | None = Field(default=None, max_length=255)
    "`Webhook-Id` or `Idempotency-Key`."
    method: str = Field(max_length=10)
    size: int = 0
    "Bytes of body."
    status: int
    "What was answered on receipt."
    reason: str = ""
    "The error's code, when it was refused."
    detail: str = ""
    run_id: str | None = Field(default=None, max_length=26)
    query: dict[str, Any] = json_field(default_factory=dict)
    headers: dict[str, Any] = json_field(default_factory=dict)
    "Without those that prove who the sender is."
    body: bytes | None = None
    "None when it is too long to be kept, or came from somebody who could not prove who they are."
    replay_of: str | None = Field(default=None, max_length=26)


class EventSubscription(TriggerRow, table=True):
    """Starts a run for each event of a type that passes its filter."""

    __tablename__ = "event_subscription"
    __table_args__ = (
        Index(None, "event_type", "enabled"),
        Index("ix_event_subscription_behind", "id", sqlite_where=_BEHIND, postgresql_where=_BEHIND),
    )

    event_type: str = Field(max_length=200)
    filter: str | None = None
    behind_after: str | None = Field(default=None, max_length=26)
    "Has begun to listen, and was told of earlier events that are still alive up to this one; None when it knows all."


class Event(SQLModel, table=True):
    """Something that happened, kept until its time to live ends."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("type", "dedupe_key"),
        Index(None, "type", "id"),
        Index(None, "expires_at"),
        Index("ix_event_unheard", "id", sqlite_where=_UNHEARD, postgresql_where=_UNHEARD),
        CheckConstraint("length(type) > 0", name="type_not_empty"),
    )

    id: str = Field(primary_key=True, max_length=26)
    type: str = Field(max_length=200)
    data: Any = json_field(default=None, nullable=True)
    source: str = ""
    "Who told: `api:NAME`, or `run:ID` and the like for ours."
    dedupe_key: str | None = Field(default=None, max_length=255)
    "The sender's own id; a second event of this type with the same one is the first one."
    occurred_at: datetime = Field(default_factory=utc_now)
    expires_at: datetime
    dispatched_at: datetime | None = None
    "When everybody who listened then was told; None while nobody has looked at it."
    depth: int = 0
    "How many runs stand between it and what came from outside; bounded, so that no circle is endless."
    workflow: str | None = None
    "For our own: the workflow whose run it is about. It does not hear of its own runs."
    error_workflow: str | None = None
    "The workflow that the failed run named to be started; the event is for that one alone."


class EventDelivery(SQLModel, table=True):
    """What one subscription made of one event; unique, so nobody hears of anything twice."""

    __tablename__ = "event_delivery"
    __table_args__ = (UniqueConstraint("event_id", "subscription_id"), Index(None, "subscription_id", "id"))

    id: int | None = Field(
        default=None, sa_column=sa.Column(sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True)
    )
    event_id: str = Field(foreign_key="event.id", ondelete="CASCADE", max_length=26)
    subscription_id: str = Field(foreign_key="event_subscription.id", ondelete="CASCADE", max_length=26)
    at: datetime = Field(default_factory=utc_now)
    run_id: str | None = Field(default=None, max_length=26)
    reason: str = ""
    "Why no run could be started."
