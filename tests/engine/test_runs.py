"""Each promise of a run's semantics, on a real database with a real engine."""

from datetime import UTC, datetime, timedelta

import pytest

from canvas.domain.definition import Definition, Output, RunSettings
from canvas.domain.states import (
    Branch,
    JoinMode,
    LogLevel,
    OnError,
    OnItemFailure,
    OthersPolicy,
    RunStatus,
    StepStatus,
    SwitchMatch,
)
from canvas.domain.steps import (
    ActionStep,
    Case,
    ConditionStep,
    Dependency,
    Join,
    LoopStep,
    ParallelStep,
    Retry,
    Scope,
    SetStep,
    StopStep,
    SwitchStep,
    WaitSeconds,
    WaitStep,
    WaitUntil,
)
from tests.engine.conftest import FakeAction


def after(*sources):
    return tuple(Dependency(one) if isinstance(one, str) else one for one in sources)


def act(name, *sources, action="echo", **more):
    parameters = more.pop("parameters", {})
    return ActionStep(name=name, action=f"test/{action}", parameters=parameters, depends_on=after(*sources), **more)


def define(*steps, name="flow", **more):
    return Definition(name=name, scope=Scope(tuple(steps)), **more)


def test_a_switch_takes_its_first_matching_case_and_skips_the_others(house):
    """Only the branch that matched goes on; where the branches meet, the run goes on."""
    cases = (Case("a"), Case("b"), Case("b2", when="workflow.parameters.kind == 'b'"))
    switch = SwitchStep(name="kind", on="{{ workflow.parameters.kind }}", cases=cases)
    ways = [act(f"to_{one}", Dependency("kind", Branch.SWITCH_CASE, one)) for one in ("a", "b", "b2")]
    other = act("other", Dependency("kind", Branch.DEFAULT))

    run = house.run(
        define(switch, *ways, other, act("meet", "to_a", "to_b", "to_b2", "other")), parameters={"kind": "b"}
    )

    statuses = house.statuses(run.id)
    assert {"to_a": "skipped", "to_b": "completed", "to_b2": "skipped", "other": "skipped", "meet": "completed"} == {
        name: statuses[name] for name in ("to_a", "to_b", "to_b2", "other", "meet")
    }


def test_a_switch_that_takes_all_matching_cases_goes_all_these_ways(house):
    """`match: all` makes every matching branch live."""
    cases = (Case(1), Case("small", when="workflow.parameters.n < 5"), Case(3))
    switch = SwitchStep(name="n", on="workflow.parameters.n", cases=cases, match=SwitchMatch.ALL)
    ways = [act(f"to_{one}", Dependency("n", Branch.SWITCH_CASE, one)) for one in (1, "small", 3)]

    run = house.run(define(switch, *ways), parameters={"n": 1})

    assert {"completed", "skipped"} == set(house.statuses(run.id).values())
    assert ["to_1", "to_small"] == sorted(house.spy.paths())


def test_a_failing_step_is_tried_again_and_then_succeeds(house):
    """Every attempt is a row; the last one's output counts, and the input stays the same."""
    step = act("flaky", action="fail_until", parameters={"attempt": 3}, retry=Retry(max_attempts=3, delay_seconds=0.01))

    run = house.run(define(step, outputs={"attempt": Output(value="{{ steps.flaky.attempt }}")}))

    assert (RunStatus.COMPLETED, {"attempt": 3}) == (run.status, run.output)
    assert ["failed", "failed", "completed"] == [step.status.value for step in house.steps(run.id)]
    assert [{"attempt": 3}] * 3 == [step.input for step in house.steps(run.id)]


def test_a_step_without_a_policy_follows_the_definitions(house):
    """`settings.max_retries` counts further attempts."""
    run = house.run(define(act("bad", action="fail"), settings=RunSettings(max_retries=1)), parameters={})

    assert RunStatus.FAILED == run.status
    assert 2 == len(house.steps(run.id))
    assert ("action_failed", "bad") == (run.error["code"], run.error["step"])


def test_a_failure_that_cannot_be_repeated_is_not(house):
    """`retryable: false` ends the attempts at once."""
    step = act("bad", action="fail", parameters={"retryable": False}, retry=Retry(max_attempts=5))

    run = house.run(define(step))

    assert 1 == len(house.steps(run.id))


