"""A definition, prepared once per version for running: who follows whom, which joins, which compiled templates."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Protocol

from canvas.domain.actions import Prepared, UserAction, prepare_call
from canvas.domain.definition import Definition
from canvas.domain.expressions import ExpressionError, compile_expression, compile_value
from canvas.domain.states import Branch, JoinMode, OnError, StepType
from canvas.domain.steps import (
    ActionStep,
    AnyStep,
    ConditionStep,
    Join,
    LoopStep,
    ParallelStep,
    Retry,
    Scope,
    SetStep,
    Step,
    StopStep,
    SwitchStep,
    TaskStep,
    WaitSeconds,
    WaitStep,
    WorkflowLinkStep,
    task_templates,
)

_RETRIED = (StepType.ACTION, StepType.WORKFLOW_LINK)
_FAILURE_BRANCHES = (Branch.FAILURE, Branch.ALWAYS)


class Program(Protocol):
    """A compiled template or expression."""

    def evaluate(self, context: Mapping[str, Any]) -> Any:
        """Give its value among these names, or raise `ExpressionError`."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What stands in for a program that could not be compiled: the step that needs it fails, and nothing else."""

    error: ExpressionError
    roots: frozenset[str] = frozenset()

    def evaluate(self, context: Mapping[str, Any]) -> Any:
        """Raise the error of the compiler."""
        raise self.error


@dataclass(frozen=True, slots=True)
class Edge:
    """An outgoing edge: the place of the waiting step in the same scope, and the branch it waits for."""

    target: int
    branch: Branch
    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One step with everything that can be known about it before a run."""

    step: AnyStep
    index: int
    name: str
    type: StepType
    sources: tuple[int, ...]
    "Places of the steps it depends on, one for each dependency."
    edges: tuple[Edge, ...]
    needed: int
    "Live dependencies that let it start; 0 waits until all are settled and takes one (`activated`)."
    is_end: bool
    "Whether no step of its scope depends on it."
    handles_failure: bool
    "Whether a final failure goes on along a branch, or is tolerated, instead of failing the scope."
    retry: Retry
    inner: "ScopePlan | None"
    programs: Mapping[str, Program]
    uses_previous: bool
    "Whether a template of it names `previous_step`."
    via: Prepared | None = None
    "The user-defined action that it names; the step is then of the type of that action's body."

    @property
    def action(self) -> str | None:
        """The action it names, if it is an action step."""
        if self.via is not None:
            return self.via.name
        return self.step.action if isinstance(self.step, ActionStep) else None


@dataclass(frozen=True, slots=True, eq=False)
class ScopePlan:
    """The steps of one scope, by place; a place is stable within a version."""

    nodes: tuple[Node, ...]
    places: Mapping[str, int]
    starts: tuple[int, ...]
    "Places of the steps without dependencies."
    ends: int
    "How many steps have no dependants."


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One version, prepared. Holds no state: all runs of the version share it."""

    definition: Definition
    scope: ScopePlan
    outputs: Mapping[str, Program]
    names: Mapping[str, Node] = field(default_factory=dict)
    "Every step by name, whatever the nesting."


@dataclass(frozen=True, slots=True)
class _Known:
    """What the preparation of every step needs."""

    retry: Retry
    actions: Mapping[str, Prepared]
    names: dict[str, Node] = field(default_factory=dict)


def prepare(definition: Definition, actions: Mapping[str, UserAction] = MappingProxyType({})) -> Plan:
    """Prepare a version for running. Takes time in proportion to its size; keep the result.

    A template that cannot be compiled does not raise: the step that holds it fails when it is its turn.

    Args:
        actions: The user-defined actions that it names, as they stand now.
    """
    default = Retry(max_attempts=1 + max(0, definition.settings.max_retries))
    known = _Known(default, {name: prepare_call(action) for name, action in actions.items()})
    scope = _prepare_scope(definition.scope, known)
    outputs = {name: _value(output.value) for name, output in definition.outputs.items()}
    return Plan(definition, scope, outputs, known.names)


