"""Triggers that remember: switches, jitter, signatures, deliveries and events

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
BEFORE = ("manual", "api", "schedule", "webhook", "event", "workflow")
ADDED = ("error", "proposal", "task", "plan")
TRIGGERS = ("schedule", "webhook", "event_subscription")
LISTENS = sa.text("retired_at IS NULL")
UNHEARD = sa.text("dispatched_at IS NULL")
BEHIND = sa.text("behind_after IS NOT NULL")


def upgrade() -> None:
    _put_words(BEFORE, (*BEFORE, *ADDED), sa.Column("reply_port", sa.Integer(), nullable=True))
    for table in TRIGGERS:
        with op.batch_alter_table(table) as batch:
            batch.add_column(_flag("is_declared_on", "true"))
            batch.add_column(sa.Column("switched", sa.Boolean(), nullable=True))
            batch.add_column(sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
        _forget_defaults(table, "is_declared_on")
        op.execute(sa.text(f"UPDATE {table} SET is_declared_on = enabled"))
    with op.batch_alter_table("schedule") as batch:
        batch.add_column(sa.Column("jitter_seconds", sa.Float(), nullable=False, server_default="0"))
    with op.batch_alter_table("schedule") as batch:
        batch.alter_column("jitter_seconds", server_default=None)
        batch.create_check_constraint(op.f("ck_schedule_jitter_not_negative"), "jitter_seconds >= 0")
    with op.batch_alter_table("schedule_fire") as batch:
        batch.add_column(_flag("is_backfill", "false"))
    _forget_defaults("schedule_fire", "is_backfill")
    _upgrade_webhooks()
    _upgrade_events()


def _upgrade_webhooks() -> None:
    with op.batch_alter_table("webhook") as batch:
        batch.drop_constraint("uq_webhook_path", type_="unique")
        batch.add_column(_word("signature", "signature", ("none", "token", "standard"), "none"))
        batch.add_column(_word("respond", "respond", ("at_once", "result"), "at_once"))
        batch.add_column(sa.Column("respond_timeout_seconds", sa.Float(), nullable=False, server_default="30"))
        batch.add_column(sa.Column("secret", sa.String(), nullable=True))
        batch.add_column(sa.Column("previous_secret", sa.String(), nullable=True))
        batch.add_column(sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("webhook") as batch:
        for column in ("signature", "respond", "respond_timeout_seconds"):
            batch.alter_column(column, server_default=None)
        batch.create_check_constraint(op.f("ck_webhook_waits_for_a_while"), "respond_timeout_seconds > 0")
    op.create_index(
        "ix_webhook_path", "webhook", ["path"], unique=True, sqlite_where=LISTENS, postgresql_where=LISTENS
    )
    op.create_table(
        "webhook_seen",
        sa.Column("webhook_id", sa.String(length=26), nullable=False),
        sa.Column("delivery_key", sa.String(length=255), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_seen_webhook_id_webhook"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook_id", "delivery_key", name=op.f("pk_webhook_seen")),
    )
    op.create_index(op.f("ix_webhook_seen_seen_at"), "webhook_seen", ["seen_at"])
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("webhook_id", sa.String(length=26), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery_key", sa.String(length=255), nullable=True),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=True),
        sa.Column("query", Json, nullable=False),
        sa.Column("headers", Json, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("replay_of", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id_webhook"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index(op.f("ix_webhook_delivery_webhook_id_id"), "webhook_delivery", ["webhook_id", "id"])
    op.create_index(op.f("ix_webhook_delivery_received_at"), "webhook_delivery", ["received_at"])


def _upgrade_events() -> None:
    with op.batch_alter_table("event_subscription") as batch:
        batch.add_column(sa.Column("behind_after", sa.String(length=26), nullable=True))
    op.create_index(
        "ix_event_subscription_behind",
        "event_subscription",
        ["id"],
        sqlite_where=BEHIND,
        postgresql_where=BEHIND,
    )
    op.create_table(
        "event",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("type", sa.String(length=200), nullable=False),
        sa.Column("data", Json, nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=255), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(), nullable=True),
        sa.Column("error_workflow", sa.String(), nullable=True),
        sa.CheckConstraint("length(type) > 0", name=op.f("ck_event_type_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("type", "dedupe_key", name=op.f("uq_event_type_dedupe_key")),
    )
    op.create_index(op.f("ix_event_type_id"), "event", ["type", "id"])
    op.create_index(op.f("ix_event_expires_at"), "event", ["expires_at"])
    op.create_index("ix_event_unheard", "event", ["id"], sqlite_where=UNHEARD, postgresql_where=UNHEARD)
    op.create_table(
        "event_delivery",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.String(length=26), nullable=False),
        sa.Column("subscription_id", sa.String(length=26), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_event_delivery_event_id_event"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["event_subscription.id"],
            name=op.f("fk_event_delivery_subscription_id_event_subscription"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_delivery")),
        sa.UniqueConstraint(
            "event_id", "subscription_id", name=op.f("uq_event_delivery_event_id_subscription_id")
        ),
    )
    op.create_index(op.f("ix_event_delivery_subscription_id_id"), "event_delivery", ["subscription_id", "id"])


def downgrade() -> None:
    for table in ("event_delivery", "event", "webhook_delivery", "webhook_seen"):
        op.drop_table(table)
    gone = "SELECT id FROM schedule WHERE retired_at IS NOT NULL"
    op.execute(sa.text(f"DELETE FROM schedule_fire WHERE schedule_id IN ({gone})"))
    for table in TRIGGERS:
        op.execute(sa.text(f"DELETE FROM {table} WHERE retired_at IS NOT NULL"))
    op.drop_index("ix_event_subscription_behind", "event_subscription")
    op.drop_index("ix_webhook_path", "webhook")
    with op.batch_alter_table("webhook") as batch:
        batch.drop_constraint(op.f("ck_webhook_waits_for_a_while"), type_="check")
        batch.drop_constraint(op.f("ck_webhook_signature"), type_="check")
        batch.drop_constraint(op.f("ck_webhook_respond"), type_="check")
        for column in ("signature", "respond", "respond_timeout_seconds", "secret", "previous_secret"):
            batch.drop_column(column)
        batch.drop_column("previous_until")
        batch.create_unique_constraint(op.f("uq_webhook_path"), ["path"])
    with op.batch_alter_table("schedule") as batch:
        batch.drop_constraint(op.f("ck_schedule_jitter_not_negative"), type_="check")
        batch.drop_column("jitter_seconds")
    for table, column in (("schedule_fire", "is_backfill"), ("event_subscription", "behind_after")):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
    for table in TRIGGERS:
        with op.batch_alter_table(table) as batch:
            for column in ("is_declared_on", "switched", "retired_at"):
                batch.drop_column(column)
    op.execute(sa.text(f"UPDATE workflow_run SET trigger_type = 'workflow' WHERE trigger_type IN {ADDED}"))
    _put_words((*BEFORE, *ADDED), BEFORE, None)


def _put_words(old: tuple[str, ...], new: tuple[str, ...], column: sa.Column | None) -> None:
    listed = ", ".join(f"'{word}'" for word in new)
    with op.batch_alter_table("workflow_run") as batch:
        batch.drop_constraint(op.f("ck_workflow_run_triggertype"), type_="check")
        batch.create_check_constraint(op.f("ck_workflow_run_triggertype"), f"trigger_type IN ({listed})")
        if column is not None:
            batch.add_column(column)
        else:
            batch.drop_column("reply_port")


def _flag(name: str, default: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text(default))


def _word(name: str, kind: str, words: tuple[str, ...], default: str) -> sa.Column:
    known = sa.Enum(*words, name=kind, native_enum=False, create_constraint=True)
    return sa.Column(name, known, nullable=False, server_default=default)


def _forget_defaults(table: str, *columns: str) -> None:
    with op.batch_alter_table(table) as batch:
        for column in columns:
            batch.alter_column(column, server_default=None)
