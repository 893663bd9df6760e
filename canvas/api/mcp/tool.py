"""What a tool for agents is: a typed function behind a permission."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict

from canvas.actions.schemas import inlined
from canvas.api.caller import Caller
from canvas.services.access import Permission


class Arguments(BaseModel):
    """What a tool is called with; an argument it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class Function(Protocol):
    """A tool's own code; it may wait, and runs on the event loop."""

    async def __call__(self, caller: Caller, args: Any) -> BaseModel:
        """Do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTool:
    """A tool, as it is listed and called."""

    name: str
    title: str
    description: str
    permission: Permission
    arguments: type[Arguments]
    result: type[BaseModel]
    reads_only: bool
    is_idempotent: bool
    function: Function

    @property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments, without references."""
        schema: dict[str, Any] = inlined(self.arguments.model_json_schema())
        return schema

    @property
    def output_schema(self) -> dict[str, Any]:
        """JSON Schema of the result, without references."""
        schema: dict[str, Any] = inlined(self.result.model_json_schema(mode="serialization"))
        return schema


F = TypeVar("F", bound=Callable[..., Any])
_tools: dict[str, AgentTool] = {}


def agent_tool(
    permission: Permission, title: str, *, reads_only: bool = False, idempotent: bool = False
) -> Callable[[F], F]:
    """Offer an async function `(caller, args) -> result` to agents under its own name; its docstring is for them.

    Args:
        permission: What the token's role has to allow.
        reads_only: Whether a call changes nothing.
        idempotent: Whether a second call does no more than one.
    """

    def register(function: F) -> F:
        hints = get_type_hints(function)
        name = function.__name__
        _tools[name] = AgentTool(
            name=name,
            title=title,
            description=inspect.getdoc(function) or "",
            permission=permission,
            arguments=hints["args"],
            result=hints["return"],
            reads_only=reads_only,
            is_idempotent=reads_only or idempotent,
            function=function,
        )
        return function

    return register


def agent_tools() -> dict[str, AgentTool]:
    """Give every tool by name."""
    for module in ("work", "people"):  # each registers its own
        import_module(f"canvas.api.mcp.{module}")
    return dict(_tools)
