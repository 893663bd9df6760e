"""Tables for workflows, runs, triggers, actions and notifications

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
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
    with op.batch_alter_table("action", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_action_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_action_namespace"), ["namespace"], unique=False)
        batch_op.create_index(batch_op.f("ix_action_state"), ["state"], unique=False)

    op.create_table(
        "notification",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column(
            "level",
            sa.Enum("debug", "info", "warning", "error", name="loglevel", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(title) > 0", name=op.f("ck_notification_title_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notification_read_at"), ["read_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_notification_run_id"), ["run_id"], unique=False)

    op.create_table(
        "payload",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_payload")),
    )
    op.create_table(
        "worker",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("boot_id", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started", sa.Float(), nullable=False),
        sa.Column("doorbell_port", sa.Integer(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.create_table(
        "workflow",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "active",
                "deprecated",
                "archived",
                name="workflowstatus",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("draft", Json, nullable=False),
        sa.Column("draft_layout", Json, nullable=False),
        sa.Column("draft_revision", sa.Integer(), nullable=False),
        sa.Column("latest_version", sa.Integer(), nullable=False),
        sa.Column("published_version", sa.Integer(), nullable=True),
        sa.CheckConstraint("draft_revision >= 0", name=op.f("ck_workflow_draft_revision_not_negative")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_workflow_name_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow")),
        sa.UniqueConstraint("name", name=op.f("uq_workflow_name")),
    )
    with op.batch_alter_table("workflow", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workflow_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "action_argument",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action_name", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "string",
                "integer",
                "number",
                "boolean",
                "list",
                "object",
                "any",
                name="parametertype",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
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
    op.create_table(
        "action_invariant",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action_name", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.CheckConstraint("length(text) > 0", name=op.f("ck_action_invariant_text_not_empty")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_action_invariant_position_not_negative")),
        sa.ForeignKeyConstraint(
            ["action_name"], ["action.name"], name=op.f("fk_action_invariant_action_name_action"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_invariant")),
        sa.UniqueConstraint("action_name", "position", name=op.f("uq_action_invariant_action_name_position")),
    )
    op.create_table(
        "event_subscription",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("workflow_id", sa.String(length=26), nullable=False),
        sa.Column("is_from_definition", sa.Boolean(), nullable=False),
        sa.Column("event_type", sa.String(length=200), nullable=False),
        sa.Column("filter", sa.String(), nullable=True),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_id"],
            ["workflow.id"],
            name=op.f("fk_event_subscription_workflow_id_workflow"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_subscription")),
    )
    with op.batch_alter_table("event_subscription", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_event_subscription_event_type_enabled"), ["event_type", "enabled"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_event_subscription_workflow_id"), ["workflow_id"], unique=False)

    op.create_table(
        "schedule",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("workflow_id", sa.String(length=26), nullable=False),
        sa.Column("is_from_definition", sa.Boolean(), nullable=False),
        sa.Column("cron", sa.String(), nullable=True),
        sa.Column("interval_seconds", sa.Float(), nullable=True),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("parameters", Json, nullable=False),
        sa.Column(
            "overlap",
            sa.Enum("allow", "skip", "queue", name="overlap", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column(
            "catch_up",
            sa.Enum("none", "last", "all", name="catchup", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("anchor_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_fire_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_fire_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(cron IS NULL) <> (interval_seconds IS NULL)", name=op.f("ck_schedule_cron_or_interval")),
        sa.CheckConstraint(
            "interval_seconds IS NULL OR interval_seconds >= 1", name=op.f("ck_schedule_interval_at_least_a_second")
        ),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("fk_schedule_workflow_id_workflow"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
    )
    with op.batch_alter_table("schedule", schema=None) as batch_op:
        batch_op.create_index(
            "ix_schedule_due",
            ["next_fire_at"],
            unique=False,
            sqlite_where=sa.text("enabled"),
            postgresql_where=sa.text("enabled"),
        )
        batch_op.create_index(batch_op.f("ix_schedule_workflow_id"), ["workflow_id"], unique=False)

    op.create_table(
        "webhook",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("workflow_id", sa.String(length=26), nullable=False),
        sa.Column("is_from_definition", sa.Boolean(), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("methods", Json, nullable=False),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("last_called_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(path) > 0", name=op.f("ck_webhook_path_not_empty")),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("fk_webhook_workflow_id_workflow"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sa.UniqueConstraint("path", name=op.f("uq_webhook_path")),
    )
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_workflow_id"), ["workflow_id"], unique=False)

    op.create_table(
        "workflow_version",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("workflow_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("definition", Json, nullable=False),
        sa.Column("layout", Json, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("change_summary", sa.String(), nullable=False),
        sa.Column(
            "change_type",
            sa.Enum(
                "create",
                "update",
                "major",
                "minor",
                "patch",
                name="changetype",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("breaking_changes", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("number >= 1", name=op.f("ck_workflow_version_number_positive")),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("fk_workflow_version_workflow_id_workflow"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_version")),
        sa.UniqueConstraint("workflow_id", "number", name=op.f("uq_workflow_version_workflow_id_number")),
    )
    op.create_table(
        "schedule_fire",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("schedule_id", sa.String(length=26), nullable=False),
        sa.Column("fire_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name=op.f("fk_schedule_fire_schedule_id_schedule"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_fire")),
        sa.UniqueConstraint("schedule_id", "fire_at", name=op.f("uq_schedule_fire_schedule_id_fire_at")),
    )
    op.create_table(
        "workflow_run",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("workflow_id", sa.String(length=26), nullable=False),
        sa.Column("version_id", sa.String(length=26), nullable=False),
        sa.Column("workflow_name", sa.String(), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "paused",
                "completed",
                "failed",
                "cancelled",
                name="runstatus",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "trigger_type",
            sa.Enum(
                "manual",
                "api",
                "schedule",
                "webhook",
                "event",
                "workflow",
                name="triggertype",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("trigger_data", Json, nullable=True),
        sa.Column("triggered_by", sa.String(), nullable=False),
        sa.Column("schedule_id", sa.String(length=26), nullable=True),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("context", Json, nullable=False),
        sa.Column("output", Json, nullable=True),
        sa.Column("output_hash", sa.String(length=64), nullable=True),
        sa.Column("error", Json, nullable=True),
        sa.Column("settled_steps", sa.Integer(), nullable=False),
        sa.Column("total_steps", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("fixtures", Json, nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("pause_requested", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.String(length=26), nullable=True),
        sa.Column("parent_run_id", sa.String(length=26), nullable=True),
        sa.Column("parent_path", sa.String(), nullable=True),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "settled_steps >= 0 AND settled_steps <= total_steps", name=op.f("ck_workflow_run_progress_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["workflow_version.id"],
            name=op.f("fk_workflow_run_version_id_workflow_version"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("fk_workflow_run_workflow_id_workflow"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_run")),
        sa.UniqueConstraint("workflow_id", "idempotency_key", name=op.f("uq_workflow_run_workflow_id_idempotency_key")),
    )
    with op.batch_alter_table("workflow_run", schema=None) as batch_op:
        batch_op.create_index(
            "ix_workflow_run_live",
            ["status", "priority", "id"],
            unique=False,
            sqlite_where=sa.text("status IN ('pending', 'running', 'paused')"),
            postgresql_where=sa.text("status IN ('pending', 'running', 'paused')"),
        )
        batch_op.create_index(batch_op.f("ix_workflow_run_parent_run_id"), ["parent_run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_run_schedule_id_id"), ["schedule_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_run_status_id"), ["status", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_run_trigger_type_id"), ["trigger_type", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_run_version_id"), ["version_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_run_worker_id"), ["worker_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_run_workflow_id_id"), ["workflow_id", "id"], unique=False)

    op.create_table(
        "workflow_step",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "action",
                "condition",
                "switch",
                "parallel",
                "loop",
                "workflow_link",
                "wait",
                "set",
                "stop",
                name="steptype",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("parent_name", sa.String(), nullable=True),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("linked_workflow", sa.String(), nullable=True),
        sa.Column("dependencies", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["workflow_version.id"],
            name=op.f("fk_workflow_step_version_id_workflow_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_step")),
        sa.UniqueConstraint("version_id", "name", name=op.f("uq_workflow_step_version_id_name")),
    )
    with op.batch_alter_table("workflow_step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workflow_step_action"), ["action"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_step_linked_workflow"), ["linked_workflow"], unique=False)

    op.create_table(
        "run_log",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=False),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum("run", "step", "line", name="logkind", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column(
            "level",
            sa.Enum("debug", "info", "warning", "error", name="loglevel", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("data", Json, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["workflow_run.id"], name=op.f("fk_run_log_run_id_workflow_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_run_log")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("run_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_log_run_id_seq"), ["run_id", "seq"], unique=False)

    op.create_table(
        "step_run",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "action",
                "condition",
                "switch",
                "parallel",
                "loop",
                "workflow_link",
                "wait",
                "set",
                "stop",
                name="steptype",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("interruptions", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "retrying",
                "waiting",
                "completed",
                "failed",
                "skipped",
                "cancelled",
                name="stepstatus",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("branch", sa.String(), nullable=True),
        sa.Column("branch_value", Json, nullable=True),
        sa.Column("input", Json, nullable=True),
        sa.Column("output", Json, nullable=True),
        sa.Column("output_hash", sa.String(length=64), nullable=True),
        sa.Column("error", Json, nullable=True),
        sa.Column("child_run_id", sa.String(length=26), nullable=True),
        sa.Column("worker_id", sa.String(length=26), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_step_run_attempt_positive")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["workflow_run.id"], name=op.f("fk_step_run_run_id_workflow_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_run")),
        sa.UniqueConstraint("run_id", "path", "attempt", name=op.f("uq_step_run_run_id_path_attempt")),
    )
    with op.batch_alter_table("step_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_step_run_child_run_id"), ["child_run_id"], unique=False)
        batch_op.create_index(
            "ix_step_run_due_at",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL AND status IN ('waiting', 'retrying')"),
            postgresql_where=sa.text("due_at IS NOT NULL AND status IN ('waiting', 'retrying')"),
        )


def downgrade() -> None:
    for table in (
        "step_run",
        "run_log",
        "workflow_step",
        "workflow_run",
        "schedule_fire",
        "workflow_version",
        "webhook",
        "schedule",
        "event_subscription",
        "action_invariant",
        "action_argument",
        "workflow",
        "worker",
        "payload",
        "notification",
        "action",
    ):
        op.drop_table(table)
