"""Chains of proposed actions: whether they make sense, and the definition that carries one out.

Everything that executes is a run: an approved chain is compiled into a definition, and its status is that of the run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from canvas.domain.definition import Definition
from canvas.domain.problems import Problem
from canvas.domain.states import ProposalStatus, RunStatus, StepStatus
from canvas.domain.steps import ActionStep, Dependency, Retry, Scope, Step, WaitStep, WaitUntil

MAX_ACTIONS = 100
MAX_RETRIES = 99
STEP_PREFIX = "action_"
"An action's step is called by its order: `action_0`, `action_1`, …; later ones may read `steps.action_0.output`."
_OF_RUN = {
    RunStatus.PENDING: ProposalStatus.PENDING,
    RunStatus.RUNNING: ProposalStatus.IN_PROGRESS,
    RunStatus.PAUSED: ProposalStatus.IN_PROGRESS,
    RunStatus.COMPLETED: ProposalStatus.COMPLETED,
    RunStatus.FAILED: ProposalStatus.FAILED,
    RunStatus.CANCELLED: ProposalStatus.CANCELLED,
}
_OF_STEP = {
    StepStatus.PENDING: ProposalStatus.PENDING,
    StepStatus.RUNNING: ProposalStatus.IN_PROGRESS,
    StepStatus.WAITING: ProposalStatus.IN_PROGRESS,
    StepStatus.RETRYING: ProposalStatus.IN_PROGRESS,
    StepStatus.COMPLETED: ProposalStatus.COMPLETED,
    StepStatus.FAILED: ProposalStatus.FAILED,
    StepStatus.SKIPPED: ProposalStatus.CANCELLED,
    StepStatus.CANCELLED: ProposalStatus.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedAction:
    """One action of a chain."""

    action: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    order: int
    "Its place in the chain, from 0; unique."
    depends_on: int | None = None
    "The order of the action that has to complete first; None is the one before it."
    scheduled_at: datetime | None = None
    "Aware; not before. None is at once."
    max_retries: int = 3
    reason: str = ""


def chain_problems(actions: Sequence[ProposedAction]) -> tuple[Problem, ...]:
    """Find what is wrong with the order of a chain, all at once; pointers are `/actions/{place in the list}/…`."""
    found: list[Problem] = []

    def tell(place: int, key: str, code: str, text: str, hint: str = "") -> None:
        found.append(Problem(code, "error", f"/actions/{place}/{key}", text, hint))

    if not 0 < len(actions) <= MAX_ACTIONS:
        found.append(Problem("bad_chain", "error", "/actions", f"A proposal has 1 to {MAX_ACTIONS} actions."))
    known = {one.order for one in actions}
    seen: set[int] = set()
    for place, one in enumerate(actions):
        if one.order in seen:
            tell(place, "execution_order", "duplicate_order", f"Two actions have the order {one.order}.")
        seen.add(one.order)
        if one.depends_on is not None and one.depends_on not in known:
            tell(place, "depends_on", "unknown_action", f"There is no action with the order {one.depends_on}.")
        if not 0 <= one.max_retries <= MAX_RETRIES:
            tell(place, "max_retries", "out_of_bounds", f"An action is retried 0 to {MAX_RETRIES} times.")
    if not found and (cycle := _cycle(actions)):
        path = " → ".join(map(str, cycle))
        place = next(place for place, one in enumerate(actions) if one.order == cycle[0])
        tell(place, "depends_on", "cycle", f"These actions wait for each other: {path}.", "Take one dependency out.")
    return tuple(found)


def sources_of(actions: Sequence[ProposedAction]) -> dict[int, int | None]:
    """Give, for each action's order, the order of the one it waits for; None for one that waits for nothing."""
    ordered = sorted(one.order for one in actions)
    before = dict(zip(ordered, [None, *ordered], strict=False))
    return {one.order: one.depends_on if one.depends_on is not None else before[one.order] for one in actions}


def compile_chain(name: str, title: str, actions: Sequence[ProposedAction]) -> Definition:
    """Make the definition that carries out a chain without problems.

    Each action waits for the one it depends on, and for its moment; it is retried with pauses of 1 s × 2ⁿ up to 60 s,
    with jitter. Nothing starts after a failure.
    """
    sources = sources_of(actions)
    steps: list[Step] = []
    for one in sorted(actions, key=lambda one: one.order):
        source = sources[one.order]
        after: tuple[Dependency, ...] = () if source is None else (Dependency(f"{STEP_PREFIX}{source}"),)
        if one.scheduled_at is not None:
            moment = WaitUntil(one.scheduled_at.isoformat())
            steps.append(WaitStep(name=f"moment_{one.order}", depends_on=after, alternatives=(moment,)))
            after = (Dependency(f"moment_{one.order}"),)
        steps.append(
            ActionStep(
                name=f"{STEP_PREFIX}{one.order}",
                title=one.action,
                description=one.reason,
                depends_on=after,
                action=one.action,
                parameters=one.parameters,
                retry=Retry(max_attempts=1 + one.max_retries, delay_seconds=1, max_delay_seconds=60),
            )
        )
    return Definition(name=name, title=title, scope=Scope(tuple(steps)))


def chain_hash(name: str, actions: Sequence[ProposedAction]) -> str:
    """Give what an approval is bound to: SHA-256, in hex, of everything that decides what is done, and when."""
    content = [
        {
            "action": one.action,
            "parameters": dict(one.parameters),
            "order": one.order,
            "depends_on": one.depends_on,
            "scheduled_at": one.scheduled_at.isoformat() if one.scheduled_at else None,
            "max_retries": one.max_retries,
        }
        for one in sorted(actions, key=lambda one: one.order)
    ]
    return sha256(orjson.dumps({"name": name, "actions": content}, option=orjson.OPT_SORT_KEYS)).hexdigest()


def missing_sources(actions: Sequence[ProposedAction], approved: set[int]) -> dict[int, int]:
    """Find approved actions whose named dependency is not approved: order to the order it depends on."""
    return {
        one.order: one.depends_on
        for one in actions
        if one.order in approved and one.depends_on is not None and one.depends_on not in approved
    }


def status_of_run(status: RunStatus) -> ProposalStatus:
    """Give the status of a chain whose run has this one."""
    return _OF_RUN[status]


def status_of_step(status: StepStatus) -> ProposalStatus:
    """Give the status of an action whose step run has this one."""
    return _OF_STEP[status]


def _cycle(actions: Sequence[ProposedAction]) -> list[int]:
    sources = sources_of(actions)
    safe: set[int] = set()
    for start in sources:
        path: list[int] = []
        here: int | None = start
        while here is not None and here not in safe:
            if here in path:
                return [*path[path.index(here) :], here]
            path.append(here)
            here = sources[here]
        safe.update(path)
    return []
