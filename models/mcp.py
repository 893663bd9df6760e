"""What MCP servers offer, as it was found when they were asked last."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import Row, json_field


class McpServer(SQLModel, table=True):
    """The server behind a connection of kind `mcp`."""

    __tablename__ = "mcp_server"

    connection_id: str = Field(primary_key=True, foreign_key="connection.id", ondelete="CASCADE", max_length=26)
    server: str
    "Its name and version, in its own words."
    protocol_version: str
    left_out: int = 0
    "Tools of it that cannot be used."
    listed_at: datetime


class McpTool(Row, table=True):
    """One tool of a server."""

    __tablename__ = "mcp_tool"
    __table_args__ = (
        UniqueConstraint("connection_id", "name"),
        UniqueConstraint("connection_id", "position"),
        CheckConstraint("length(name) > 0", name="name_not_empty"),
        CheckConstraint("position >= 0", name="position_not_negative"),
    )

    connection_id: str = Field(foreign_key="connection.id", ondelete="CASCADE", max_length=26)
    position: int
    name: str = Field(max_length=128)
    alias: str = Field(index=True, max_length=64)
    "What imported workflows call it, after `tool/`."
    title: str = ""
    description: str = ""
    input_schema: dict[str, Any] = json_field()
    output_schema: dict[str, Any] | None = json_field(default=None, nullable=True)
    is_repeatable: bool = False
    "Whether the server says that a second call does no more than one."
    annotations: dict[str, Any] = json_field(default_factory=dict)
    "The server's hints, as it gave them."
