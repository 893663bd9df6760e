"""What a step is: one frozen value per step type, and the small values they share.

A definition holds steps in scopes. A container (`parallel`, `loop`) holds a scope of its own, so steps nest. Step names
are unique in the whole definition, whatever the nesting; dependencies stay inside one scope.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from canvas.domain.states import (
    Backoff,
    Branch,
    Complexity,
    JoinMode,
    OnError,
    OnItemFailure,
    OnLost,
    OthersPolicy,
    RunStatus,
    StepType,
    SwitchMatch,
    TaskOwner,
    TaskType,
)

_TYPES: dict[type["Step"], StepType] = {}


@dataclass(frozen=True, slots=True)
class Dependency:
    """An incoming edge: the step it comes from and the outcome of that step it waits for."""

    step: str
    branch: Branch = Branch.SUCCESS
    value: Any = None
    "The case of a switch, for SWITCH_CASE; the outcome of a task, for OUTCOME."


@dataclass(frozen=True, slots=True)
class Join:
    """When a step with several dependencies (or a container with several ends) goes on.

    `activated` waits until all are settled and needs one live; `all` needs every one live; `any` and `n_of_m` go on as
    soon as one, or `n`, are live, and then leave the others alone or cancel them.
    """

    mode: JoinMode = JoinMode.ACTIVATED
    n: int | None = None
    "How many must be live, 1 or more; for `n_of_m` only."
    others: OthersPolicy = OthersPolicy.KEEP


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failing step is tried, and how long to wait in between."""

    max_attempts: int = 1
    "All attempts, the first included: 1 means never again."
    delay_seconds: float = 1.0
    backoff: Backoff = Backoff.EXPONENTIAL
    max_delay_seconds: float = 60.0
    jitter: bool = True


@dataclass(frozen=True, slots=True)
class Scope:
    """The steps that share one list: the top level of a definition or the inside of a container.

    Today a scope is a directed acyclic graph. Nothing outside the decider may build on that.
    """

    steps: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What every step has. `depends_on` is always explicit here; the text form leaves out what goes without saying."""

    name: str
    title: str = ""
    description: str = ""
    depends_on: tuple[Dependency, ...] = ()
    join: Join = field(default_factory=Join)
    "For a container: how its own ends join. A container's dependencies always join as `activated`."
    retry: Retry | None = None
    "None: the definition's `settings.max_retries` decides."
    timeout_seconds: float | None = None
    "For one attempt; None has no limit of its own."
    on_error: OnError = OnError.FAIL_RUN
    on_lost: OnLost = OnLost.ASK
    enabled: bool = True

    @property
    def type(self) -> StepType:
        """The word for this kind of step."""
        return _TYPES[type(self)]

    @property
    def scope(self) -> Scope | None:
        """The steps inside, for a container."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStep(Step):
    """Calls a registered action."""

    action: str
    "`namespace/name`"
    version: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionStep(Step):
    """Decides IF_TRUE or IF_FALSE."""

    condition: str


@dataclass(frozen=True, slots=True)
class Case:
    """One way out of a switch: taken when `on` equals `value`, or when the condition `when` holds."""

    value: Any
    when: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchStep(Step):
    """Decides SWITCH_CASE with a value, or DEFAULT."""

    on: Any = None
    "A template (`{{ … }}`) or an expression; None when every case has a `when`."
    cases: tuple[Case, ...] = ()
    match: SwitchMatch = SwitchMatch.FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelStep(Step):
    """Runs the steps of its scope at the same time; a step inside that names no dependency starts at once.

    Its output maps the name of each completed step inside to that step's output.
    """

    steps: Scope = field(default_factory=Scope)

    @property
    def scope(self) -> Scope:
        """The steps inside."""
        return self.steps


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStep(Step):
    """Runs its scope per item of `collection`, `times` times, or while a condition holds: exactly one of the three.

    Its output is `{items, count, failed}`, items in the order of the collection.
    """

    collection: Any = None
    "A list, or a template that gives one."
    while_: str | None = None
    times: Any = None
    "A whole number, or a template that gives one."
    item_variable: str = "item"
    steps: Scope = field(default_factory=Scope)
    concurrency: int = 1
    max_iterations: int = 1_000
    on_item_failure: OnItemFailure = OnItemFailure.FAIL
    output: Any = None
    "A template evaluated at the end of each iteration; None takes the output of the last step that completed."

    @property
    def scope(self) -> Scope:
        """The steps inside."""
        return self.steps


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowLinkStep(Step):
    """Starts a run of another workflow and, unless told otherwise, waits for it; its output is that run's output."""

    workflow: str
    version: int | None = None
    "A version number; None takes the published one."
    parameters: Mapping[str, Any] = field(default_factory=dict)
    wait: bool = True


