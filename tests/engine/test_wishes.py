"""Cancel, pause, resume, links to other workflows, schedules of runs, limits, priorities."""

import time
from datetime import UTC, datetime, timedelta

from sqlmodel import select

from canvas.db import reading
from canvas.domain.definition import Concurrency, Output, Parameter, RunSettings
from canvas.domain.states import Branch, RunStatus, StepStatus
from canvas.domain.steps import Dependency, LoopStep, Retry, Scope, WaitSeconds, WaitStep, WorkflowLinkStep
from models import WorkflowRun
from tests.engine.test_runs import act, define


def until(holds, seconds=10.0):
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


def started(house, definition, **fields):
    house.publish(definition)
    engine = house.engines[-1] if house.engines else house.engine()
    return engine, house.accept(definition.name, **fields)


def test_cancelling_stops_what_is_going_and_leaves_nothing_open(house):
    """Running, waiting and retrying step runs all end as cancelled."""
    retrying = act("flaky", action="fail", retry=Retry(max_attempts=3, delay_seconds=60))
    waiting = WaitStep(name="nap", alternatives=(WaitSeconds(60),))
    loop = LoopStep(name="each", times=3, concurrency=2, steps=Scope((act("slow", action="sleep"),)))
    engine, run_id = started(house, define(retrying, waiting, loop))
    until(lambda: "retrying" in house.statuses(run_id).values() and "waiting" in house.statuses(run_id).values())

    house.wish(run_id, cancel_requested=True)

    assert RunStatus.CANCELLED == engine.wait(run_id)
    assert all(step.status.is_terminal for step in house.steps(run_id))


def test_a_run_cancelled_before_it_started_never_starts(house):
    """It ends as cancelled without a step."""
    definition = define(act("one"))
    house.publish(definition)
    run_id = house.accept(definition.name, cancel_requested=True)

    assert RunStatus.CANCELLED == house.engine().wait(run_id)
    assert [] == house.steps(run_id)


def test_a_paused_run_starts_nothing_new_until_it_is_resumed(house):
    """What is going finishes; what follows waits for the wish to be taken back."""
    nap = act("nap", action="sleep", parameters={"seconds": 0.2})
    engine, run_id = started(house, define(nap, act("next", "nap")))
    until(lambda: house.spy.calls)

    house.wish(run_id, pause_requested=True)
    until(lambda: house.statuses(run_id)["nap"] == "completed")
    row = house.row(run_id)
    assert RunStatus.PAUSED == row.status
    assert row.paused_at is not None
    assert {"nap": "completed"} == house.statuses(run_id)

    house.wish(run_id, pause_requested=False)
    assert RunStatus.COMPLETED == engine.wait(run_id)
    assert house.row(run_id).paused_at is None


def test_a_paused_run_can_be_cancelled(house):
    """It does not have to be resumed for that."""
    engine, run_id = started(house, define(WaitStep(name="nap", alternatives=(WaitSeconds(60),))))
    until(lambda: house.row(run_id).status is RunStatus.RUNNING)
    house.wish(run_id, pause_requested=True)
    until(lambda: house.row(run_id).status is RunStatus.PAUSED)

    house.wish(run_id, cancel_requested=True)

    assert RunStatus.CANCELLED == engine.wait(run_id)


def test_an_action_that_will_not_stop_is_given_up_on(house, monkeypatch):
    """What it says after it was asked to stop is its end; the run ends."""
    engine, run_id = started(house, define(act("stubborn", action="stubborn")))
    until(lambda: house.spy.calls)

    house.wish(run_id, cancel_requested=True)

    assert RunStatus.CANCELLED == engine.wait(run_id)
    assert all(step.status.is_terminal for step in house.steps(run_id))


CHILD = define(
    act("work", parameters={"n": "{{ workflow.parameters.n * 2 }}"}),
    name="child",
    parameters={"n": Parameter(type="integer", required=True)},
    outputs={"n": Output(value="{{ steps.work.output.n }}")},
)


