"""Tools of MCP servers: kept with their connection whenever it was tested, and given to the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.actions.mcp.tools import ANY_SERVER, Listing, Tool, action_name, to_row, tool_spec
from canvas.domain.catalog import ActionSpec
from models import Connection, McpServer, McpTool

KIND = "mcp"


@dataclass(frozen=True, slots=True)
class ServerRow:
    """What is known about the server behind a connection."""

    connection: str
    server: str
    protocol_version: str
    left_out: int
    listed_at: datetime
    tools: tuple[str, ...]


def keep_tools(session: Session, connection: str, listing: Listing, *, now: datetime) -> None:
    """Write down what the server behind a connection offers, in place of what it offered before."""
    connection_id = session.exec(select(Connection.id).where(Connection.name == connection)).one()
    session.execute(sa.delete(McpTool).where(col(McpTool.connection_id) == connection_id))
    session.add_all(
        McpTool(connection_id=connection_id, position=position, alias=tool.alias, **to_row(tool))
        for position, tool in enumerate(listing.tools)
    )
    session.merge(
        McpServer(
            connection_id=connection_id,
            server=listing.server,
            protocol_version=listing.protocol_version,
            left_out=listing.left_out,
            listed_at=now,
        )
    )


def tool_specs(session: Session) -> dict[str, ActionSpec]:
    """Give every tool there is as an action, by name."""
    specs: dict[str, ActionSpec] = {}
    for connection, config, server in _servers(session):
        known = _known_specs(server.connection_id, connection, server.listed_at)
        if not known:
            known.append(_read_specs(session, connection, config, server.connection_id))
        specs |= known[0]
    return specs


def tools_by_alias(session: Session) -> dict[str, tuple[str, ...]]:
    """Give the actions that `tool/ALIAS` may mean, by that name."""
    found: dict[str, list[str]] = {}
    query = (
        select(McpTool.alias, Connection.name, McpTool.name)
        .join(Connection, col(Connection.id) == col(McpTool.connection_id))
        .order_by(col(Connection.name), col(McpTool.position))
    )
    for alias, connection, tool in session.exec(query):
        found.setdefault(f"{ANY_SERVER}/{alias}", []).append(action_name(connection, tool))
    return {name: tuple(actions) for name, actions in found.items()}


def server_rows(session: Session) -> list[ServerRow]:
    """List the servers that were asked what they offer, with the names of their tools as actions."""
    rows = []
    for connection, _, server in _servers(session):
        names = select(McpTool.name).where(McpTool.connection_id == server.connection_id)
        tools = session.exec(names.order_by(col(McpTool.position))).all()
        rows.append(
            ServerRow(
                connection=connection,
                server=server.server,
                protocol_version=server.protocol_version,
                left_out=server.left_out,
                listed_at=server.listed_at,
                tools=tuple(action_name(connection, tool) for tool in tools),
            )
        )
    return rows


def outdated_servers(session: Session, *, now: datetime, after: timedelta) -> list[str]:
    """Name the MCP connections that were last tested longer ago than that, or never in their present shape."""
    tested = col(Connection.tested_at)
    query = select(Connection.name).where(Connection.kind == KIND, tested.is_(None) | (tested <= now - after))
    return list(session.exec(query.order_by(col(Connection.name))).all())


def _servers(session: Session) -> list[tuple[str, Mapping[str, Any], McpServer]]:
    query = (
        select(Connection.name, Connection.config, McpServer)
        .join(McpServer, col(McpServer.connection_id) == col(Connection.id))
        .where(Connection.kind == KIND)
        .order_by(col(Connection.name))
    )
    return list(session.exec(query).all())


@lru_cache(maxsize=256)
def _known_specs(connection_id: str, name: str, listed_at: datetime) -> list[dict[str, ActionSpec]]:
    """Give the place where a server's tools are kept once they were read."""
    del connection_id, name, listed_at
    return []


def _read_specs(
    session: Session, connection: str, config: Mapping[str, Any], connection_id: str
) -> dict[str, ActionSpec]:
    rows = session.exec(
        select(McpTool).where(McpTool.connection_id == connection_id).order_by(col(McpTool.position))
    ).all()
    starts_command = bool(config.get("command"))
    specs = [tool_spec(connection, _tool(row), starts_command=starts_command) for row in rows]
    return {spec.name: spec for spec in specs}


def _tool(row: McpTool) -> Tool:
    return Tool(
        name=row.name,
        title=row.title,
        description=row.description,
        input_schema=row.input_schema,
        output_schema=row.output_schema,
        is_repeatable=row.is_repeatable,
        annotations=row.annotations,
    )