def test_a_failure_takes_its_branch_and_the_run_goes_on(house):
    """FAILURE and ALWAYS handle a failure; SUCCESS does not happen; the error can be read."""
    run = house.run(
        define(
            act("bad", action="fail", parameters={"retryable": False}),
            act("never", "bad"),
            act("repair", Dependency("bad", Branch.FAILURE), parameters={"why": "{{ steps.bad.error.message }}"}),
            act("always", Dependency("bad", Branch.ALWAYS)),
        )
    )

    assert RunStatus.COMPLETED == run.status
    assert {"bad": "failed", "never": "skipped", "repair": "completed", "always": "completed"} == house.statuses(run.id)
    assert {"why": "It said no."} in [arguments for *_, arguments in house.spy.calls]


def test_a_failure_may_be_tolerated(house):
    """`on_error: continue` lets what does not depend on it go on."""
    run = house.run(define(act("bad", action="fail", on_error=OnError.CONTINUE), act("good"), act("next", "bad")))

    assert RunStatus.COMPLETED == run.status
    assert {"bad": "failed", "good": "completed", "next": "skipped"} == house.statuses(run.id)


def test_a_failure_ends_the_run_and_stops_what_is_going(house):
    """`fail_run` starts nothing new, stops the running steps and carries the step's error."""
    run = house.run(define(act("slow", action="sleep"), act("bad", action="fail"), act("later", "slow")))

    assert RunStatus.FAILED == run.status
    assert {"slow": "cancelled", "bad": "failed"} == house.statuses(run.id)
    assert "It said no." == run.error["message"]


def test_an_error_inside_an_action_becomes_a_clear_failure(house):
    """No traceback reaches the run."""
    run = house.run(define(act("bad", action="crash")))

    assert ("action_error", "ZeroDivisionError: inside") == (run.error["code"], run.error["message"])


def test_an_action_that_gives_no_json_fails_with_its_code(house):
    """What cannot be kept is a failure of the step."""
    assert "output_not_json" == house.run(define(act("odd", action="odd"))).error["code"]


def test_an_expression_that_fails_fails_its_step(house):
    """The message names what is missing; the run ends, nothing hangs."""
    run = house.run(define(act("bad", parameters={"x": "{{ workflow.parameters.nope.deep }}"})))

    assert RunStatus.FAILED == run.status
    assert "expression_missing" == run.error["code"]
    assert "nope" in run.error["message"]


@pytest.mark.parametrize("condition", ["1", "'yes'", "null"])
def test_a_condition_must_be_true_or_false(house, condition):
    """Nothing else counts as one of them."""
    run = house.run(define(ConditionStep(name="odd", condition=condition)))

    assert "not_a_condition" == run.error["code"]


def test_a_slow_attempt_times_out_and_counts_as_a_failure(house):
    """`timeout_seconds` bounds each attempt."""
    step = act("slow", action="sleep", timeout_seconds=0.05, retry=Retry(max_attempts=2, delay_seconds=0))

    run = house.run(define(step))

    assert ["timeout", "timeout"] == [step.error["code"] for step in house.steps(run.id)]
    assert "timeout" == run.error["code"]


def test_a_run_has_a_time_limit_of_its_own(house):
    """`timeout_minutes` fails the run and stops what is going."""
    run = house.run(define(act("slow", action="sleep"), settings=RunSettings(timeout_minutes=0.002)))

    assert (RunStatus.FAILED, "run_timeout") == (run.status, run.error["code"])
    assert {"slow": "cancelled"} == house.statuses(run.id)


def test_a_container_that_takes_too_long_fails(house):
    """A timeout on a loop stops what is going in it and takes its FAILURE branch."""
    loop = LoopStep(name="each", times=2, timeout_seconds=0.05, steps=Scope((act("slow", action="sleep"),)))

    run = house.run(define(loop, act("repair", Dependency("each", Branch.FAILURE))))

    assert RunStatus.COMPLETED == run.status
    assert {"each": "failed", "each[0]/slow": "cancelled", "repair": "completed"} == house.statuses(run.id)


