"""What a server offers, as it is kept with its connection, and as the catalogue shows it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from canvas.actions.mcp.samples import sample
from canvas.actions.mcp.schemas import arguments_schema, cleaned_schema
from canvas.domain.catalog import ActionSpec
from canvas.domain.importers.naming import slug
from canvas.domain.states import ActionOrigin, ActionPermission

NAMESPACE: Final = "mcp."
ANY_SERVER: Final = "tool"
"The namespace of tools that name no connection, as imported workflows have them."
MAX_TOOLS: Final = 500
MAX_DESCRIPTION: Final = 4_000
_NAME: Final = re.compile(r"[A-Za-z0-9_.\-/]{1,128}")
_ANY: Final[Mapping[str, Any]] = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool of a server."""

    name: str
    title: str = ""
    description: str = ""
    input_schema: dict[str, Any]
    "Cleaned; always of an object."
    output_schema: dict[str, Any] | None = None
    "Cleaned; None when the server promises nothing about its results."
    is_repeatable: bool = False
    "Whether the server says that a second call does no more than one."
    annotations: dict[str, Any]
    "The server's hints, as it gave them."

    @property
    def alias(self) -> str:
        """What imported workflows call it, after `tool/`."""
        return slug(self.name, "unnamed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A server's tools at one moment."""

    server: str
    "Its name and version, in its own words."
    protocol_version: str
    tools: tuple[Tool, ...]
    left_out: int = 0
    "Tools whose names cannot be used, or that were too many."

    def find(self, name: str) -> Tool | None:
        """Give the tool of a name."""
        return next((tool for tool in self.tools if tool.name == name), None)


def is_tool_name(name: str) -> bool:
    """Tell whether a name can stand in a workflow."""
    return _NAME.fullmatch(name) is not None


def action_name(connection: str, tool: str) -> str:
    """Name the action that a tool is."""
    return f"{NAMESPACE}{connection}/{tool}"


def parse_action_name(name: str) -> tuple[str, str] | None:
    """Take `mcp.CONNECTION/TOOL` apart; None for any other name."""
    namespace, _, tool = name.partition("/")
    if not namespace.startswith(NAMESPACE) or not tool or namespace == NAMESPACE:
        return None
    return namespace.removeprefix(NAMESPACE), tool


def tool_spec(connection: str, tool: Tool, *, starts_command: bool) -> ActionSpec:
    """Describe a tool as the catalogue describes actions.

    Args:
        connection: The name of its server's connection.
        starts_command: Whether the server is a program of this machine.
    """
    result = tool.output_schema or _ANY
    reach = ActionPermission.COMMANDS if starts_command else ActionPermission.NETWORK
    return ActionSpec(
        name=action_name(connection, tool.name),
        title=tool.title or tool.name,
        description=tool.description or f"The tool {tool.name} of the MCP server {connection}.",
        category=f"MCP: {connection}",
        icon="plug",
        arguments_schema=tool.input_schema,
        result_schema=result,
        example_arguments=sample(tool.input_schema, required_only=True) or {},
        example_result=sample(result) or {},
        idempotent=tool.is_repeatable,
        permissions=(ActionPermission.CONNECTION, reach),
        security=(
            f"The server behind the connection `{connection}` gets the arguments and decides what it does with them; "
            "what it says about the tool are its own words."
        ),
        origin=ActionOrigin.MCP,
        origin_detail=connection,
    )


def unknown_tool_spec(name: str) -> ActionSpec:
    """Describe a tool of which nothing is known: it may do anything, once."""
    return ActionSpec(
        name=name,
        title=name,
        description="A tool that no MCP server is known to offer.",
        category="MCP",
        icon="plug",
        arguments_schema=_ANY,
        result_schema=_ANY,
        example_arguments={},
        example_result={},
        idempotent=False,
        permissions=(ActionPermission.CONNECTION,),
        security="Nothing is known about it.",
        origin=ActionOrigin.MCP,
    )


def read_tool(name: str, title: str, description: str, schemas: tuple[Any, Any], hints: Mapping[str, Any]) -> Tool:
    """Make a tool of what a server says about it.

    Args:
        schemas: Of its arguments and of its result, as sent.
        hints: Its annotations, as sent.
    """
    return Tool(
        name=name,
        title=title[:200],
        description=description[:MAX_DESCRIPTION],
        input_schema=arguments_schema(schemas[0]),
        output_schema=cleaned_schema(schemas[1]),
        is_repeatable=hints.get("readOnlyHint") is True or hints.get("idempotentHint") is True,
        annotations={key: value for key, value in hints.items() if isinstance(value, str | bool)},
    )


def to_row(tool: Tool) -> dict[str, Any]:
    """Give a tool's fields by name."""
    return {field.name: getattr(tool, field.name) for field in fields(tool)}


def choices(names: Iterable[str]) -> str:
    """List names in a sentence, ten at most."""
    listed = sorted(names)
    more = f" and {len(listed) - 10} more" if len(listed) > 10 else ""
    return ", ".join(f"`{name}`" for name in listed[:10]) + more
