"""Single rules of the decider that deserve an example of their own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from canvas.domain.decider import (
    Begun,
    Completed,
    Due,
    Failed,
    Lost,
    Note,
    ResumeRequested,
    RunChanged,
    StepChanged,
    evolve,
    snapshot,
)
from canvas.domain.definition import Definition
from canvas.domain.retries import pause_before_next
from canvas.domain.states import Backoff, JoinMode, OnLost, OthersPolicy, RunStatus, StepStatus
from canvas.domain.steps import ActionStep, Dependency, Join, LoopStep, Retry, Scope
from tests.domain.simulation import NOON, World, failure


def act(name, *sources, **more):
    return ActionStep(name=name, action="test/echo", depends_on=tuple(Dependency(one) for one in sources), **more)


def world(*steps):
    made = World(Definition(name="one", scope=Scope(tuple(steps))))
    made.begin()
    return made


def status(made, path):
    return made.latest[path].status


def test_what_has_ended_is_not_revived_by_a_late_row():
    """Terminal is sticky, for step runs and for the run."""
    made = world(act("a"), act("b"))
    made.tell(Completed("a", 1, {}))
    before = snapshot(made.state)
    late = replace(made.latest["a"], status=StepStatus.RUNNING)

    evolve(made.state, late)
    assert before == snapshot(made.state)

    made.tell(Completed("b", 1, {}))
    evolve(made.state, RunChanged(status=RunStatus.RUNNING))
    assert RunStatus.COMPLETED == made.state.status


def test_an_outcome_of_an_earlier_attempt_counts_for_nothing():
    """Only the attempt that is going can end."""
    made = world(act("a", retry=Retry(max_attempts=2)))
    made.tell(failure("a", 1))
    made.tell(Due("a", 2))

    assert () == made.tell(Completed("a", 1, {}))
    assert StepStatus.RUNNING == status(made, "a")


@pytest.mark.parametrize(("policy", "ends"), [(OnLost.RETRY, None), (OnLost.FAIL, RunStatus.FAILED)])
def test_a_lost_attempt_follows_the_steps_policy(policy, ends):
    """An action that is not idempotent is repeated only where the step says so."""
    made = world(act("a", on_lost=policy))

    made.tell(Lost("a", 1, idempotent=False))

    assert (ends or RunStatus.RUNNING) == made.status
    assert (StepStatus.FAILED if ends else StepStatus.RETRYING) == status(made, "a")


def test_a_lost_attempt_asks_by_pausing_the_run():
    """The log says what to do; resuming tries the step again."""
    made = world(act("a"))

    commands = made.tell(Lost("a", 1, idempotent=False))
    assert RunStatus.PAUSED == made.status
    assert any(isinstance(one, Note) and "resume" in one.message for one in commands)
    assert any(isinstance(one, RunChanged) and one.is_held for one in commands)

    made.tell(ResumeRequested())
    assert (StepStatus.RUNNING, 2) == (status(made, "a"), made.latest["a"].attempt)


def test_interruptions_are_no_attempts_but_the_third_one_ends_the_step():
    """A step that kills its worker every time is the cause."""
    made = world(act("a"))
    for attempt in (1, 2):
        made.tell(Lost("a", attempt, idempotent=True))
        made.tell(Due("a", attempt + 1))

    made.tell(Lost("a", 3, idempotent=True))

    assert RunStatus.FAILED == made.status
    assert "killed_worker" == made.error["code"]


def test_the_pause_before_an_attempt_grows_is_bounded_and_always_the_same():
    """1 s × 2ⁿ up to the limit; the jitter is drawn from the attempt's name."""
    plain = Retry(max_attempts=9, jitter=False)
    assert [1, 2, 4, 8, 60] == [pause_before_next(plain, key="k", failures=n) for n in (1, 2, 3, 4, 9)]
    assert 1 == pause_before_next(replace(plain, backoff=Backoff.FIXED), key="k", failures=9)
    assert 300 == pause_before_next(plain, key="k", failures=1, asked=300)

    jittered = Retry(max_attempts=9)
    drawn = {pause_before_next(jittered, key=f"k{n}", failures=4) for n in range(50)}
    assert all(4 <= pause <= 8 for pause in drawn)
    assert len(drawn) > 40
    assert pause_before_next(jittered, key="k", failures=4) == pause_before_next(jittered, key="k", failures=4)


def test_the_next_attempt_is_due_when_the_policy_says():
    """`due_at` is reckoned from the moment of the failure."""
    made = world(act("a", retry=Retry(max_attempts=2, delay_seconds=5, jitter=False)))

    made.tell(Failed("a", 1, {"code": "x", "message": "no"}))

    assert NOON + timedelta(seconds=5) == made.latest["a"].due_at


def test_a_join_that_cancels_stops_what_led_only_to_it():
    """Sources that wait, and those before them that lead nowhere else, end without having run."""
    join = act("meet", "quick", "late", join=Join(JoinMode.ANY, others=OthersPolicy.CANCEL))
    made = world(act("quick"), act("gate"), act("before", "gate"), act("late", "before"), join)

    made.tell(Completed("quick", 1, {}))

    assert {"late": "cancelled", "before": "cancelled"} == {
        path: row.status.value for path, row in made.latest.items() if row.status is StepStatus.CANCELLED
    }
    assert StepStatus.RUNNING == status(made, "meet")


def test_a_loop_of_ten_thousand_is_decided_at_a_constant_price():
    """The state of a run holds what is going, not what has been."""
    made = world(LoopStep(name="each", times=10_000, max_iterations=10_000, steps=Scope((act("inside"),))))
    slot = made.state.top.slots[0]

    for index in range(500):
        commands = made.tell(Completed(f"each[{index}]/inside", 1, {"i": index}))
        assert 2 == sum(isinstance(one, StepChanged) for one in commands)

    assert (1, 2) == (len(slot.frames), len(made.state.flight))
    assert not made.state.values
    assert (500, 10_001) == made.progress


def test_beginning_twice_is_beginning_once():
    """A doubled claim has no second effect."""
    made = world(act("a"))

    assert () == made.tell(Begun())
    assert StepStatus.RUNNING == status(made, "a")
