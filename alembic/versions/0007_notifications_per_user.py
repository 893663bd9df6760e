"""Notifications per user: whom they are for, and who has read them

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("notification_recipient", *_who_and_what("notification_recipient"))
    op.create_index("ix_notification_recipient_notification_id", "notification_recipient", ["notification_id"])
    op.create_table(
        "notification_read",
        *_who_and_what("notification_read"),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_notification_read_notification_id", "notification_read", ["notification_id"])
    op.execute(
        "INSERT INTO notification_read (user_name, notification_id, read_at)"
        " SELECT 'local', id, read_at FROM notification WHERE read_at IS NOT NULL"
    )
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_for_everybody", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.drop_index("ix_notification_read_at")
        batch_op.drop_column("read_at")
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.alter_column("is_for_everybody", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.add_column(sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_column("is_for_everybody")
    op.create_index("ix_notification_read_at", "notification", ["read_at"])
    op.execute(
        "UPDATE notification SET read_at = (SELECT min(read_at) FROM notification_read"
        " WHERE notification_read.notification_id = notification.id)"
    )
    op.drop_table("notification_read")
    op.drop_table("notification_recipient")


def _who_and_what(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("user_name", sa.String(length=80), nullable=False),
        sa.Column("notification_id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notification.id"],
            name=op.f(f"fk_{table}_notification_id_notification"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_name", "notification_id", name=op.f(f"pk_{table}")),
    ]