def link(name="call", workflow="child", **more):
    return WorkflowLinkStep(name=name, workflow=workflow, **more)


def child_of(house, run_id):
    with reading(house.settings) as session:
        return session.exec(select(WorkflowRun).where(WorkflowRun.parent_run_id == run_id)).all()


def test_a_link_runs_the_other_workflow_and_takes_its_outputs(house):
    """The child is a run of its own; the step's output is the child's."""
    house.publish(CHILD)
    parent = define(link(parameters={"n": 4}), outputs={"n": Output(value="{{ steps.call.output.n }}")}, name="parent")

    run = house.run(parent)

    (child,) = child_of(house, run.id)
    assert (RunStatus.COMPLETED, {"n": 8}) == (run.status, run.output)
    assert (1, "workflow", run.id, "call") == (
        child.depth,
        child.trigger_type.value,
        child.parent_run_id,
        child.parent_path,
    )
    assert child.id == house.steps(run.id)[0].child_run_id


def test_a_link_that_does_not_wait_goes_on_with_the_childs_id(house):
    """Its output names the run it started."""
    house.publish(CHILD)
    parent = define(link(parameters={"n": 4}, wait=False), act("next", "call"), name="parent")

    run = house.run(parent)

    (child,) = child_of(house, run.id)
    assert {"run_id": child.id} == house.steps(run.id)[0].output
    assert RunStatus.COMPLETED == house.engines[-1].wait(child.id)


def test_a_child_that_fails_fails_its_step(house):
    """The error names the child run."""
    house.publish(define(act("bad", action="fail"), name="child"))
    run = house.run(define(link(), name="parent"))

    assert (RunStatus.FAILED, "child_failed") == (run.status, run.error["code"])
    assert run.error["run_id"] == child_of(house, run.id)[0].id


def test_a_link_to_nothing_fails_its_step(house):
    """Unknown workflows and wrong parameters are failures that can be handled."""
    house.publish(CHILD)
    repair = act("repair", Dependency("call", Branch.FAILURE), Dependency("wrong", Branch.FAILURE))

    run = house.run(define(link(workflow="nowhere"), link("wrong"), repair, name="parent"))

    assert RunStatus.COMPLETED == run.status
    assert {"workflow_not_found", "invalid_parameters"} == {s.error["code"] for s in house.steps(run.id) if s.error}


def test_workflows_start_each_other_ten_deep_and_no_deeper(house):
    """A workflow that starts itself ends with a clear error."""
    run = house.run(define(link(workflow="self"), name="self"))

    with reading(house.settings) as session:
        runs = session.exec(select(WorkflowRun).order_by(WorkflowRun.depth)).all()
    assert 11 == len(runs)
    assert RunStatus.FAILED == run.status
    assert "too_deep" == runs[-1].error["code"]


def test_cancelling_reaches_the_children(house):
    """The run that a link waits for is cancelled with it."""
    house.publish(define(act("slow", action="sleep"), name="child"))
    engine, run_id = started(house, define(link(), name="parent"))
    until(lambda: house.spy.calls)

    house.wish(run_id, cancel_requested=True)

    assert RunStatus.CANCELLED == engine.wait(run_id)
    assert RunStatus.CANCELLED == engine.wait(child_of(house, run_id)[0].id)


def test_a_link_can_time_out(house):
    """The child is cancelled, the step fails."""
    house.publish(define(act("slow", action="sleep"), name="child"))

    run = house.run(define(link(timeout_seconds=0.05), name="parent"))

    assert "timeout" == run.error["code"]
    assert RunStatus.CANCELLED == house.engines[-1].wait(child_of(house, run.id)[0].id)


