"""Any shape of workflow, on the real engine and a real database: every transition can be written."""

import logging

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as configured
from hypothesis import strategies as st

from canvas.domain.definition import Definition
from canvas.domain.states import Branch, JoinMode, OnError, OnItemFailure, RunStatus, StepStatus
from canvas.domain.steps import (
    ActionStep,
    ConditionStep,
    Dependency,
    Join,
    LoopStep,
    ParallelStep,
    Retry,
    Scope,
    SetStep,
    WaitSeconds,
    WaitStep,
)
from models.columns import new_id

BRANCHES = {
    ConditionStep: [Branch.IF_TRUE, Branch.IF_FALSE, Branch.SUCCESS],
    ActionStep: [Branch.SUCCESS, Branch.FAILURE, Branch.ALWAYS],
}


KINDS = ["set", "set", "wait", "condition", "action", "fail", "loop", "parallel"]


class _Shapes:
    """Draws steps that end within moments: short waits, actions that answer or fail at once."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.names = iter(f"s{number}" for number in range(1_000))

    def scope(self, depth: int = 0) -> Scope:
        steps = []
        for _ in range(self.draw(st.integers(1, 4))):
            steps.append(self.step(steps, depth))
        return Scope(tuple(steps))

    def step(self, earlier, depth: int):
        sources = (
            self.draw(st.lists(st.sampled_from(earlier), max_size=2, unique_by=lambda s: s.name)) if earlier else []
        )
        waits = tuple(Dependency(source.name, self.branch(source)) for source in sources)
        kind, on_error = self.draw(st.sampled_from(KINDS)), self.draw(st.sampled_from(OnError))
        common = {"name": next(self.names), "depends_on": waits, "on_error": on_error}
        if kind in ("loop", "parallel") and depth < 2:
            return self.container(kind, depth, common)
        if len(sources) > 1:
            common["join"] = Join(self.draw(st.sampled_from([JoinMode.ACTIVATED, JoinMode.ALL, JoinMode.ANY])))
        return self.plain(kind, common)

    def branch(self, source) -> Branch:
        return self.draw(st.sampled_from(BRANCHES.get(type(source), [Branch.SUCCESS])))

    def container(self, kind: str, depth: int, common):
        inner = self.scope(depth + 1)
        if kind == "parallel":
            return ParallelStep(steps=inner, **common)
        policy, at_once = self.draw(st.sampled_from(OnItemFailure)), self.draw(st.integers(1, 3))
        turns = self.draw(st.integers(0, 3))
        return LoopStep(times=turns, steps=inner, concurrency=at_once, on_item_failure=policy, **common)

    def plain(self, kind: str, common):
        match kind:
            case "wait":
                return WaitStep(alternatives=(WaitSeconds(0.01),), **common)
            case "condition":
                return ConditionStep(condition=self.draw(st.sampled_from(["true", "false"])), **common)
            case "action":
                return ActionStep(action="test/echo", **common)
            case "fail":
                retry = Retry(self.draw(st.integers(1, 2)), 0.01)
                return ActionStep(action="test/fail", retry=retry, **common)
            case _:
                return SetStep(values={"a": 1}, **common)


@st.composite
def quick_scopes(draw: st.DrawFn) -> Scope:
    return _Shapes(draw).scope()


@configured(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scope=quick_scopes())
def test_every_run_ends_and_no_transition_is_refused(scope, house, caplog: pytest.LogCaptureFixture):
    """What the decider decides in one go can be written in one go, whatever opens and ends in it."""
    caplog.set_level(logging.WARNING)
    caplog.clear()

    run = house.run(Definition(name=f"flow_{new_id()}", scope=scope))

    assert [] == [record.getMessage() for record in caplog.records]
    assert run.status in (RunStatus.COMPLETED, RunStatus.FAILED)
    assert run.settled_steps <= run.total_steps
    assert {True} >= {StepStatus(status).is_terminal for status in house.statuses(run.id).values()}