def test_a_loop_gives_its_items_in_the_order_of_the_collection(house):
    """Items come out in order whatever order they finished in; a failed one is null and counted."""
    inside = Scope(
        (
            ConditionStep(name="odd", condition="server.bad"),
            act("break_it", Dependency("odd", Branch.IF_TRUE), action="fail", parameters={"retryable": False}),
            act("deploy", Dependency("odd", Branch.IF_FALSE), parameters={"name": "{{ server.name }}"}),
        )
    )
    loop = LoopStep(
        name="each",
        collection="{{ workflow.parameters.servers }}",
        item_variable="server",
        concurrency=3,
        on_item_failure=OnItemFailure.CONTINUE,
        output="{{ loop.index }}-{{ steps.deploy.output.name }}",
        steps=inside,
    )
    servers = [{"name": "a", "bad": False}, {"name": "b", "bad": True}, {"name": "c", "bad": False}]

    run = house.run(
        define(loop, outputs={"all": Output(value="{{ steps.each.output }}")}), parameters={"servers": servers}
    )

    assert {"items": ["0-a", None, "2-c"], "count": 3, "failed": 1} == run.output["all"]


def test_a_loop_runs_no_more_iterations_at_once_than_it_may(house):
    """`concurrency` bounds the iterations that are going."""
    loop = LoopStep(
        name="each", times=6, concurrency=2, steps=Scope((act("nap", action="sleep", parameters={"seconds": 0.02}),))
    )

    run = house.run(define(loop))

    going = most = 0
    for log in house.logs(run.id):
        if log.kind.value == "step" and log.path != "each":
            going += {"running": 1, "completed": -1}[log.data["status"]]
            most = max(most, going)
    assert 2 == most


def test_a_while_loop_sees_the_steps_of_its_last_iteration(house):
    """It goes on as long as its condition holds, and is bounded."""
    loop = LoopStep(
        name="poll",
        while_="index == 0 || steps.ask.output.n < 3",
        steps=Scope((act("ask", parameters={"n": "{{ index }}"}),)),
    )

    run = house.run(define(loop, outputs={"count": Output(value="{{ steps.poll.output.count }}")}))

    assert {"count": 4} == run.output


def test_a_while_loop_that_never_ends_is_an_error(house):
    """max_iterations is a bound, not a silent cut."""
    loop = LoopStep(name="poll", while_="true", max_iterations=5, steps=Scope((act("ask"),)))

    run = house.run(define(loop))

    assert "too_many_iterations" == run.error["code"]
    assert 5 == len(house.spy.calls)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"collection": [1, 2, 3], "max_iterations": 2}, "too_many_iterations"),
        ({"collection": "{{ workflow.parameters.n }}"}, "invalid_collection"),
        ({"times": -1}, "invalid_times"),
        ({"times": "{{ 'three' }}"}, "invalid_times"),
    ],
)
def test_a_loop_over_nothing_that_can_be_looped_over_fails(house, given, code):
    """Each wrong input has its own code."""
    run = house.run(define(LoopStep(name="each", steps=Scope((act("inside"),)), **given)), parameters={"n": 1})

    assert code == run.error["code"]


def test_nested_scopes_see_what_is_around_them(house):
    """A step inside sees its loop variables, its own scope and the scopes around it."""
    inner = LoopStep(
        name="inner",
        collection="{{ item.list }}",
        item_variable="leaf",
        steps=Scope((act("x", parameters={"v": "{{ steps.top.output.a }}{{ item.name }}{{ leaf }}{{ index }}"}),)),
    )
    outer = LoopStep(
        name="outer",
        collection=[{"name": "p", "list": [1, 2]}, {"name": "q", "list": [3]}],
        steps=Scope((ParallelStep(name="fan", steps=Scope((inner, act("side")))),)),
        depends_on=after("top"),
    )

    run = house.run(
        define(act("top", parameters={"a": "T"}), outer, outputs={"o": Output(value="{{ steps.outer.output.items }}")})
    )

    assert "Tp20" not in str(run.output)
    assert [["Tp10", "Tp21"], ["Tq30"]] == [[leaf["v"] for leaf in item["inner"]["items"]] for item in run.output["o"]]
    assert "outer[1]/fan/inner[0]/x" in house.spy.paths()


