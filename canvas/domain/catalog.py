"""What the domain has to know about actions and other workflows to judge a definition; filled by the rooms outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from canvas.domain.definition import Parameter


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
    touches_world: bool = True
    "False for actions that only compute: a dry run really calls them."


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSignature:
    """What a `workflow_link` needs to know about the workflow it starts."""

    name: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    links: frozenset[str] = frozenset()
    "Names of the workflows its published version starts, for finding recursion."


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything a definition may name: actions by name, workflows by name."""

    actions: Mapping[str, ActionSpec] = field(default_factory=dict)
    workflows: Mapping[str, WorkflowSignature] = field(default_factory=dict)