@dataclass(frozen=True, slots=True)
class WaitSeconds:
    """Waits for a time span."""

    seconds: Any
    "A number ≥ 0, or a template that gives one."


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Waits for a moment."""

    until: Any
    "An RFC 3339 timestamp with an offset, or a template that gives one; a moment in the past ends the wait at once."


WaitFor = WaitSeconds | WaitUntil


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStep(Step):
    """Waits until the first of its alternatives comes true; holds no thread and no worker."""

    alternatives: tuple[WaitFor, ...] = ()
    "`for` in the text form."


@dataclass(frozen=True, slots=True, kw_only=True)
class SubTask:
    """One part of a task; its texts are templates."""

    action: str
    description: str = ""
    priority: Any = None
    "A number from 1 to 5, or a template; None takes that of the task."
    assignee: str = ""
    complexity: Complexity | None = None
    estimated_completion_time: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStep(Step):
    """Raises a task for people or an AI, with sub-tasks if there are any, and waits until it has ended.

    Its output is `{outcome, answers, task_id, ended_by}`; the outcome is a branch too. `description`, which every step
    has, is a template here: it is what the task tells.
    """

    action: str = ""
    "What is to be done, in a few words; empty takes the step's title or name."
    task_type: TaskType = TaskType.CSM_TASK
    owner: TaskOwner | None = None
    "None follows the type."
    priority: Any = 3
    "A number from 1, the most urgent, to 5, or a template that gives one."
    assignee: str = ""
    subject: str = ""
    "Whom or what it is about."
    due: Any = None
    "Seconds from its beginning, a moment with an offset, or a template that gives either."
    requires_decision: bool = False
    complexity: Complexity | None = None
    estimated_completion_time: str = ""
    outcomes: tuple[str, ...] = ()
    "How it can come out, as branches; empty: it is done."
    form: Mapping[str, Any] | None = None
    "JSON Schema of the answers."
    subtasks: tuple[SubTask, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    "Kept with the task as its metadata."


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStep(Step):
    """Writes values to the run's `context`; they are its output too."""

    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStep(Step):
    """Ends the run at once."""

    status: RunStatus = RunStatus.COMPLETED
    "completed, failed or cancelled."
    message: str = ""
    output: Any = None


def task_templates(step: TaskStep) -> dict[str, Any]:
    """Give the values of a task that are templates, by their keys in the text form."""
    keys = ("action", "description", "priority", "assignee")
    parts = [{key: getattr(one, key) for key in keys} for one in step.subtasks]
    return {
        "action": step.action or step.title or step.name,
        "description": step.description,
        "priority": step.priority,
        "assignee": step.assignee,
        "subject": step.subject,
        "due": step.due,
        "details": dict(step.details),
        "subtasks": parts,
    }


AnyStep = (
    ActionStep
    | ConditionStep
    | SwitchStep
    | ParallelStep
    | LoopStep
    | WorkflowLinkStep
    | WaitStep
    | TaskStep
    | SetStep
    | StopStep
)
"""The closed set of step types, for `match` with `assert_never`."""

_TYPES.update(
    {
        ActionStep: StepType.ACTION,
        ConditionStep: StepType.CONDITION,
        SwitchStep: StepType.SWITCH,
        ParallelStep: StepType.PARALLEL,
        LoopStep: StepType.LOOP,
        WorkflowLinkStep: StepType.WORKFLOW_LINK,
        WaitStep: StepType.WAIT,
        TaskStep: StepType.TASK,
        SetStep: StepType.SET,
        StopStep: StepType.STOP,
    }
)
