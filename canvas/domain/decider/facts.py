"""What goes into the decider and what comes out of it. Plain frozen values; nothing here decides anything.

An *outcome* is something that happened outside: an action answered, a timer ended, somebody asked for something. A
*change* is what the decider concludes: a row to be written. Once written it is a fact too, and `evolve` folds it in the
same way whether it was decided a moment ago or read back after a restart.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from canvas.domain.actions import Call
from canvas.domain.states import LogLevel, RunStatus, StepStatus, StepType


class _Elsewhere:
    """A value that is stored, but not at hand."""

    def __repr__(self) -> str:
        return "ELSEWHERE"


ELSEWHERE: Final = _Elsewhere()
"Stands for an output that has to be looked up where it is stored."


# outcomes


@dataclass(frozen=True, slots=True)
class Begun:
    """The run was claimed and starts now."""


@dataclass(frozen=True, slots=True)
class Completed:
    """An attempt at an action, or a child run, brought a result."""

    path: str
    attempt: int
    output: Any


@dataclass(frozen=True, slots=True)
class Answered:
    """A task has ended, and this is how it came out."""

    path: str
    attempt: int
    outcome: str
    output: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt failed."""

    path: str
    attempt: int
    error: dict[str, Any]
    "`{code, message, …}`"
    retryable: bool = True
    retry_in: float | None = None
    "Seconds that whoever failed asks us to wait at least."


@dataclass(frozen=True, slots=True)
class Lost:
    """A crash cut an attempt off; nobody knows how far it came."""

    path: str
    attempt: int
    idempotent: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """An attempt that was asked to stop has stopped, or was given up on."""

    path: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Due:
    """The moment a step run waits for has come."""

    path: str
    attempt: int


@dataclass(frozen=True, slots=True)
class TimedOut:
    """A step run that calls no action took longer than its step allows."""

    path: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RunTimedOut:
    """The run took longer than its definition allows."""


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody asked for the run to end as cancelled."""


@dataclass(frozen=True, slots=True)
class PauseRequested:
    """Somebody asked that nothing new starts."""


@dataclass(frozen=True, slots=True)
class ResumeRequested:
    """Somebody asked that the run goes on."""


# changes and commands


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChanged:
    """A step run has a new status: one row to insert, or to update if it is not `is_new`."""

    path: str
    name: str
    type: StepType
    status: StepStatus
    attempt: int = 1
    is_new: bool = True
    is_final: bool = True
    "False for a failed attempt that is followed by another."
    action: str | None = None
    call: Call | None = None
    "What is really called, for a user-defined action; None calls `action` with `input`. Not recorded: it follows."
    max_attempts: int = 1
    interruptions: int = 0
    branch: str | None = None
    branch_value: Any = None
    input: Any = None
    output: Any = None
    error: dict[str, Any] | None = None
    due_at: datetime | None = None
    deadline_at: datetime | None = None
    "When `TimedOut` is wanted, for steps that call no action."
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChanged:
    """The run has a new status."""

    status: RunStatus
    output: Any = None
    error: dict[str, Any] | None = None
    is_held: bool = False
    "Paused without anybody having asked for it: as if somebody had, so that a wish to resume lets it go on."


@dataclass(frozen=True, slots=True)
class ContextChanged:
    """A `set` step wrote these names into the run's context."""

    values: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChild:
    """A run of another workflow is wanted for this step run, which waits for it."""

    path: str
    attempt: int
    workflow: str
    version: int | None
    parameters: dict[str, Any]
    is_awaited: bool


@dataclass(frozen=True, slots=True)
class RaiseTask:
    """A task is wanted for this step run, which waits for it."""

    path: str
    attempt: int
    task: dict[str, Any]
    "What the step says, evaluated; moments as text."


@dataclass(frozen=True, slots=True)
class WithdrawTask:
    """The task of this step run is not wanted any more."""

    path: str
    attempt: int


@dataclass(frozen=True, slots=True)
class StopAttempt:
    """An attempt in flight should stop; `Stopped`, or its own end, is expected."""

    path: str
    attempt: int


@dataclass(frozen=True, slots=True)
class StopChild:
    """The child run of this step run should be cancelled."""

    path: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the people who read the run's log."""

    level: LogLevel
    message: str
    path: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


Outcome = (
    Begun
    | Completed
    | Answered
    | Failed
    | Lost
    | Stopped
    | Due
    | TimedOut
    | RunTimedOut
    | CancelRequested
    | PauseRequested
    | ResumeRequested
)
Command = (
    StepChanged | RunChanged | ContextChanged | StartChild | RaiseTask | WithdrawTask | StopAttempt | StopChild | Note
)
