"""User-defined actions in the engine: called by their rows, found changed, recovered."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from canvas.db import connect, transaction
from canvas.domain.definition import Output, Parameter
from canvas.domain.states import ActionOrigin, ActionState, ArgumentType, RunStatus, StepStatus, StepType
from canvas.domain.steps import ActionStep, OnLost, Retry
from canvas.engine.plans import Plans, read_document
from canvas.engine.user_actions import UserActions
from models import Action, ActionArgument, ActionInvariant, StepRun, Worker, WorkflowRun
from models.columns import new_id, utc_now
from tests.engine.test_runs import act, define
from tests.engine.test_wishes import started, until


def keep(settings, name="team/say", *, body=None, invariants=(), **columns):
    """Write a user-defined action with one required argument, as a service would."""
    with transaction(settings) as session:
        row = Action(
            name=name,
            namespace=name.partition("/")[0],
            origin=ActionOrigin.USER,
            title="",
            description="",
            category="Yours",
            is_idempotent=False,
            inputs_schema={},
            result_schema={},
            body=body or {"action": "test/echo", "parameters": {"text": "{{ args.word }}!"}},
            **columns,
        )
        session.add(row)
        session.flush()
        session.add(
            ActionArgument(action_name=name, position=0, name="word", type=ArgumentType.STRING, is_required=True)
        )
        session.add_all(
            ActionInvariant(action_name=name, position=position, text=text) for position, text in enumerate(invariants)
        )


def change(settings, name="team/say", **columns):
    with transaction(settings) as session:
        row = session.get(Action, name)
        for column, value in columns.items():
            setattr(row, column, value)
        row.version += 1
        row.updated_at = utc_now()


def say(name="go", word="hi", **more):
    return ActionStep(name=name, action="team/say", parameters={"word": word}, **more)


def test_a_step_calls_what_stands_behind_the_name(house):
    """Its row keeps the name and the arguments that people know; the action gets what the mapping says."""
    keep(house.settings)
    run = house.run(define(say()))

    (step,) = house.steps(run.id)
    assert [("test/echo", "go", 1, {"text": "hi!"})] == house.spy.calls
    assert ("team/say", {"word": "hi"}, {"text": "hi!"}) == (step.action, step.input, step.output)


def test_a_workflow_behind_the_name_runs_as_a_child(house):
    """The step waits for it, and gives what it gives."""
    keep(house.settings, body={"workflow": "inner", "parameters": {"text": "{{ args.word }}!"}})
    inner = define(
        act("work", parameters={"text": "{{ workflow.parameters.text }}"}),
        name="inner",
        parameters={"text": Parameter()},
        outputs={"said": Output(value="{{ steps.work.output.text }}")},
    )
    house.publish(inner)
    run = house.run(define(say()))

    (step,) = house.steps(run.id)
    child = house.row(step.child_run_id)
    assert (StepType.WORKFLOW_LINK, "team/say", {"said": "hi!"}) == (step.type, step.action, step.output)
    assert (RunStatus.COMPLETED, {"text": "hi!"}) == (child.status, child.parameters)


@pytest.mark.parametrize(
    ("invariants", "word", "called"),
    [(("size(args.word) < 2",), "long", 0), (("output.text != 'hi!'",), "hi", 1), ((), None, 0)],
)
def test_a_broken_invariant_fails_the_run_with_its_text(house, invariants, word, called):
    """Before the call nothing is called; after it, it has been called once and never again."""
    keep(house.settings, invariants=("Speak clearly", *invariants))
    run = house.run(define(say(word=word, retry=Retry(max_attempts=3, delay_seconds=0))))

    assert called == len(house.spy.calls)
    assert RunStatus.FAILED == run.status
    assert ("invariant_broken" if invariants else "invalid_arguments") == run.error["code"]
    assert (invariants or ("`word` is missing",))[0] in run.error["message"]
    assert [StepStatus.FAILED] == [step.status for step in house.steps(run.id)]


def test_a_failure_behind_the_name_is_tried_again(house):
    """With the same call each time."""
    keep(house.settings, body={"action": "test/fail_until", "parameters": {"attempt": 3, "word": "{{ args.word }}"}})
    run = house.run(define(say(retry=Retry(max_attempts=3, delay_seconds=0, jitter=False))))

    assert RunStatus.COMPLETED == run.status
    assert [{"attempt": 3, "word": "hi"}] * 3 == [arguments for _, _, _, arguments in house.spy.calls]
    assert {"team/say"} == {step.action for step in house.steps(run.id)}


def test_a_dry_run_touches_nothing_outside(house):
    """What stands behind the name decides that; what only computes is really called."""
    keep(house.settings)
    keep(house.settings, "team/think", body={"action": "test/pure", "parameters": {"text": "{{ args.word }}"}})
    think = replace(say("think"), action="team/think")
    run = house.run(define(say(), think), dry_run=True)

    assert ["think"] == house.spy.paths()
    assert {"go": {"example": True}, "think": {"text": "hi"}} == {s.path: s.output for s in house.steps(run.id)}


def test_a_change_holds_for_the_next_run(house):
    """A version names the action, not what it was on the day it was saved."""
    keep(house.settings)
    house.run(define(say()))
    change(house.settings, body={"action": "test/echo", "parameters": {"text": "changed"}})
    again = house.accept("flow")
    house.engines[-1].wait(again)

    assert ["hi!", "changed"] == [arguments["text"] for _, _, _, arguments in house.spy.calls]


def test_an_archived_action_goes_on(house):
    """For what names it already."""
    keep(house.settings, state=ActionState.ARCHIVED)

    assert RunStatus.COMPLETED == house.run(define(say())).status


def test_an_action_that_nobody_defined_fails_the_step_until_somebody_does(house):
    """The next run finds it."""
    assert "unknown_action" == house.run(define(say())).error["code"]
    keep(house.settings)
    again = house.accept("flow")

    assert RunStatus.COMPLETED == house.engines[-1].wait(again)


def test_a_run_in_the_middle_goes_on_after_a_restart(house):
    """A step in flight is taken up again by the next engine, with the arguments it was started with."""
    keep(house.settings, body={"action": "test/sleep", "parameters": {"seconds": 0.4, "word": "{{ args.word }}"}})
    first, run_id = started(house, define(say(), say("after")))
    until(lambda: house.spy.calls)
    first.stop(0)
    change(house.settings, body={"action": "test/echo", "parameters": {"text": "{{ args.word }}"}})

    assert RunStatus.COMPLETED == house.engine().wait(run_id)


def cut_off(house, columns):
    """Leave a run behind whose engine died while `team/say` was being called; take it over."""
    house.actions["test/echo"].idempotent = False
    keep(house.settings, **columns)
    house.publish(define(say(on_lost=OnLost.FAIL)))
    run_id = house.accept("flow")
    now = datetime.now(UTC)
    with transaction(house.settings) as session:
        dead = Worker(
            id=new_id(),
            host="elsewhere",
            boot_id="",
            pid=1,
            process_started=1.0,
            lease_until=now - timedelta(hours=1),
        )
        run = session.get(WorkflowRun, run_id)
        run.status, run.worker_id, run.started_at, run.total_steps = RunStatus.RUNNING, dead.id, now, 1
        row = StepRun(id=new_id(), run_id=run_id, path="go", name="go", type=StepType.ACTION, action="team/say")
        row.input, row.worker_id, row.started_at = {"word": "hi"}, dead.id, now
        session.add_all([dead, row])
    house.engine().wait(run_id)
    return run_id


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, ["failed"]),
        ({"read_only": True}, ["failed", "completed"]),
        ({"body": {"action": "test/talk", "parameters": {"text": "{{ args.word }}"}}}, ["failed", "completed"]),
        ({"body": {"action": "test/talk", "parameters": {"text": "{{ args.gone }}"}}}, ["failed"]),
        ({"body": {"workflow": "inner", "parameters": {}}}, ["failed"]),
    ],
)
def test_whether_a_lost_call_is_made_again_is_for_what_stands_behind_it(house, columns, expected):
    """Or for the flag that says it changes nothing. What cannot be told is not repeated."""
    run_id = cut_off(house, columns)

    assert expected == [step.status.value for step in house.steps(run_id)]
    assert "lost" == house.steps(run_id)[0].error["code"]


# plans


@pytest.fixture
def asked(settings):
    """The statements that reach the database."""
    seen = []

    def note(connection, cursor, statement, *_):
        seen.append(statement)

    sa.event.listen(connect(settings), "before_cursor_execute", note)
    yield seen
    sa.event.remove(connect(settings), "before_cursor_execute", note)


def plans_of(settings, *actions):
    steps = [{"name": f"s{n}", "type": "action", "action": name} for n, name in enumerate(actions)]
    document = {"dsl": "canvas/v1", "name": "flow", "steps": steps}
    return Plans(lambda version: document, read_document, UserActions(settings, lambda name: name.startswith("test/")))


def test_a_plan_without_user_defined_actions_costs_no_query(settings, asked):
    """Neither the first time nor later."""
    plans = plans_of(settings, "test/echo", "test/pure")

    assert plans.get("v") is plans.get("v")
    assert [] == asked


def test_a_plan_with_some_is_kept_until_one_changes(settings, asked):
    """One small query tells; a change, an archiving and a removal are noticed."""
    keep(settings)
    plans = plans_of(settings, "test/echo", "team/say")
    first = plans.get("v")
    asked.clear()

    assert plans.get("v") is first
    assert 1 == sum(statement.startswith("SELECT") for statement in asked)
    change(settings, read_only=True)
    second = plans.get("v")
    assert second is not first
    assert second.names["s1"].via.action.read_only
    with transaction(settings) as session:
        session.delete(session.exec(select(Action)).one())
    assert plans.get("v").names["s1"].via is None
