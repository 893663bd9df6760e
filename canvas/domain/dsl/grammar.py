"""The text form as a table: the keys of each record in canonical order. Reading, writing and schemas follow it."""

from collections.abc import Mapping

from canvas.domain.definition import (
    Concurrency,
    Definition,
    EventTrigger,
    Output,
    Parameter,
    RunSettings,
    ScheduleTrigger,
    WebhookTrigger,
)
from canvas.domain.dsl.kinds import Anything, Field, Flag, Kind, ListOf, MapOf, Number, Record, Text, Values, Word
from canvas.domain.dsl.special_kinds import ActionName, CaseKind, DependencyKind, OneOf
from canvas.domain.states import (
    Backoff,
    CatchUp,
    Complexity,
    JoinMode,
    OnError,
    OnItemFailure,
    OnLost,
    OthersPolicy,
    Overflow,
    Overlap,
    ParameterType,
    Respond,
    RunStatus,
    Signature,
    StepType,
    SwitchMatch,
    TaskOwner,
    TaskType,
    WorkflowStatus,
)
from canvas.domain.steps import (
    ActionStep,
    ConditionStep,
    Join,
    LoopStep,
    ParallelStep,
    Retry,
    SetStep,
    Step,
    StopStep,
    SubTask,
    SwitchStep,
    TaskStep,
    WaitSeconds,
    WaitStep,
    WaitUntil,
    WorkflowLinkStep,
)

OUTCOME_PATTERN = r"^[A-Z][A-Z0-9_]*$"
NAME_PATTERN = r"^[a-z_][a-z0-9_]*$"
VERSION_PATTERN = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$"
MAX_NAME = 64
MAX_STEPS = 5_000
MAX_STEP_DEPTH = 20
MAX_TRIGGERS = 100
MAX_ITERATIONS = 100_000
YEAR = 31_536_000
MAX_JITTER = 3_600
MAX_RESPOND = 120
"Seconds a sender may be kept waiting."

_name = Text(pattern=NAME_PATTERN, longest=MAX_NAME)

JOIN = Record(
    Join,
    (
        Field("mode", Word(JoinMode), "Goes on when", "activated: all have ended, one is live."),
        Field("n", Number(whole=True, at_least=1), "How many", "For n_of_m: how many must be live."),
        Field("others", Word(OthersPolicy), "The others", "What becomes of those that were not waited for."),
    ),
)
RETRY = Record(
    Retry,
    (
        Field("max_attempts", Number(whole=True, at_least=1, at_most=100), "Attempts", "The first included."),
        Field("delay_seconds", Number(at_least=0, at_most=86_400), "Pause", "Seconds before the second attempt."),
        Field("backoff", Word(Backoff), "Pauses", "Whether they stay the same or double."),
        Field("max_delay_seconds", Number(at_least=0, at_most=86_400), "Longest pause", "In seconds."),
        Field("jitter", Flag(), "Jitter", "Vary the pauses, so that not everything tries again at once."),
    ),
)

_FIRST = (
    Field("name", _name, "Name", "Small letters, digits and _; unique in the workflow.", required=True),
    Field("title", Text(), "Title", "What people read on the canvas."),
    Field("description", Text("long_text"), "Description", "What it is for."),
)
_RETRY = Field(
    "retry", RETRY, "Retry", "How often a failing step is tried; left out, the workflow decides.", group="advanced"
)
_LAST = (
    _RETRY,
    Field(
        "timeout_seconds",
        Number(above=0, at_most=YEAR),
        "Time limit",
        "Seconds for one attempt.",
        group="advanced",
    ),
    Field("on_error", Word(OnError), "When it fails", "And nothing takes its FAILURE branch.", group="advanced"),
    Field("on_lost", Word(OnLost), "After a crash", "For an action that may not simply be repeated.", group="advanced"),
    Field("enabled", Flag(), "Enabled", "When off, the step is skipped and what follows goes on.", group="advanced"),
    Field("depends_on", ListOf(DependencyKind()), "Waits for", "Steps before it, or their branches.", group="edges"),
    Field("join", JOIN, "Join", "When a step with several incoming lines goes on.", group="advanced"),
)

