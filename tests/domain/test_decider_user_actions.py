"""Steps that name a user-defined action: what is called, what is recorded, what becomes of a broken invariant."""

import pytest

from canvas.domain.actions import Argument, Body, Call, Invariant, UserAction
from canvas.domain.decider import Completed, Due, Failed, Lost, Note, StartChild, StepChanged, StopChild
from canvas.domain.decider.facts import CancelRequested
from canvas.domain.definition import Definition
from canvas.domain.states import ArgumentType, RunStatus, StepStatus, StepType
from canvas.domain.steps import ActionStep, Retry, Scope
from tests.domain.simulation import World, failure

ARGUMENTS = (
    Argument(name="host", required=True),
    Argument(name="count", type=ArgumentType.INTEGER, default=2, min_value=1),
)
CALLS = Body(action="http/request", parameters={"url": "https://{{ args.host }}", "n": "{{ args.count }}"})
STARTS = Body(workflow="deploy_all", version=3, parameters={"to": "{{ args.host }}"})


def own(body=CALLS, *invariants):
    kept = tuple(Invariant(text=text) for text in invariants)
    return UserAction(name="team/deploy", arguments=ARGUMENTS, invariants=kept, body=body)


def world(action, *, is_dry=False, **more):
    parameters = more.pop("parameters", {"host": "a"})
    step = ActionStep(name="go", action="team/deploy", parameters=parameters, **more)
    made = World(Definition(name="one", scope=Scope((step,))), {"team/deploy": action}, is_dry)
    made.begin()
    return made


def told(made, kind):
    return [command for commands in made.told for command in commands if isinstance(command, kind)]


def test_what_stands_behind_the_name_is_called():
    """The row keeps the name and the arguments that people gave; what is called follows from them."""
    made = world(own())
    (started,) = told(made, StepChanged)

    assert ("team/deploy", {"host": "a", "count": 2}, StepType.ACTION) == (started.action, started.input, started.type)
    assert Call("http/request", {"url": "https://a", "n": 2}) == started.call
    made.tell(Completed("go", 1, {"status": 200}))
    assert (RunStatus.COMPLETED, {"status": 200}) == (made.status, made.outputs["go"])


def test_a_workflow_behind_the_name_is_started_and_waited_for():
    """With what the mapping gives, in the version that the action names; its outputs are the action's."""
    made = world(own(STARTS), timeout_seconds=60)
    (child,) = told(made, StartChild)

    assert ("deploy_all", 3, {"to": "a"}, True) == (child.workflow, child.version, child.parameters, child.is_awaited)
    assert ("team/deploy", {"host": "a", "count": 2}) == (made.latest["go"].action, made.latest["go"].input)
    made.tell(Completed("go", 1, {"done": 3}))
    assert {"done": 3} == made.outputs["go"]


def test_cancelling_stops_the_workflow_behind_the_name():
    """As it does for a link."""
    made = world(own(STARTS))
    made.tell(CancelRequested())

    assert [StopChild("go", 1)] == told(made, StopChild)
    assert RunStatus.CANCELLED == made.status


@pytest.mark.parametrize("body", [CALLS, STARTS])
def test_arguments_that_do_not_fit_fail_the_step_before_anything_is_called(body):
    """And nothing tries again: the arguments would be the same."""
    made = world(own(body), parameters={"host": "a", "count": 0}, retry=Retry(max_attempts=3))

    assert [StepStatus.FAILED] == [row.status for row in made.rows.values()]
    assert ("invalid_arguments", False) == (made.error["code"], made.error["retryable"])


@pytest.mark.parametrize("body", [CALLS, STARTS])
def test_an_invariant_over_the_arguments_fails_the_step_before_anything_is_called(body):
    """Its text is the error that people read."""
    made = world(own(body, "args.count < 2"), retry=Retry(max_attempts=3))

    assert [StepStatus.FAILED] == [row.status for row in made.rows.values()]
    assert ("invariant_broken", "args.count < 2", "before") == tuple(
        made.error[key] for key in ("code", "invariant", "when")
    )
    assert [] == told(made, StartChild)


@pytest.mark.parametrize("body", [CALLS, STARTS])
def test_an_invariant_over_the_output_fails_the_step_and_is_not_tried_again(body):
    """It has happened: repeating it would make it happen twice."""
    made = world(own(body, "output.status == 200"), retry=Retry(max_attempts=3))
    made.tell(Completed("go", 1, {"status": 500}))

    assert [StepStatus.FAILED] == [row.status for row in made.rows.values()]
    assert ("invariant_broken", "after") == (made.error["code"], made.error["when"])
    assert "go" not in made.outputs


@pytest.mark.parametrize("body", [CALLS, STARTS])
def test_the_next_attempt_calls_the_same(body):
    """A failure of what stands behind the name is retried as ever, with the arguments of the first attempt."""
    made = world(own(body), retry=Retry(max_attempts=2))
    first = told(made, StepChanged)[0]
    made.tell(failure("go", 1))
    made.tell(Due("go", 2))
    again = told(made, StepChanged)[-1]

    assert (2, first.call, first.input) == (again.attempt, again.call, again.input)
    assert "team/deploy" == again.action


def test_a_lost_attempt_is_made_again():
    """As for any action."""
    made = world(own())
    made.tell(Lost("go", 1, True))
    made.tell(Due("go", 2))

    assert Call("http/request", {"url": "https://a", "n": 2}) == told(made, StepChanged)[-1].call
    made.tell(Completed("go", 2, {}))
    assert RunStatus.COMPLETED == made.status


def test_a_mapping_that_does_not_fit_any_more_fails_the_next_attempt():
    """The action was changed between two attempts, and a restart took the new one in."""
    made = world(own(), retry=Retry(max_attempts=2))
    made.tell(failure("go", 1))
    changed = own(Body(action="http/request", parameters={"url": "{{ args.gone }}"}))
    made.plan = World(made.definition, {"team/deploy": changed}).plan
    made.state = made.reload()
    made.tell(Due("go", 2))

    assert (StepStatus.FAILED, "expression_missing") == (made.latest["go"].status, made.latest["go"].error["code"])


@pytest.mark.parametrize(("before", "after"), [(CALLS, STARTS), (STARTS, CALLS)])
def test_a_step_in_flight_survives_that_its_action_becomes_something_else(before, after):
    """Whatever stands behind the name after a restart: what is going ends, and cancelling reaches it."""
    for end in (Completed("go", 1, {}), Failed("go", 1, {"code": "x", "message": ""}, False), CancelRequested()):
        made = world(own(before))
        made.plan = World(made.definition, {"team/deploy": own(after)}).plan
        made.state = made.reload()
        made.tell(end)
        if made.asked_to_stop:
            made.tell(Completed("go", 1, {}))

        assert made.status.is_terminal
        if end == CancelRequested() and before is STARTS:
            assert told(made, StopChild)


def test_a_dry_run_says_what_would_break_and_goes_on():
    """The answer is made up, so that it proves nothing; what the workflow itself decides does."""
    made = world(own(CALLS, "output.status == 200"), is_dry=True)
    made.tell(Completed("go", 1, {"status": 500}))

    assert RunStatus.COMPLETED == made.status
    assert "output.status == 200" in told(made, Note)[0].message
    assert "invariant_broken" == world(own(CALLS, "args.count < 2"), is_dry=True).error["code"]


def test_other_steps_are_as_they_were():
    """A plan without user-defined actions holds nothing of all this."""
    made = World(Definition(name="one", scope=Scope((ActionStep(name="go", action="http/request"),))))
    made.begin()

    assert made.plan.names["go"].via is None
    assert told(made, StepChanged)[0].call is None
