"""What the domain has to know about actions and other workflows to judge a definition; filled by the rooms outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from canvas.domain.definition import Parameter
from canvas.domain.states import ActionOrigin, ActionPermission


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """One registered action, as plain data: what the catalogue, the editor and the validator need."""

    name: str
    "`namespace/name`"
    version: int = 1
    title: str
    description: str
    category: str
    icon: str = "zap"
    "A Lucide icon's name."
    arguments_schema: Mapping[str, Any]
    "JSON Schema of an object, as pydantic writes it."
    result_schema: Mapping[str, Any]
    example_arguments: Mapping[str, Any]
    example_result: Any
    "What a dry run answers."
    idempotent: bool
    "Whether any call may be repeated without harm."
    partly_idempotent: bool = False
    "Whether some calls may, although not all."
    touches_world: bool = True
    "False for actions that only compute: a dry run really calls them."
    permissions: tuple[ActionPermission, ...] = ()
    "What a call may touch."
    security: str = ""
    "What somebody careful should know."
    always_uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    "Connections that it names itself, whatever it is called with, each with the kinds it may be of."
    aliases: tuple[str, ...] = ()
    "Other names it is found by, such as the constants of older systems."
    origin: ActionOrigin = ActionOrigin.BUILTIN
    origin_detail: str = ""
    "The package of a plug-in, the connection of an MCP tool, or what stands behind a user-defined action."
    starts: str = ""
    "The workflow that a call starts, for a user-defined action whose body is one."
    is_archived: bool = False
    "Whether it may not be put into workflows any more; what names it already goes on."

    @property
    def is_step(self) -> bool:
        """Whether it is no action but a step type, which the catalogue lists beside them."""
        return self.origin is ActionOrigin.STEP

    @property
    def connections(self) -> Mapping[str, tuple[str, ...]]:
        """The arguments that name a connection, each with the kinds it may be of."""
        properties: Mapping[str, Any] = self.arguments_schema.get("properties", {})
        wanted = {name: schema["x-connection"] for name, schema in properties.items() if "x-connection" in schema}
        return {name: (kinds,) if isinstance(kinds, str) else tuple(kinds) for name, kinds in wanted.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSignature:
    """What a `workflow_link` needs to know about the workflow it starts."""

    name: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    links: frozenset[str] = frozenset()
    "Names of the workflows its published version starts, for finding recursion."
    calls: frozenset[str] = frozenset()
    "Names of the actions it calls; a user-defined one may start a workflow too."


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything a definition may name: actions, workflows and connections by name."""

    actions: Mapping[str, ActionSpec] = field(default_factory=dict)
    workflows: Mapping[str, WorkflowSignature] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    "The kind of each."
    tools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    "The actions that `tool/NAME`, which names no MCP server, may mean."

    def starts(self, workflow: str) -> list[str]:
        """List the workflows that a workflow starts, by its own links and through user-defined actions."""
        signature = self.workflows.get(workflow)
        if signature is None:
            return []
        called = (self.actions[name].starts for name in signature.calls if name in self.actions)
        return sorted(signature.links | {name for name in called if name})