_PARAMETERS = Values("arguments")
SUBTASK = Record(
    SubTask,
    (
        Field("action", Text("template"), "What to do", required=True),
        Field("description", Text("template"), "Description"),
        Field("priority", Anything(), "Priority", "Left out, that of the task."),
        Field("assignee", Text("template"), "Assignee"),
        Field("complexity", Word(Complexity), "Complexity"),
        Field("estimated_completion_time", Text(), "Takes about"),
    ),
    "a mapping such as {action: …}",
)
_OWN: Mapping[StepType, tuple[type[Step], tuple[Field, ...]]] = {
    StepType.ACTION: (
        ActionStep,
        (
            Field("action", ActionName(), "Action", "Which action: `namespace/name`.", also="version", required=True),
            Field("parameters", _PARAMETERS, "Parameters", "What the action is called with."),
        ),
    ),
    StepType.CONDITION: (
        ConditionStep,
        (Field("condition", Text("expression"), "Condition", "An expression that is true or false.", required=True),),
    ),
    StepType.SWITCH: (
        SwitchStep,
        (
            Field("on", Anything(), "Value", "What is compared with the cases."),
            Field("cases", ListOf(CaseKind()), "Cases", "Values, or a value with a condition of its own."),
            Field("match", Word(SwitchMatch), "Takes", "The first case that fits, or all of them."),
        ),
    ),
    StepType.PARALLEL: (ParallelStep, ()),
    StepType.LOOP: (
        LoopStep,
        (
            Field("collection", Anything(), "For each of", "A list, or a template that gives one."),
            Field("while", Text("expression"), "While", "A condition, looked at before each turn.", "while_"),
            Field("times", Anything(), "Times", "How often, or a template that says so."),
            Field("item_variable", _name, "Item's name", "What expressions inside call the item."),
            Field("concurrency", Number(whole=True, at_least=1, at_most=1_000), "At the same time", "Items at once."),
            Field("max_iterations", Number(whole=True, at_least=1, at_most=MAX_ITERATIONS), "At most", "Turns in all."),
            Field("on_item_failure", Word(OnItemFailure), "When an item fails", "Fail the loop, or go on."),
            Field("output", Anything(), "Output of a turn", "A template; left out, the last step's output."),
        ),
    ),
    StepType.WORKFLOW_LINK: (
        WorkflowLinkStep,
        (
            Field("workflow", Text("workflow"), "Workflow", "The name of the workflow to run.", required=True),
            Field("version", Number(whole=True, at_least=1), "Version", "Its number; left out, the published one."),
            Field("parameters", _PARAMETERS, "Parameters", "What that run is started with."),
            Field("wait", Flag(), "Wait for it", "When off, goes on as soon as the run is started."),
        ),
    ),
    StepType.WAIT: (
        WaitStep,
        (
            Field(
                "for",
                ListOf(
                    OneOf(
                        "seconds",
                        (
                            Record(WaitSeconds, (Field("seconds", Anything(), "Seconds", "How long.", required=True),)),
                            Record(
                                WaitUntil,
                                (Field("until", Anything(), "Until", "A moment with an offset.", required=True),),
                            ),
                        ),
                    )
                ),
                "Wait for",
                "The first of these that comes true ends the wait.",
                "alternatives",
                required=True,
            ),
        ),
    ),
    StepType.TASK: (
        TaskStep,
        (
            Field("action", Text("template"), "What to do", "In a few words; left out, the step's title."),
            Field("task_type", Word(TaskType), "Kind", "Who does such work."),
            Field("owner", Word(TaskOwner), "Owner", "Left out, it follows the kind."),
            Field("priority", Anything(), "Priority", "From 1, the most urgent, to 5, or a template."),
            Field("assignee", Text("template"), "Assignee", "Left out: anybody of the team."),
            Field("subject", Text("template"), "About", "Such as a customer."),
            Field("due", Anything(), "Due", "Seconds from now, a moment with an offset, or a template."),
            Field("requires_decision", Flag(), "Needs a decision", "It cannot be snoozed beyond its due date."),
            Field("complexity", Word(Complexity), "Complexity"),
            Field("estimated_completion_time", Text(), "Takes about", "Such as: 2 hours."),
            Field("outcomes", ListOf(Text(pattern=OUTCOME_PATTERN, longest=MAX_NAME)), "Outcomes", "Each is a branch."),
            Field("form", Values(), "Form", "JSON Schema of the answers."),
            Field("subtasks", ListOf(SUBTASK), "Sub-tasks", "The task is done when all of them have ended."),
            Field("details", Values(), "Details", "Kept with the task."),
        ),
    ),
    StepType.SET: (
        SetStep,
        (Field("values", Values(), "Values", "Written to `context` for later steps.", required=True),),
    ),
    StepType.STOP: (
        StopStep,
        (
            Field("status", Word(RunStatus, (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)), "Ends as"),
            Field("message", Text("template"), "Message", "Why it ends here."),
            Field("output", Anything(), "Output", "What the run gives back."),
        ),
    ),
}

STEPS: Mapping[StepType, Record] = {
    step_type: Record(owner, (*_FIRST, *own, *_LAST), f"a step of type `{step_type}`", {"type": str(step_type)})
    for step_type, (owner, own) in _OWN.items()
}
"""Each step type's keys but `steps`, which nests."""

STEP_KEYS: Mapping[StepType, tuple[str, ...]] = {
    step_type: (*(one.key for one in _FIRST), "type", *(one.key for one in (*own, *_LAST)), "steps")
    for step_type, (_, own) in _OWN.items()
}
"""The order in which a step's keys are written."""

