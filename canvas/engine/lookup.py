"""The actions an engine process can call: those that are registered, and the tools of MCP servers."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from canvas.actions.failures import ActionFailed
from canvas.actions.mcp.action import NoTool, ToolAction
from canvas.actions.mcp.failures import AmbiguousTool, UnknownTool
from canvas.actions.mcp.pool import Pool
from canvas.actions.mcp.tools import (
    ANY_SERVER,
    Tool,
    action_name,
    choices,
    parse_action_name,
    tool_spec,
    unknown_tool_spec,
)
from canvas.db import connect
from canvas.settings import Settings
from models import Connection, McpTool
from models.columns import table_of

_CONNECTION = table_of(Connection)
_TOOL = table_of(McpTool)
_FOUND = sa.select(
    _CONNECTION.c.name.label("connection"),
    _CONNECTION.c.config,
    *(_TOOL.c[name] for name in Tool.__dataclass_fields__),
).join(_TOOL, _TOOL.c.connection_id == _CONNECTION.c.id)
_BY_NAME = _FOUND.where(_CONNECTION.c.name == sa.bindparam("connection"), _TOOL.c.name == sa.bindparam("tool"))
_BY_ALIAS = _FOUND.where(_TOOL.c.alias == sa.bindparam("alias")).order_by(_CONNECTION.c.name).limit(20)
_ALIASES = sa.select(_TOOL.c.alias).distinct().order_by(_TOOL.c.alias).limit(100)


class KnownActions:
    """Finds an action by its name."""

    def __init__(self, registered: Mapping[str, Any], settings: Settings) -> None:
        self._registered = registered
        self._engine = connect(settings).execution_options(canvas_readonly=True)
        self._pool = Pool(settings)

    def get(self, name: str) -> Any:
        """Give an action; None if there is nothing of this name.

        A name that can only mean a tool always gives something; when the tool is not known, its call asks the server
        or fails and says which tools there are.
        """
        registered = self._registered.get(name)
        if registered is not None:
            return registered
        if (parts := parse_action_name(name)) is not None:
            return self._of_connection(name, *parts)
        namespace, _, alias = name.partition("/")
        return self._of_any_server(name, alias) if namespace == ANY_SERVER and alias else None

    async def close(self) -> None:
        """Close the sessions with MCP servers."""
        await self._pool.close()

    def _of_connection(self, name: str, connection: str, tool: str) -> ToolAction:
        rows = self._rows(_BY_NAME, connection=connection, tool=tool)
        spec = _spec(rows[0]) if rows else unknown_tool_spec(name)
        return ToolAction(spec, connection, tool, self._pool)

    def _of_any_server(self, name: str, alias: str) -> ToolAction | NoTool:
        rows = self._rows(_BY_ALIAS, alias=alias)
        if len(rows) == 1:
            return ToolAction(_spec(rows[0]), rows[0]["connection"], rows[0]["name"], self._pool)
        failure: ActionFailed
        if rows:
            offered = choices(action_name(row["connection"], row["name"]) for row in rows)
            failure = AmbiguousTool(f"Several MCP servers have a tool {alias!r}. Use one of {offered} instead.")
        else:
            known = choices(row["alias"] for row in self._rows(_ALIASES))
            there_are = f"They have {known}." if known else "There is no connection to one yet."
            failure = UnknownTool(f"No MCP server has a tool {alias!r}. {there_are}")
        return NoTool(unknown_tool_spec(name), failure)

    def _rows(self, statement: sa.Select[Any], **values: str) -> list[Mapping[str, Any]]:
        with self._engine.connect() as database:
            return [dict(row) for row in database.execute(statement, values).mappings()]


def _spec(row: Mapping[str, Any]) -> Any:
    tool = Tool(**{name: row[name] for name in Tool.__dataclass_fields__})
    return tool_spec(row["connection"], tool, starts_command=bool(row["config"].get("command")))