def test_the_first_end_wins_a_race_and_the_others_are_stopped(house):
    """`join: any, others: cancel` on a parallel."""
    race = ParallelStep(
        name="race",
        steps=Scope((act("slow", action="sleep"), act("quick"))),
        join=Join(JoinMode.ANY, others=OthersPolicy.CANCEL),
    )

    run = house.run(define(race, outputs={"won": Output(value="{{ steps.race.output }}")}))

    assert {"won": {"quick": {}}} == run.output
    assert {"race": "completed", "race/slow": "cancelled", "race/quick": "completed"} == house.statuses(run.id)


def test_a_step_that_waits_for_any_goes_on_at_once_and_leaves_the_others(house):
    """`join: any, others: keep`: the run ends only when the others have ended too."""
    nap = act("nap", action="sleep", parameters={"seconds": 0.1})
    meet = act("meet", "nap", "quick", join=Join(JoinMode.ANY))

    run = house.run(define(nap, act("quick"), meet))

    assert {"completed"} == set(house.statuses(run.id).values())
    order = [(log.path, log.data["status"]) for log in house.logs(run.id) if log.kind.value == "step"]
    assert order.index(("meet", "completed")) < order.index(("nap", "completed"))


def test_set_writes_into_the_context(house):
    """Later steps and the run's outputs read what `set` wrote."""
    steps = [
        SetStep(name="one", values={"total": 1}),
        SetStep(name="two", values={"total": "{{ context.total + 1 }}", "seen": "{{ steps.one.output.total }}"}),
    ]
    steps[1] = SetStep(name="two", values=steps[1].values, depends_on=after("one"))

    run = house.run(define(*steps, outputs={"t": Output(value="{{ context.total }}")}))

    assert ({"t": 2}, {"total": 2, "seen": 1}) == (run.output, run.context)


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED])
def test_stop_ends_the_run_at_once(house, status):
    """Whatever is going is stopped, and the run ends as the step says."""
    stop = StopStep(name="stop", status=status, message="enough", output={"x": 1}, depends_on=after("first"))

    run = house.run(define(act("slow", action="sleep"), act("first"), stop, act("later", "stop")))

    assert status == run.status
    assert {"slow": "cancelled", "first": "completed", "stop": "completed"} == house.statuses(run.id)
    assert {"x": 1} == run.output


def test_a_disabled_step_is_passed_over_and_what_follows_runs(house):
    """`enabled: false` skips the step with its SUCCESS edges live."""
    run = house.run(define(act("off", action="fail", enabled=False), act("next", "off")))

    assert {"off": "skipped", "next": "completed"} == house.statuses(run.id)


def test_a_wait_ends_when_its_first_alternative_comes_true(house):
    """It holds nothing while it waits, and says until when it waited."""
    soon = (datetime.now(UTC) + timedelta(seconds=0.3)).isoformat()
    wait = WaitStep(name="nap", alternatives=(WaitSeconds(60), WaitUntil(soon)))

    run = house.run(define(wait, act("next", "nap"), outputs={"u": Output(value="{{ steps.nap.output.until }}")}))

    assert {"u": soon} == run.output
    assert run.ended_at >= datetime.fromisoformat(soon)


@pytest.mark.parametrize("wrong", [WaitSeconds(-1), WaitSeconds("x"), WaitUntil("tomorrow"), WaitUntil("2030-01-01")])
def test_a_wait_for_no_moment_fails(house, wrong):
    """A wrong moment is the step's failure, with what to write instead."""
    assert "invalid_wait" == house.run(define(WaitStep(name="nap", alternatives=(wrong,)))).error["code"]


def test_an_output_that_cannot_be_given_fails_the_run(house):
    """The message names the output."""
    run = house.run(define(act("one"), outputs={"x": Output(value="{{ steps.one.output.nope }}")}))

    assert (RunStatus.FAILED, "x") == (run.status, run.error["output"])


def test_a_large_output_is_kept_apart_and_still_read(house):
    """Above 256 KiB the row holds only the key; whoever needs the value gets it."""
    big = act("big", action="big", parameters={"size": 300_000})
    following = act("next", "big", parameters={"n": "{{ size(steps.big.output.text) }}"})

    run = house.run(define(big, following))

    first = next(step for step in house.steps(run.id) if step.path == "big")
    assert (None, 64) == (first.output, len(first.output_hash))
    assert {"n": 300_000} in [arguments for *_, arguments in house.spy.calls]


