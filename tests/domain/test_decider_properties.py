"""Hypothesis plays every worker, every clock and every person against the decider, on any definition."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canvas.domain.actions import Body, Invariant, UserAction
from canvas.domain.decider import (
    CancelRequested,
    Completed,
    PauseRequested,
    ResumeRequested,
    StopAttempt,
    decide,
    evolve,
    snapshot,
)
from canvas.domain.definition import Definition, walk
from canvas.domain.states import JoinMode, OnError, OnItemFailure, RunStatus, StepStatus, StepType
from canvas.domain.steps import ActionStep, Join, LoopStep, Scope, Step
from tests.domain.simulation import PEOPLE, World
from tests.domain.strategies import definitions

MANY = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
NO_STOP = tuple(one for one in StepType if one is not StepType.STOP)
MAX_TURNS = 3_000


def with_all_joins(scope: Scope, drawn: st.DataObject) -> Scope:
    """Give some joins the mode `all`, which the definitions do not draw."""
    return Scope(tuple(with_join(step, drawn) for step in scope.steps))


def with_join(step: Step, drawn: st.DataObject) -> Step:
    if step.scope is not None:
        step = replace(step, steps=with_all_joins(step.scope, drawn))
    if (step.depends_on or step.scope is not None) and drawn.draw(st.integers(0, 3)) == 0:
        return replace(step, join=Join(JoinMode.ALL))
    return step


INVARIANTS = ("output != null", "has(output.at)", "has(output.child)", "size(args) < 1", "false && has(args.x)")


def drawn_actions(definition: Definition, data: st.DataObject) -> dict[str, UserAction]:
    """Let some of the actions that a definition names be user-defined, of either kind; some invariants break."""
    bodies = (None, Body(action="test/echo", parameters={"all": "{{ args }}"}), Body(workflow="other"))
    names = {placed.step.action for placed in walk(definition.scope) if isinstance(placed.step, ActionStep)}
    found = {}
    for name in sorted(names):
        if (body := data.draw(st.sampled_from(bodies))) is not None:
            texts = data.draw(st.lists(st.sampled_from(INVARIANTS), max_size=2, unique=True))
            kept = tuple(Invariant(text=text) for text in texts)
            found[name] = UserAction(name=name, inputs_schema={"type": "object"}, invariants=kept, body=body)
    return found


def drawn_world(definition: Definition, data: st.DataObject) -> World:
    actions = drawn_actions(definition, data)
    world = World(replace(definition, scope=with_all_joins(definition.scope, data)), actions)
    world.begin()
    return world


def play(world: World, data: st.DataObject, *, people: bool = False, losses: bool = False, check=None) -> None:
    """Let things happen in any order until the run has ended."""
    for _ in range(MAX_TURNS):
        if check is not None:
            check(world)
        if world.status.is_terminal:
            return
        choices = world.choices(with_losses=losses)
        if world.status is RunStatus.PAUSED and (not choices or data.draw(st.integers(0, 3)) == 0):
            choices = [ResumeRequested()]
        elif people and data.draw(st.integers(0, 9)) == 0:
            choices = list(PEOPLE)
        assert choices, f"stuck: {snapshot(world.state)}"
        world.tick()
        world.tell(*data.draw(st.lists(st.sampled_from(choices), min_size=1, max_size=3, unique_by=id)))
    raise AssertionError("it does not end")


def reload_is_equal(world: World) -> None:
    """What is rebuilt from the rows is what is in memory, and has nothing to add."""
    if world.status.is_terminal or world.is_stopping_on_wish():
        return  # the wish is no row of a step; whoever loads the run brings it again
    loaded = world.reload()

    assert snapshot(world.state) == snapshot(loaded)
    if not world.status.is_terminal and world.status is not RunStatus.PAUSED:
        said = [one for one in decide(loaded, world.now) if not isinstance(one, StopAttempt)]  # asked twice is asked
        assert [] == said
        assert snapshot(world.state) == snapshot(loaded)


@MANY
@given(definition=definitions(), data=st.data())
def test_every_run_ends_and_no_step_jumps_the_queue(definition, data):
    """Whatever happens in whatever order: the run ends, dependencies come first, attempts stay in bounds."""
    world = drawn_world(definition, data)

    play(world, data, people=True, losses=True)

    assert [] == world.open_rows()


@MANY
@given(definition=definitions(), data=st.data())
def test_a_restart_at_any_moment_changes_nothing(definition, data):
    """The state loaded from the rows equals the state in memory, after every transition."""
    world = drawn_world(definition, data)

    play(world, data, people=True, losses=True, check=reload_is_equal)


@MANY
@given(definition=definitions(), data=st.data())
def test_a_run_goes_on_from_its_rows_as_if_nothing_had_happened(definition, data):
    """Memory may be thrown away after every transition."""
    world = drawn_world(definition, data)

    def forget(world: World) -> None:
        if not world.is_stopping_on_wish():
            world.state, world.was_reloaded = world.reload(), True

    play(world, data, losses=True, check=forget)

    assert [] == world.open_rows()


@MANY
@given(definition=definitions(), data=st.data())
def test_equal_facts_in_equal_order_give_equal_commands(definition, data):
    """The decider has no clock, no randomness and no memory but its state."""
    world = drawn_world(definition, data)
    play(world, data, people=True, losses=True)

    again = World(world.definition, world.actions)
    facts = iter(world.facts)
    for told in world.told:
        batch = []
        while len(batch) < world.batches[len(again.told)]:
            outcome, again.now = next(facts)
            batch.append(outcome)
        assert told == again.tell(*batch)


@MANY
@given(definition=definitions(), data=st.data())
def test_cancelling_at_any_moment_leaves_nothing_open(definition, data):
    """A cancelled run ends as soon as its attempts have stopped, and no row is left that has not ended."""
    world = drawn_world(definition, data)
    for _ in range(data.draw(st.integers(0, 12))):
        choices = world.choices()
        if world.status.is_terminal or not choices:
            break
        world.tell(data.draw(st.sampled_from(choices)))
    if data.draw(st.booleans()) and not world.status.is_terminal:
        world.tell(PauseRequested())
    was_ended, was_ending = world.status.is_terminal, world.state.verdict is not None

    world.tell(CancelRequested())
    while not world.status.is_terminal:
        world.tell(data.draw(st.sampled_from(world.choices(with_losses=False))))

    assert [] == world.open_rows()
    assert was_ended or was_ending or RunStatus.CANCELLED == world.status


def tolerant(scope: Scope) -> Scope:
    """Let every failure be handled, and no join race: what comes out is then the same in any order."""
    return Scope(tuple(tolerant_step(step) for step in scope.steps))


def tolerant_step(step: Step) -> Step:
    step = replace(step, on_error=OnError.CONTINUE, join=Join(), timeout_seconds=None)
    if step.scope is not None:
        step = replace(step, steps=tolerant(step.scope))
    return replace(step, on_item_failure=OnItemFailure.CONTINUE) if isinstance(step, LoopStep) else step


def final_statuses(world: World) -> dict[str, tuple]:
    return {path: (row.status, row.branch, row.attempt) for path, row in world.latest.items()}


@MANY
@given(definition=definitions(types=tuple(t for t in NO_STOP if t is not StepType.SET)), data=st.data())
def test_independent_outcomes_commute(definition, data):
    """In whatever order the same answers come in, every step comes out the same."""
    definition = replace(definition, scope=tolerant(definition.scope), outputs={})
    fails = data.draw(st.sets(st.integers(0, 6)))

    def settle(order: st.DataObject | None) -> World:
        world = World(definition)
        world.begin()
        while not world.status.is_terminal:
            choices = sorted(world.choices(with_losses=False), key=lambda one: (one.path, type(one).__name__))
            paths = sorted({one.path for one in choices})
            path = paths[0] if order is None else order.draw(st.sampled_from(paths))
            wanted = [one for one in choices if one.path == path]
            failing = len(path) % 7 in fails
            chosen = next((one for one in wanted if isinstance(one, Completed) is not failing), wanted[0])
            world.tell(chosen)
        return world

    assert final_statuses(settle(None)) == final_statuses(settle(data))


@MANY
@given(definition=definitions(), data=st.data())
def test_a_late_or_doubled_outcome_changes_nothing(definition, data):
    """What has ended stays as it is, however often and late it is reported again."""
    world = drawn_world(definition, data)
    play(world, data, losses=True)
    before = snapshot(world.state)

    for outcome, _ in world.facts:
        evolve(world.state, outcome)

    assert () == decide(world.state, world.now)
    assert before == snapshot(world.state)
    assert all(row.status in set(StepStatus) for row in world.latest.values())