PARAMETER = Record(
    Parameter,
    (
        Field("type", Word(ParameterType), "Type", always=True),
        Field("required", Flag(), "Required"),
        Field("default", Anything("value"), "Default", "Taken when nothing is given."),
        Field("enum", ListOf(Anything("value")), "Choices", "The only values allowed."),
        Field("title", Text(), "Title"),
        Field("description", Text("long_text"), "Description"),
    ),
    "a mapping such as {type: string}",
)
OUTPUT = Record(
    Output,
    (
        Field("type", Word(ParameterType), "Type"),
        Field("value", Anything(), "Value", "A template evaluated at the end of the run."),
        Field("description", Text("long_text"), "Description"),
    ),
    "a mapping such as {value: …}",
)
SETTINGS = Record(
    RunSettings,
    (
        Field("timeout_minutes", Number(above=0, at_most=525_600), "Time limit", "Minutes for a whole run."),
        Field("max_retries", Number(whole=True, at_least=0, at_most=99), "Retries", "Of steps that say nothing."),
        Field(
            "concurrency",
            Record(
                Concurrency,
                (
                    Field("limit", Number(whole=True, at_least=0, at_most=10_000), "Runs at once", "0 has no limit."),
                    Field("overflow", Word(Overflow), "Further runs"),
                ),
            ),
            "Concurrency",
        ),
        Field("error_workflow", Text("workflow"), "Error workflow", "Started once when a run of this one fails."),
    ),
)
_ENABLED = Field("enabled", Flag(), "Enabled")
_STARTED_WITH = Field("parameters", Values(), "Parameters", "What the run is started with; templates see `trigger`.")
TRIGGER = OneOf(
    "type",
    (
        Record(
            ScheduleTrigger,
            (
                Field("cron", Text(), "Cron", "Five fields, minute first."),
                Field("interval_seconds", Number(at_least=1, at_most=YEAR), "Every", "Seconds between two runs."),
                Field("timezone", Text(), "Time zone", "Such as Europe/Paris."),
                Field("jitter_seconds", Number(at_least=0, at_most=MAX_JITTER), "Jitter", "Seconds late, at most."),
                Field("overlap", Word(Overlap), "While one is going"),
                Field("catch_up", Word(CatchUp), "Missed times"),
                _ENABLED,
                _STARTED_WITH,
            ),
            fixed={"type": "schedule"},
        ),
        Record(
            WebhookTrigger,
            (
                Field("path", Text(), "Path", "Requests to /api/hooks/PATH start a run.", required=True),
                Field("methods", ListOf(Text()), "Methods", "GET, POST, PUT, PATCH, DELETE."),
                Field("signature", Word(Signature), "Signature", "How the sender proves who it is."),
                Field("respond", Word(Respond), "Answers", "At once, or with what the run gives back."),
                Field(
                    "respond_timeout_seconds",
                    Number(above=0, at_most=MAX_RESPOND),
                    "Waits at most",
                    "Seconds for the result.",
                ),
                _ENABLED,
                _STARTED_WITH,
            ),
            fixed={"type": "webhook"},
        ),
        Record(
            EventTrigger,
            (
                Field("event", Text(), "Event", "Its type, such as task.completed.", required=True),
                Field("filter", Text("expression"), "Filter", "A condition over `event`."),
                _ENABLED,
                _STARTED_WITH,
            ),
            fixed={"type": "event"},
        ),
    ),
)

TOP = Record(
    Definition,
    (
        Field("name", _name, "Name", "Small letters, digits and _.", required=True),
        Field("title", Text(), "Title"),
        Field("description", Text("long_text"), "Description"),
        Field("version", Text(pattern=VERSION_PATTERN), "Version", "Major, minor and patch, such as 1.0.0."),
        Field("status", Word(WorkflowStatus), "Status", "Triggers start only active workflows."),
        Field("category", Text(), "Category"),
        Field("tags", ListOf(Text()), "Tags"),
        Field("parameters", MapOf(PARAMETER), "Parameters", "What a run is started with."),
        Field("outputs", MapOf(OUTPUT), "Outputs", "What a run ends with."),
        Field("settings", SETTINGS, "Settings"),
        Field("triggers", ListOf(TRIGGER), "Triggers", "What starts runs."),
    ),
    "a mapping: the workflow",
)
"""The top level's keys but `dsl`, `steps` and `layout`."""


def field_of(step_type: StepType, key: str) -> Field | None:
    """Find what a step type says about one key."""
    return next((one for one in STEPS[step_type].fields if one.key == key), None)


def kind_of(step_type: StepType, key: str) -> Kind | None:
    """Find the kind of a step type's key."""
    one = field_of(step_type, key)
    return one.kind if one else None
