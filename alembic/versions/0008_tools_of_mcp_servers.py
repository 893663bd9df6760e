"""Tools of MCP servers

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "mcp_server",
        sa.Column("connection_id", sa.String(length=26), nullable=False),
        sa.Column("server", sa.String(), nullable=False),
        sa.Column("protocol_version", sa.String(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_mcp_server_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_mcp_server")),
    )
    op.create_table(
        "mcp_tool",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("connection_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("alias", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("input_schema", Json, nullable=False),
        sa.Column("output_schema", Json, nullable=True),
        sa.Column("is_repeatable", sa.Boolean(), nullable=False),
        sa.Column("annotations", Json, nullable=False),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_mcp_tool_name_not_empty")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_mcp_tool_position_not_negative")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_mcp_tool_connection_id_connection"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mcp_tool")),
        sa.UniqueConstraint("connection_id", "name", name=op.f("uq_mcp_tool_connection_id_name")),
        sa.UniqueConstraint("connection_id", "position", name=op.f("uq_mcp_tool_connection_id_position")),
    )
    with op.batch_alter_table("mcp_tool", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mcp_tool_alias"), ["alias"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("mcp_tool", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mcp_tool_alias"))

    op.drop_table("mcp_tool")
    op.drop_table("mcp_server")