def test_a_dry_run_answers_for_what_touches_the_world(house):
    """Fixtures first, then the action's example; what only computes is really called; the unknown gives {}."""
    unknown = ActionStep(name="unknown", action="other/thing", depends_on=after("pure"))
    run = house.run(
        define(
            act("a"),
            act("b", "a"),
            act("pure", "b", action="pure", parameters={"p": 1}),
            unknown,
            outputs={"all": Output(value="{{ [steps.a.output, steps.b.output, steps.unknown.output] }}")},
        ),
        dry_run=True,
        fixtures={"a": {"fixed": 1}},
    )

    assert {"all": [{"fixed": 1}, {"example": True}, {}]} == run.output
    assert ["pure"] == house.spy.paths()


def test_an_action_that_nobody_registered_fails(house):
    """The message names it."""
    run = house.run(define(ActionStep(name="x", action="no/such")))

    assert "unknown_action" == run.error["code"]
    assert "no/such" in run.error["message"]


def test_lines_and_notices_are_written_with_the_end_of_the_attempt(house):
    """What an action says is in the log; what it tells people is in the bell."""
    from sqlmodel import select

    from models import Notification, NotificationRecipient

    run = house.run(define(act("talk", action="talk")))

    lines = [(log.path, log.message, log.data) for log in house.logs(run.id) if log.kind.value == "line"]
    notices = house.query(lambda session: session.exec(select(Notification)).all())
    assert [("talk", "hello", {"number": 1})] == lines
    recipients = house.query(lambda session: session.exec(select(NotificationRecipient)).all())
    told = [(notice.title, notice.link, notice.is_for_everybody) for notice in sorted(notices, key=lambda n: n.title)]
    assert [("Look", f"/runs/{run.id}", True), ("Psst", f"/runs/{run.id}", False)] == told
    assert {"ada", "bob"} == {recipient.user_name for recipient in recipients}


def test_the_log_tells_every_change_in_order(house):
    """The feed: one row for each change of a step or of the run, with the progress."""
    run = house.run(define(act("a"), act("b", "a")))

    told = [(log.kind.value, log.path, log.data["status"], log.data.get("settled")) for log in house.logs(run.id)]
    assert [
        ("run", None, "running", None),
        ("step", "a", "running", 0),
        ("step", "a", "completed", 1),
        ("step", "b", "running", 1),
        ("step", "b", "completed", 2),
        ("run", None, "completed", None),
    ] == told


def test_every_row_of_an_ended_run_has_ended(house):
    """Whatever happened, nothing is left open."""
    fan = ParallelStep(
        name="fan", steps=Scope((act("slow", action="sleep"), act("bad", action="fail"), WaitStep(name="w")))
    )

    run = house.run(define(fan))

    assert all(step.status.is_terminal and step.ended_at for step in house.steps(run.id))
    assert StepStatus.FAILED.value == house.statuses(run.id)["fan"]


def test_what_an_invented_answer_does_not_say_is_empty_in_a_dry_run(house):
    """A dry run goes through a whole workflow although nobody really answers."""
    first = act("first")
    known = ConditionStep(name="known", condition="steps.first.output.deep.kind == 'vm'", depends_on=after("first"))
    given = {"all": "{{ steps.first.output }}", "id": "{{ steps.first.output.deep.id }}"}
    then = act("then", Dependency("known", Branch.IF_FALSE), parameters=given)

    run = house.run(define(first, known, then), dry_run=True)

    assert RunStatus.COMPLETED == run.status
    followed = next(step for step in house.steps(run.id) if step.path == "then")
    assert {"all": {"example": True}, "id": {}} == followed.input


def test_an_action_may_log_anything(house, actions):
    """What is no JSON, or no text, never ends a run: it is kept as it can be shown."""

    class Chatty(FakeAction):
        async def call(self, arguments, context):
            context.log(LogLevel.INFO, "odd \ud800", data=b"bytes", number=2**70, fine=[1])
            return {}

    actions["test/chatty"] = Chatty("test/chatty", house.spy)
    run = house.run(define(act("one", action="chatty")))

    (line,) = [line for line in house.logs(run.id) if line.message]
    assert RunStatus.COMPLETED == run.status
    assert ("odd ?", {"data": "b'bytes'", "number": str(2**70), "fine": [1]}) == (line.message, line.data)
