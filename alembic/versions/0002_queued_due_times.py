"""Index of queued due times

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

QUEUED = sa.text("outcome = 'queued'")


def upgrade() -> None:
    op.create_index(
        "ix_schedule_fire_queued",
        "schedule_fire",
        ["schedule_id", "id"],
        sqlite_where=QUEUED,
        postgresql_where=QUEUED,
    )


def downgrade() -> None:
    op.drop_index("ix_schedule_fire_queued", "schedule_fire")
