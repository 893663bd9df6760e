"""Tasks and proposals

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

STEP_TYPES = ("action", "condition", "switch", "parallel", "loop", "workflow_link", "wait", "set", "stop")
MORE_STEP_TYPES = ("action", "condition", "switch", "parallel", "loop", "workflow_link", "wait", "task", "set", "stop")
"In the order of the words, so that a database made from the models is the same."


def upgrade() -> None:
    for table in ("step_run", "workflow_step"):
        _put_words(table, "type", "steptype", MORE_STEP_TYPES)
    op.create_table(
        "workflow_proposal",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("ticket_id", sa.String(length=200), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "rejected",
                "expired",
                "pending",
                "in_progress",
                "completed",
                "failed",
                "cancelled",
                name="proposalstatus",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run_id", sa.String(length=26), nullable=True),
        sa.Column("error", Json, nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_workflow_proposal_name_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_proposal")),
    )
    with op.batch_alter_table("workflow_proposal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workflow_proposal_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_proposal_status_id"), ["status", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_proposal_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "action_proposal",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("workflow_id", sa.String(length=26), nullable=False),
        sa.Column("execution_order", sa.Integer(), nullable=False),
        sa.Column("depends_on_proposal_id", sa.String(length=26), nullable=True),
        sa.Column("action", sa.String(length=200), nullable=False),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("is_approved", sa.Boolean(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "rejected",
                "expired",
                "pending",
                "in_progress",
                "completed",
                "failed",
                "cancelled",
                name="proposalstatus",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_count", sa.Integer(), nullable=False),
        sa.Column("max_retries", sa.Integer(), nullable=False),
        sa.Column("next_retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "depends_on_proposal_id IS NULL OR depends_on_proposal_id <> id",
            name=op.f("ck_action_proposal_not_on_itself"),
        ),
        sa.CheckConstraint("execution_order >= 0", name=op.f("ck_action_proposal_order_not_negative")),
        sa.CheckConstraint(
            "retry_count >= 0 AND max_retries >= 0", name=op.f("ck_action_proposal_counts_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["depends_on_proposal_id"],
            ["action_proposal.id"],
            name=op.f("fk_action_proposal_depends_on_proposal_id_action_proposal"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workflow_id"],
            ["workflow_proposal.id"],
            name=op.f("fk_action_proposal_workflow_id_workflow_proposal"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_proposal")),
        sa.UniqueConstraint(
            "workflow_id", "execution_order", name=op.f("uq_action_proposal_workflow_id_execution_order")
        ),
    )
    with op.batch_alter_table("action_proposal", schema=None) as batch_op:
        batch_op.create_index(
            "ix_action_proposal_next_retry_at",
            ["next_retry_at"],
            unique=False,
            sqlite_where=sa.text("next_retry_at IS NOT NULL"),
            postgresql_where=sa.text("next_retry_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_action_proposal_scheduled_at",
            ["scheduled_at"],
            unique=False,
            sqlite_where=sa.text("scheduled_at IS NOT NULL"),
            postgresql_where=sa.text("scheduled_at IS NOT NULL"),
        )

    op.create_table(
        "task",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=True),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column(
            "task_type",
            sa.Enum("AI_TASK", "CSM_TASK", name="tasktype", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column(
            "owner", sa.Enum("AI", "CSM", name="taskowner", native_enum=False, create_constraint=True), nullable=False
        ),
        sa.Column("assignee", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("recommendation_id", sa.String(length=200), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "in_progress",
                "snoozed",
                "completed",
                "skipped",
                "cancelled",
                name="taskstatus",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requires_decision", sa.Boolean(), nullable=False),
        sa.Column("snooze_count", sa.Integer(), nullable=False),
        sa.Column("first_snoozed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snooze_deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("skipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("skip_reason", sa.String(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=False),
        sa.Column("outcomes", Json, nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("form", Json, nullable=True),
        sa.Column("answers", Json, nullable=True),
        sa.Column("original_run_id", sa.String(length=26), nullable=True),
        sa.Column("surfaced_in_run_ids", Json, nullable=False),
        sa.Column("details", Json, nullable=False),
        sa.Column("auto_execute", sa.Boolean(), nullable=False),
        sa.Column("processor", sa.String(length=255), nullable=True),
        sa.Column(
            "execution_status",
            sa.Enum(
                "queued",
                "running",
                "success",
                "failed",
                name="taskexecution",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column("execution_result", Json, nullable=True),
        sa.Column("executed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("execution_run_id", sa.String(length=26), nullable=True),
        sa.Column("retry_count", sa.Integer(), nullable=False),
        sa.Column("next_retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parent_task_id", sa.String(length=26), nullable=True),
        sa.Column("estimated_completion_time", sa.String(length=50), nullable=True),
        sa.Column(
            "complexity",
            sa.Enum("simple", "moderate", "complex", name="complexity", native_enum=False, create_constraint=True),
            nullable=True,
        ),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(action) > 0", name=op.f("ck_task_action_not_empty")),
        sa.CheckConstraint("parent_task_id IS NULL OR parent_task_id <> id", name=op.f("ck_task_not_its_own_parent")),
        sa.CheckConstraint("priority BETWEEN 1 AND 5", name=op.f("ck_task_priority_in_range")),
        sa.CheckConstraint("snooze_count >= 0 AND retry_count >= 0", name=op.f("ck_task_counts_not_negative")),
        sa.ForeignKeyConstraint(
            ["parent_task_id"], ["task.id"], name=op.f("fk_task_parent_task_id_task"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["workflow_run.id"], name=op.f("fk_task_run_id_workflow_run"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_task_assignee"), ["assignee"], unique=False)
        batch_op.create_index(
            "ix_task_auto_execute",
            ["auto_execute", "execution_status"],
            unique=False,
            sqlite_where=sa.text("auto_execute"),
            postgresql_where=sa.text("auto_execute"),
        )
        batch_op.create_index(batch_op.f("ix_task_execution_run_id"), ["execution_run_id"], unique=False)
        batch_op.create_index(
            "ix_task_execution_status",
            ["execution_status"],
            unique=False,
            sqlite_where=sa.text("execution_status IN ('queued', 'running')"),
            postgresql_where=sa.text("execution_status IN ('queued', 'running')"),
        )
        batch_op.create_index(
            "ix_task_open",
            ["priority", "id"],
            unique=False,
            sqlite_where=sa.text("status IN ('pending', 'in_progress', 'snoozed')"),
            postgresql_where=sa.text("status IN ('pending', 'in_progress', 'snoozed')"),
        )
        batch_op.create_index(
            "ix_task_parent_task_id",
            ["parent_task_id"],
            unique=False,
            sqlite_where=sa.text("parent_task_id IS NOT NULL"),
            postgresql_where=sa.text("parent_task_id IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_task_run_id_path"), ["run_id", "path"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_subject"), ["subject"], unique=False)

    with op.batch_alter_table("workflow", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "purpose",
                sa.Enum(
                    "workflow",
                    "proposal",
                    "task",
                    "plan",
                    name="workflowpurpose",
                    native_enum=False,
                    create_constraint=True,
                ),
                nullable=False,
                server_default="workflow",
            )
        )
        batch_op.create_index(batch_op.f("ix_workflow_purpose"), ["purpose"], unique=False)
    with op.batch_alter_table("workflow", schema=None) as batch_op:
        batch_op.alter_column("purpose", server_default=None)


def downgrade() -> None:
    for table in ("step_run", "workflow_step"):
        op.execute(sa.text(f"UPDATE {table} SET type = 'wait' WHERE type = 'task'"))
        _put_words(table, "type", "steptype", STEP_TYPES)
    with op.batch_alter_table("workflow", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_workflow_purpose"))
        batch_op.drop_constraint(batch_op.f("ck_workflow_workflowpurpose"), type_="check")
        batch_op.drop_column("purpose")

    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_task_subject"))
        batch_op.drop_index(batch_op.f("ix_task_run_id_path"))
        batch_op.drop_index(
            "ix_task_parent_task_id",
            sqlite_where=sa.text("parent_task_id IS NOT NULL"),
            postgresql_where=sa.text("parent_task_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_task_open",
            sqlite_where=sa.text("status IN ('pending', 'in_progress', 'snoozed')"),
            postgresql_where=sa.text("status IN ('pending', 'in_progress', 'snoozed')"),
        )
        batch_op.drop_index(
            "ix_task_execution_status",
            sqlite_where=sa.text("execution_status IN ('queued', 'running')"),
            postgresql_where=sa.text("execution_status IN ('queued', 'running')"),
        )
        batch_op.drop_index(batch_op.f("ix_task_execution_run_id"))
        batch_op.drop_index(
            "ix_task_auto_execute", sqlite_where=sa.text("auto_execute"), postgresql_where=sa.text("auto_execute")
        )
        batch_op.drop_index(batch_op.f("ix_task_assignee"))

    op.drop_table("task")
    with op.batch_alter_table("action_proposal", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_action_proposal_scheduled_at",
            sqlite_where=sa.text("scheduled_at IS NOT NULL"),
            postgresql_where=sa.text("scheduled_at IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_action_proposal_next_retry_at",
            sqlite_where=sa.text("next_retry_at IS NOT NULL"),
            postgresql_where=sa.text("next_retry_at IS NOT NULL"),
        )

    op.drop_table("action_proposal")
    with op.batch_alter_table("workflow_proposal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_workflow_proposal_ticket_id"))
        batch_op.drop_index(batch_op.f("ix_workflow_proposal_status_id"))
        batch_op.drop_index(batch_op.f("ix_workflow_proposal_run_id"))

    op.drop_table("workflow_proposal")


def _put_words(table: str, column: str, name: str, words: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{word}'" for word in words)
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        batch.create_check_constraint(op.f(f"ck_{table}_{name}"), f"{column} IN ({listed})")