def _prepare_scope(scope: Scope, known: _Known) -> ScopePlan:
    places = {step.name: place for place, step in enumerate(scope.steps)}
    edges: list[list[Edge]] = [[] for _ in scope.steps]
    for place, step in enumerate(scope.steps):
        for dependency in step.depends_on:
            edges[places[dependency.step]].append(Edge(place, dependency.branch, dependency.value))
    nodes = tuple(_prepare_node(step, places, tuple(edges[place]), known) for place, step in enumerate(scope.steps))
    known.names.update((node.name, node) for node in nodes)
    starts = tuple(node.index for node in nodes if not node.sources)
    return ScopePlan(nodes, places, starts, sum(node.is_end for node in nodes))


def _prepare_node(step: Step, places: Mapping[str, int], edges: tuple[Edge, ...], known: _Known) -> Node:
    via = known.actions.get(step.action) if isinstance(step, ActionStep) else None
    if via is not None and via.action.body.workflow:
        step = _as_link(step, via)
    one: AnyStep = step  # type: ignore[assignment]  # the union is the closed set of Step's subclasses
    programs = _programs(one)
    sources = tuple(places[dependency.step] for dependency in step.depends_on)
    catches = any(edge.branch in _FAILURE_BRANCHES for edge in edges)
    return Node(
        step=one,
        index=places[step.name],
        name=step.name,
        type=step.type,
        sources=sources,
        edges=edges,
        needed=0 if step.scope is not None else needed(step.join, len(sources)),
        is_end=not edges,
        handles_failure=catches or step.on_error is OnError.CONTINUE,
        retry=(step.retry or known.retry) if step.type in _RETRIED else Retry(),
        inner=_prepare_scope(step.scope, known) if step.scope is not None else None,
        programs=programs,
        uses_previous=any("previous_step" in program.roots for program in programs.values()),
        via=via,
    )


def _as_link(step: Step, via: Prepared) -> WorkflowLinkStep:
    """Make a step whose action is a workflow into one that starts it; it still gives the action its arguments."""
    kept = {one.name: getattr(step, one.name) for one in fields(Step)}
    given = step.parameters if isinstance(step, ActionStep) else {}
    body = via.action.body
    return WorkflowLinkStep(**kept, workflow=body.workflow, version=body.version, parameters=given)


def needed(join: Join, of: int) -> int:
    """Tell how many of so many must be live; 0 for `activated`."""
    match join.mode:
        case JoinMode.ACTIVATED:
            return 0
        case JoinMode.ALL:
            return of
        case JoinMode.ANY:
            return min(1, of)
        case JoinMode.N_OF_M:
            return join.n or 1


def _programs(step: AnyStep) -> dict[str, Any]:
    match step:
        case ActionStep() | WorkflowLinkStep():
            return {"parameters": _value(dict(step.parameters))}
        case ConditionStep():
            return {"condition": _expression(step.condition)}
        case SwitchStep():
            cases = {f"case {place}": _expression(case.when) for place, case in enumerate(step.cases) if case.when}
            return {"on": _subject(step.on), **cases}
        case WaitStep():
            return {f"wait {place}": _value(_moment(one)) for place, one in enumerate(step.alternatives)}
        case TaskStep():
            return {key: _value(value) for key, value in task_templates(step).items()}
        case SetStep():
            return {"values": _value(dict(step.values))}
        case StopStep():
            return {"message": _value(step.message), "output": _value(step.output)}
        case LoopStep():
            return _loop_programs(step)
        case ParallelStep():
            return {}


def _loop_programs(step: LoopStep) -> dict[str, Any]:
    programs = {"collection": _value(step.collection), "times": _value(step.times)}
    if step.while_ is not None:
        programs["while"] = _expression(step.while_)
    if step.output is not None:
        programs["output"] = _value(step.output)
    return programs


def _moment(alternative: Any) -> Any:
    return alternative.seconds if isinstance(alternative, WaitSeconds) else alternative.until


def _subject(on: Any) -> Any:
    """Read a switch's `on`: text without braces is an expression too."""
    return _expression(on) if isinstance(on, str) and "{{" not in on else _value(on)


def _value(value: Any) -> Any:
    try:
        return compile_value(value)
    except ExpressionError as error:
        return Broken(error)


def _expression(text: str) -> Any:
    try:
        return compile_expression(text)
    except ExpressionError as error:
        return Broken(error)
