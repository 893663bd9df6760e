"""A workflow's definition: everything one version says, apart from where its steps lie on the canvas."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from canvas.domain.states import CatchUp, Overflow, Overlap, ParameterType, Respond, Signature, WorkflowStatus
from canvas.domain.steps import Scope, Step

SCHEMA_ID = "canvas/v1"
DEFAULT_RESPOND_SECONDS = 30.0

Layout = Mapping[str, tuple[float, float]]
"""Where each step lies: name to (x, y) in canvas pixels, relative to the step's container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value a run is started with."""

    type: ParameterType = ParameterType.STRING
    required: bool = False
    default: Any = None
    enum: tuple[Any, ...] = ()
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One value a run ends with; `value` is a template evaluated when the run completes."""

    type: ParameterType = ParameterType.ANY
    value: Any = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """How many runs of one workflow may be going at once; further ones wait as pending."""

    limit: int = 0
    "0 has no limit."
    overflow: Overflow = Overflow.QUEUE


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """Bounds for a whole run."""

    timeout_minutes: float | None = None
    max_retries: int = 0
    "Further attempts of a failing step that has no retry policy of its own."
    concurrency: Concurrency = field(default_factory=Concurrency)
    error_workflow: str = ""
    "The workflow that is started once when a run fails; empty for none."


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTrigger:
    """Starts runs by the clock: either `cron` or `interval_seconds`."""

    cron: str | None = None
    interval_seconds: float | None = None
    timezone: str = "UTC"
    jitter_seconds: float = 0
    "Each firing is put off by up to this much, always the same for the same due time."
    overlap: Overlap = Overlap.ALLOW
    catch_up: CatchUp = CatchUp.LAST
    enabled: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTrigger:
    """Starts a run for each request to `/api/hooks/{path}`."""

    path: str
    methods: tuple[str, ...] = ("POST",)
    signature: Signature = Signature.NONE
    respond: Respond = Respond.AT_ONCE
    respond_timeout_seconds: float = DEFAULT_RESPOND_SECONDS
    "How long `result` waits for the run; after that the answer is its id."
    enabled: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)
    "Templates over `trigger.data`: body, query, headers, method."


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTrigger:
    """Starts a run for each event of one type that passes the filter."""

    event: str
    filter: str | None = None
    "A condition over `event.type` and `event.data`."
    enabled: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)


Trigger = ScheduleTrigger | WebhookTrigger | EventTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One version of a workflow, as a value. Layout is apart: it has no meaning for a run."""

    name: str
    title: str = ""
    description: str = ""
    version: str = "1.0.0"
    status: WorkflowStatus = WorkflowStatus.DRAFT
    category: str = ""
    tags: tuple[str, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)
    settings: RunSettings = field(default_factory=RunSettings)
    triggers: tuple[Trigger, ...] = ()
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class Placed:
    """A step with where it stands: its containers from the outside in, and its JSON pointer in the text form."""

    step: Step
    parents: tuple[Step, ...]
    pointer: str


def walk(scope: Scope, parents: tuple[Step, ...] = (), pointer: str = "/steps") -> Iterator[Placed]:
    """Visit every step of a scope and of the containers in it, in the order of the text."""
    for index, step in enumerate(scope.steps):
        here = f"{pointer}/{index}"
        yield Placed(step, parents, here)
        if step.scope is not None:
            yield from walk(step.scope, (*parents, step), f"{here}/steps")
