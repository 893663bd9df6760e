"""The words that a status, a branch or a trigger can be. Every room shares them; nothing here decides anything."""

from enum import StrEnum


class WorkflowStatus(StrEnum):
    """The life of a workflow; triggers start only active ones."""

    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    ARCHIVED = "archived"


class ChangeType(StrEnum):
    """How much a version changed against the one before it."""

    CREATE = "create"
    UPDATE = "update"
    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


class StepType(StrEnum):
    """What kind of node a step is."""

    ACTION = "action"
    CONDITION = "condition"
    SWITCH = "switch"
    PARALLEL = "parallel"
    LOOP = "loop"
    WORKFLOW_LINK = "workflow_link"
    WAIT = "wait"
    TASK = "task"
    SET = "set"
    STOP = "stop"

    @property
    def is_container(self) -> bool:
        """Whether the step holds a scope of steps of its own."""
        return self in (StepType.PARALLEL, StepType.LOOP)


class Branch(StrEnum):
    """The outcome of a step that a dependency waits for."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    ALWAYS = "ALWAYS"
    IF_TRUE = "IF_TRUE"
    IF_FALSE = "IF_FALSE"
    SWITCH_CASE = "SWITCH_CASE"
    DEFAULT = "DEFAULT"
    OUTCOME = "OUTCOME"
    "How a task came out; the text form names the outcome itself, such as APPROVED."


class JoinMode(StrEnum):
    """When a step with several dependencies is considered; see `domain.steps.Join`."""

    ACTIVATED = "activated"
    ALL = "all"
    ANY = "any"
    N_OF_M = "n_of_m"


class OthersPolicy(StrEnum):
    """What becomes of the dependencies that an `any` or `n_of_m` join did not wait for."""

    KEEP = "keep"
    CANCEL = "cancel"


class Backoff(StrEnum):
    """How the pause between attempts grows."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"


class OnError(StrEnum):
    """What a failed step without a live FAILURE or ALWAYS dependency does to its run."""

    FAIL_RUN = "fail_run"
    CONTINUE = "continue"


class OnLost(StrEnum):
    """What follows an attempt that was in flight at a crash, when its action is not idempotent."""

    RETRY = "retry"
    FAIL = "fail"
    ASK = "ask"


class OnItemFailure(StrEnum):
    """What a failed iteration does to its loop."""

    FAIL = "fail"
    CONTINUE = "continue"


class SwitchMatch(StrEnum):
    """Whether a switch takes its first matching case or all of them."""

    FIRST = "first"
    ALL = "all"


class Overflow(StrEnum):
    """What becomes of a run that is one too many for its workflow's concurrency limit."""

    QUEUE = "queue"


class RunStatus(StrEnum):
    """pending → running ⇄ paused → completed | failed | cancelled; the last three are for ever."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether the run has ended."""
        return self in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)


class StepStatus(StrEnum):
    """The life of one step run."""

    PENDING = "pending"
    RUNNING = "running"
    RETRYING = "retrying"
    "Waits for its next attempt."
    WAITING = "waiting"
    "Waits for a timer, an event, a person or a child run; holds no worker."
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether the step run has ended."""
        return self in (StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.CANCELLED)


class TriggerType(StrEnum):
    """What started a run."""

    MANUAL = "manual"
    API = "api"
    SCHEDULE = "schedule"
    WEBHOOK = "webhook"
    EVENT = "event"
    WORKFLOW = "workflow"
    ERROR = "error"
    "Another workflow's run failed, and named this one as its `error_workflow`."
    PROPOSAL = "proposal"
    TASK = "task"
    PLAN = "plan"


class LogLevel(StrEnum):
    """How much a log line matters."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogKind(StrEnum):
    """What a row of the run log tells: a change of state, or a line for people."""

    RUN = "run"
    STEP = "step"
    LINE = "line"


class Overlap(StrEnum):
    """What a due schedule does while an earlier run of it is still going."""

    ALLOW = "allow"
    SKIP = "skip"
    QUEUE = "queue"


class CatchUp(StrEnum):
    """Which fire times that passed while nothing was running are made up for."""

    NONE = "none"
    LAST = "last"
    ALL = "all"


class Signature(StrEnum):
    """How a webhook knows that a request comes from whom it should."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105  (a word, no token)
    STANDARD = "standard"
    "Standard Webhooks: the body, the moment and an id are signed with a shared secret."


class Respond(StrEnum):
    """What a webhook answers with."""

    AT_ONCE = "at_once"
    RESULT = "result"


class ParameterType(StrEnum):
    """The type of a workflow parameter, output or action argument; the names are JSON Schema's."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    OBJECT = "object"
    ANY = "any"


class ActionPermission(StrEnum):
    """What a call of an action may touch; one that needs none only computes."""

    NETWORK = "network"
    "Other machines."
    CONNECTION = "connection"
    "Stored credentials."
    PEOPLE = "people"
    "Tells people something."
    FILES = "files"
    "Files of this machine."
    COMMANDS = "commands"
    "Starts programs on this machine."
    LOG = "log"
    "Writes to the run's log."


class ActionOrigin(StrEnum):
    """Where an action comes from."""

    BUILTIN = "builtin"
    PLUGIN = "plugin"
    MCP = "mcp"
    USER = "user"
    STEP = "step"
    "No action: a step type that the catalogue lists beside them."


class Role(StrEnum):
    """What somebody is here; each role may do what the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    EDITOR = "editor"
    ADMIN = "admin"


class ArgumentType(StrEnum):
    """The type of an action's argument. User-defined actions take the first five; registered ones are mirrored."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    LIST = "list"
    OBJECT = "object"
    ANY = "any"


class ActionState(StrEnum):
    """Whether an action can still be put into workflows; what names it already goes on with an archived one."""

    AVAILABLE = "available"
    ARCHIVED = "archived"


class TaskType(StrEnum):
    """What kind of work a task is."""

    AI_TASK = "AI_TASK"
    CSM_TASK = "CSM_TASK"


class TaskOwner(StrEnum):
    """Who is to do a task."""

    AI = "AI"
    CSM = "CSM"


class TaskStatus(StrEnum):
    """The life of a task."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    SNOOZED = "snoozed"
    COMPLETED = "completed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing is left to do."""
        return self in (TaskStatus.COMPLETED, TaskStatus.SKIPPED, TaskStatus.CANCELLED)


class TaskExecution(StrEnum):
    """How far the automatic execution of an AI task is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class Complexity(StrEnum):
    """How much there is to a task."""

    SIMPLE = "simple"
    MODERATE = "moderate"
    COMPLEX = "complex"


class ProposalStatus(StrEnum):
    """The life of a proposal: it is decided on first, then runs."""

    PROPOSED = "proposed"
    "Waits for somebody to decide."
    REJECTED = "rejected"
    EXPIRED = "expired"
    PENDING = "pending"
    "Approved; its run has not begun."
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more will become of it."""
        return self not in (ProposalStatus.PROPOSED, ProposalStatus.PENDING, ProposalStatus.IN_PROGRESS)


class WorkflowPurpose(StrEnum):
    """What a workflow row stands for; people keep only the first kind, the others are compiled."""

    WORKFLOW = "workflow"
    PROPOSAL = "proposal"
    TASK = "task"
    PLAN = "plan"
