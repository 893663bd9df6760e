"""Actions as rows: what the registry offers is mirrored here at start, so that it can be queried and referred to."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from canvas.domain.states import ParameterType
from models.columns import Row, json_field, utc_now, word


class Action(SQLModel, table=True):
    """A registered action."""

    __tablename__ = "action"
    __table_args__ = (
        CheckConstraint("name LIKE '_%/_%'", name="name_has_namespace"),
        CheckConstraint("state IN ('available', 'archived')", name="state"),
        CheckConstraint("version >= 1", name="version_positive"),
    )

    name: str = Field(primary_key=True, max_length=200)
    "`namespace/name`"
    namespace: str = Field(index=True, max_length=120)
    version: int = 1
    title: str
    description: str
    category: str = Field(index=True)
    state: str = Field(default="available", index=True)
    "`archived` when no registered code answers to the name any more."
    is_idempotent: bool
    inputs_schema: dict[str, Any] = json_field()
    result_schema: dict[str, Any] = json_field()
    updated_at: datetime = Field(default_factory=utc_now)


class ActionArgument(Row, table=True):
    """One typed argument of an action, in order."""

    __tablename__ = "action_argument"
    __table_args__ = (
        UniqueConstraint("action_name", "name"),
        UniqueConstraint("action_name", "position"),
        CheckConstraint("length(name) > 0", name="name_not_empty"),
        CheckConstraint("position >= 0", name="position_not_negative"),
        CheckConstraint("min_value IS NULL OR max_value IS NULL OR min_value <= max_value", name="min_not_above_max"),
    )

    action_name: str = Field(foreign_key="action.name", ondelete="CASCADE", max_length=200)
    position: int
    name: str
    type: ParameterType = Field(sa_type=word(ParameterType))
    is_required: bool = False
    default: Any = json_field(default=None, nullable=True)
    description: str = ""
    min_value: float | None = None
    max_value: float | None = None
    pattern: str | None = None


class ActionInvariant(Row, table=True):
    """What has to hold before and after each call of an action, in order."""

    __tablename__ = "action_invariant"
    __table_args__ = (
        UniqueConstraint("action_name", "position"),
        CheckConstraint("length(text) > 0", name="text_not_empty"),
        CheckConstraint("position >= 0", name="position_not_negative"),
    )

    action_name: str = Field(foreign_key="action.name", ondelete="CASCADE", max_length=200)
    position: int
    text: str
