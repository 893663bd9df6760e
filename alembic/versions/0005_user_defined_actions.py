"""User-defined actions beside the registered ones

The three tables held nothing but a mirror of the registry, which is written again at every start; so they are made anew.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
BEFORE = ("string", "integer", "number", "boolean", "list", "object", "any")
AFTER = ("string", "integer", "float", "boolean", "list", "object", "any")


def upgrade() -> None:
    _drop("action_invariant", "action_argument", "action")
    op.create_table(
        "action",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("namespace", sa.String(length=120), nullable=False),
        sa.Column("origin", _word("actionorigin", "builtin", "plugin", "mcp", "user", "step"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("long_description", sa.String(), nullable=False),
        sa.Column("definition_of_done", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("icon", sa.String(), nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("state", _word("actionstate", "available", "archived"), nullable=False),
        sa.Column("is_idempotent", sa.Boolean(), nullable=False),
        sa.Column("reusable", sa.Boolean(), nullable=False),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("automation_profile", sa.String(), nullable=False),
        sa.Column("strategy_actor", sa.String(), nullable=False),
        sa.Column("execution_actor", sa.String(), nullable=False),
        sa.Column("review_actor", sa.String(), nullable=False),
        sa.Column("apply_actor", sa.String(), nullable=False),
        sa.Column("estimation_actor", sa.String(), nullable=False),
        sa.Column("invariant_actor", sa.String(), nullable=False),
        sa.Column("inputs_schema", Json, nullable=False),
        sa.Column("has_own_schema", sa.Boolean(), nullable=False),
        sa.Column("result_schema", Json, nullable=False),
        sa.Column("body", Json, nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("name LIKE '_%/_%'", name=op.f("ck_action_name_has_namespace")),
        sa.CheckConstraint("name LIKE namespace || '/%'", name=op.f("ck_action_namespace_of_name")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_action_version_positive")),
        sa.CheckConstraint("(origin = 'user') = (body IS NOT NULL)", name=op.f("ck_action_body_of_user_defined")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_action")),
    )
    for column in ("category", "namespace", "origin", "state"):
        op.create_index(op.f(f"ix_action_{column}"), "action", [column])
    _create_arguments("argumenttype", AFTER)
    _create_invariants(sa.Column("is_expression", sa.Boolean(), nullable=True))


def downgrade() -> None:
    _drop("action_invariant", "action_argument", "action")
    op.create_table(
        "action",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("namespace", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("is_idempotent", sa.Boolean(), nullable=False),
        sa.Column("inputs_schema", Json, nullable=False),
        sa.Column("result_schema", Json, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("name LIKE '_%/_%'", name=op.f("ck_action_name_has_namespace")),
        sa.CheckConstraint("state IN ('available', 'archived')", name=op.f("ck_action_state")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_action_version_positive")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_action")),
    )
    for column in ("category", "namespace", "state"):
        op.create_index(op.f(f"ix_action_{column}"), "action", [column])
    _create_arguments("parametertype", BEFORE)
    _create_invariants()


def _drop(*tables: str) -> None:
    for table in tables:
        op.drop_table(table)


def _word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True)


def _create_arguments(type_name: str, types: tuple[str, ...]) -> None:
    op.create_table(
        "action_argument",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action_name", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("type", _word(type_name, *types), nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("default", Json, nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("min_value", sa.Float(), nullable=True),
        sa.Column("max_value", sa.Float(), nullable=True),
        sa.Column("pattern", sa.String(), nullable=True),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_action_argument_name_not_empty")),
        sa.CheckConstraint(
            "min_value IS NULL OR max_value IS NULL OR min_value <= max_value",
            name=op.f("ck_action_argument_min_not_above_max"),
        ),
        sa.CheckConstraint("position >= 0", name=op.f("ck_action_argument_position_not_negative")),
        sa.ForeignKeyConstraint(
            ["action_name"], ["action.name"], name=op.f("fk_action_argument_action_name_action"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_argument")),
        sa.UniqueConstraint("action_name", "name", name=op.f("uq_action_argument_action_name_name")),
        sa.UniqueConstraint("action_name", "position", name=op.f("uq_action_argument_action_name_position")),
    )


def _create_invariants(*more: sa.Column[bool]) -> None:
    op.create_table(
        "action_invariant",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action_name", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        *more,
        sa.CheckConstraint("length(text) > 0", name=op.f("ck_action_invariant_text_not_empty")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_action_invariant_position_not_negative")),
        sa.ForeignKeyConstraint(
            ["action_name"], ["action.name"], name=op.f("fk_action_invariant_action_name_action"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_invariant")),
        sa.UniqueConstraint("action_name", "position", name=op.f("uq_action_invariant_action_name_position")),
    )