def test_a_scheduled_run_starts_at_its_time(house):
    """Not before."""
    moment = datetime.now(UTC) + timedelta(seconds=0.4)
    engine, run_id = started(house, define(act("one")), scheduled_at=moment)

    engine.wait(run_id)

    assert house.row(run_id).started_at >= moment


def test_a_workflow_runs_no_more_often_at_once_than_it_may(house):
    """Further runs stay pending and start as others end; other workflows are not held up."""
    limited = define(
        act("nap", action="sleep", parameters={"seconds": 0.05}),
        name="limited",
        settings=RunSettings(concurrency=Concurrency(limit=2)),
    )
    house.publish(limited)
    house.publish(define(act("one"), name="other"))
    runs = [house.accept("limited") for _ in range(5)]
    other = house.accept("other")
    engine = house.engine()

    engine.wait(other)
    for run_id in runs:
        assert RunStatus.COMPLETED == engine.wait(run_id)
    rows = [house.row(run_id) for run_id in runs]
    moments = sorted([(row.started_at, 1) for row in rows] + [(row.ended_at, -1) for row in rows])
    going = most = 0
    for _, change in moments:
        going += change
        most = max(most, going)
    assert 2 == most


def test_a_higher_priority_starts_first(house):
    """Among what waits."""
    definition = define(
        act("nap", action="sleep", parameters={"seconds": 0.01}),
        settings=RunSettings(concurrency=Concurrency(limit=1)),
    )
    house.publish(definition)
    low, high = house.accept("flow", priority=0), house.accept("flow", priority=5)
    engine = house.engine()

    engine.wait(low)
    engine.wait(high)

    assert house.row(high).started_at < house.row(low).started_at


def test_many_runs_at_once_all_end(house):
    """Two hundred accepted runs, more than are taken at a time."""
    definition = define(act("a"), act("b", "a", action="sleep", parameters={"seconds": 0.001}))
    house.publish(definition)
    runs = [house.accept("flow") for _ in range(200)]
    engine = house.engine()

    assert {RunStatus.COMPLETED} == {engine.wait(run_id) for run_id in runs}


def test_a_timer_of_a_run_that_is_not_in_memory_wakes_it(house):
    """Waiting costs no memory: the run is loaded again when it is due."""
    engine, run_id = started(house, define(WaitStep(name="nap", alternatives=(WaitSeconds(0.3),)), act("next", "nap")))
    until(lambda: house.statuses(run_id).get("nap") == "waiting")
    engine._loop.call_soon_threadsafe(lambda: engine._conductor.make_room(idle_runs=0, held_bytes=0))

    assert RunStatus.COMPLETED == engine.wait(run_id)
    assert {StepStatus.COMPLETED.value} == set(house.statuses(run_id).values())


def test_what_a_link_waits_for_is_found_after_it_was_forgotten(house):
    """A child's end reaches a parent that is not in memory."""
    house.publish(define(WaitStep(name="w", alternatives=(WaitSeconds(0.2),)), name="child"))
    engine, run_id = started(
        house,
        define(
            link(),
            name="parent",
        ),
    )
    until(lambda: house.statuses(run_id).get("call") == "waiting")
    engine._loop.call_soon_threadsafe(lambda: engine._conductor.make_room(idle_runs=0))

    assert RunStatus.COMPLETED == engine.wait(run_id)


def test_outputs_that_were_let_go_are_read_again(house):
    """Memory is bounded: what a later step needs comes from its row."""
    nap = act("nap", "first", action="sleep", parameters={"seconds": 0.3})
    last = act("last", "nap", parameters={"x": "{{ steps.first.output.a }}"})
    engine, run_id = started(house, define(act("first", parameters={"a": 7}), nap, last))
    until(lambda: len(house.spy.calls) == 2)
    engine._loop.call_soon_threadsafe(lambda: engine._conductor.make_room(held_bytes=0))

    assert RunStatus.COMPLETED == engine.wait(run_id)
    assert {"x": 7} == house.spy.calls[-1][3]
