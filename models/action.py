"""Actions as rows. What the registry offers is mirrored here at start; what users put together lives here."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from canvas.domain.states import ActionOrigin, ActionState, ArgumentType
from models.columns import Row, json_field, utc_now, word


class Action(SQLModel, table=True):
    """An action that a workflow can name."""

    __tablename__ = "action"
    __table_args__ = (
        CheckConstraint("name LIKE '_%/_%'", name="name_has_namespace"),
        CheckConstraint("name LIKE namespace || '/%'", name="namespace_of_name"),
        CheckConstraint("version >= 1", name="version_positive"),
        CheckConstraint("(origin = 'user') = (body IS NOT NULL)", name="body_of_user_defined"),
    )

    name: str = Field(primary_key=True, max_length=200)
    "`namespace/name`"
    namespace: str = Field(index=True, max_length=120)
    origin: ActionOrigin = Field(default=ActionOrigin.BUILTIN, sa_type=word(ActionOrigin), index=True)
    version: int = 1
    "Of a user-defined one: grows by one with each change; a change names the version it started from."
    title: str
    description: str
    long_description: str = ""
    definition_of_done: str = ""
    category: str = Field(index=True)
    icon: str = "zap"
    tags: list[str] = json_field(default_factory=list)
    state: ActionState = Field(default=ActionState.AVAILABLE, sa_type=word(ActionState), index=True)
    "Of a registered one: `archived` when no code answers to the name any more."
    is_idempotent: bool
    reusable: bool = True
    read_only: bool = False
    automation_profile: str = ""
    strategy_actor: str = ""
    execution_actor: str = ""
    review_actor: str = ""
    apply_actor: str = ""
    estimation_actor: str = ""
    invariant_actor: str = ""
    inputs_schema: dict[str, Any] = json_field()
    has_own_schema: bool = False
    "Whether `inputs_schema` was written by hand; else it follows from the arguments."
    result_schema: dict[str, Any] = json_field()
    body: dict[str, Any] | None = json_field(default=None, nullable=True)
    "What a user-defined one calls: `{action | workflow, version, parameters}`."
    created_by: str = ""
    created_at: datetime = Field(default_factory=utc_now)
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
    type: ArgumentType = Field(sa_type=word(ArgumentType))
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
    is_expression: bool | None = None
    "Whether it is evaluated at each call; None takes what reads as an expression."
