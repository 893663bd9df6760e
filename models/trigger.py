"""What starts runs besides people: schedules, webhooks and events."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from canvas.domain.states import CatchUp, Overlap
from models.columns import Row, json_field, word

_QUEUED = text("outcome = 'queued'")


class Schedule(Row, table=True):
    """Starts runs of a workflow's published version by the clock."""

    __tablename__ = "schedule"
    __table_args__ = (
        CheckConstraint("(cron IS NULL) <> (interval_seconds IS NULL)", name="cron_or_interval"),
        CheckConstraint("interval_seconds IS NULL OR interval_seconds >= 1", name="interval_at_least_a_second"),
        Index("ix_schedule_due", "next_fire_at", sqlite_where=text("enabled"), postgresql_where=text("enabled")),
    )

    workflow_id: str = Field(foreign_key="workflow.id", ondelete="CASCADE", max_length=26, index=True)
    is_from_definition: bool = False
    "Follows the published version's `triggers`; the others are kept by hand or over the API."
    cron: str | None = None
    interval_seconds: float | None = None
    timezone: str = "UTC"
    parameters: dict[str, Any] = json_field(default_factory=dict)
    overlap: Overlap = Field(default=Overlap.ALLOW, sa_type=word(Overlap))
    catch_up: CatchUp = Field(default=CatchUp.LAST, sa_type=word(CatchUp))
    enabled: bool = True
    anchor_at: datetime
    "Intervals count from here; nothing before it is caught up."
    last_fire_at: datetime | None = None
    "The latest due time that was dealt with."
    next_fire_at: datetime | None = None


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


class Webhook(Row, table=True):
    """Starts a run for each request to its path."""

    __tablename__ = "webhook"
    __table_args__ = (UniqueConstraint("path"), CheckConstraint("length(path) > 0", name="path_not_empty"))

    workflow_id: str = Field(foreign_key="workflow.id", ondelete="CASCADE", max_length=26, index=True)
    is_from_definition: bool = False
    path: str = Field(max_length=200)
    methods: list[str] = json_field(default_factory=lambda: ["POST"])
    parameters: dict[str, Any] = json_field(default_factory=dict)
    enabled: bool = True
    last_called_at: datetime | None = None


class EventSubscription(Row, table=True):
    """Starts a run for each event of a type that passes its filter."""

    __tablename__ = "event_subscription"
    __table_args__ = (Index(None, "event_type", "enabled"),)

    workflow_id: str = Field(foreign_key="workflow.id", ondelete="CASCADE", max_length=26, index=True)
    is_from_definition: bool = False
    event_type: str = Field(max_length=200)
    filter: str | None = None
    parameters: dict[str, Any] = json_field(default_factory=dict)
    enabled: bool = True
