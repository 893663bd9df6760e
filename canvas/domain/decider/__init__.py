"""What a run does next. Told everything, answers with values: no clock, no database, no randomness.

`evolve` folds one fact into the state, `decide` draws all conclusions there are to draw and gives them as commands.
The state counts on its commands at once; whoever cannot carry them out throws the state away and loads it again.
"""

from canvas.domain.decider.decisions import decide, evolve, load
from canvas.domain.decider.facts import (
    ELSEWHERE,
    Answered,
    Begun,
    CancelRequested,
    Command,
    Completed,
    ContextChanged,
    Due,
    Failed,
    Lost,
    Note,
    Outcome,
    PauseRequested,
    RaiseTask,
    ResumeRequested,
    RunChanged,
    RunTimedOut,
    StartChild,
    StepChanged,
    StopAttempt,
    StopChild,
    Stopped,
    TimedOut,
    WithdrawTask,
)
from canvas.domain.decider.plan import Plan, prepare
from canvas.domain.decider.state import RunInfo, RunState, snapshot

__all__ = [
    "ELSEWHERE",
    "Answered",
    "Begun",
    "CancelRequested",
    "Command",
    "Completed",
    "ContextChanged",
    "Due",
    "Failed",
    "Lost",
    "Note",
    "Outcome",
    "PauseRequested",
    "Plan",
    "RaiseTask",
    "ResumeRequested",
    "RunChanged",
    "RunInfo",
    "RunState",
    "RunTimedOut",
    "StartChild",
    "StepChanged",
    "StopAttempt",
    "StopChild",
    "Stopped",
    "TimedOut",
    "WithdrawTask",
    "decide",
    "evolve",
    "load",
    "prepare",
    "snapshot",
]
