"""Chains of proposed actions: what is wrong with one, and what carries one out."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.catalog import ActionSpec, Catalog
from canvas.domain.dsl import from_document, to_document
from canvas.domain.proposals import (
    MAX_ACTIONS,
    ProposedAction,
    chain_hash,
    chain_problems,
    compile_chain,
    missing_sources,
    sources_of,
)
from canvas.domain.states import ProposalStatus, RunStatus, StepStatus
from canvas.domain.steps import ActionStep, WaitStep
from canvas.domain.validation import validate

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ECHO = ActionSpec(
    name="test/echo",
    title="Echo",
    description="For tests.",
    category="test",
    arguments_schema={"type": "object"},
    result_schema={},
    example_arguments={},
    example_result={},
    idempotent=True,
)
CATALOG = Catalog(actions={"test/echo": ECHO})


def one(order: int, **more) -> ProposedAction:
    return ProposedAction(action="test/echo", order=order, **more)


@st.composite
def chains(draw) -> list[ProposedAction]:
    """Chains without problems: an action depends on an earlier one, or on the one before it."""
    count = draw(st.integers(1, 12))
    chain = [
        one(
            order,
            depends_on=draw(st.none() | st.integers(0, order - 1)) if order else None,
            scheduled_at=draw(st.none() | st.just(NOON)),
            max_retries=draw(st.integers(0, 99)),
            parameters=draw(
                st.dictionaries(st.sampled_from("ab"), st.integers(-9, 9) | st.text("xyz", max_size=3), max_size=2)
            ),
        )
        for order in range(count)
    ]
    return draw(st.permutations(chain))


@given(chains())
def test_a_sound_chain_becomes_a_sound_definition(chain):
    """It has one action per proposed one, keeps its order, and can be written down and read back."""
    assert () == chain_problems(chain)
    definition = compile_chain("proposal_x", "X", chain)

    assert not [problem for problem in validate(definition, CATALOG) if problem.code in ("cycle", "unknown_step")]
    actions = [step for step in definition.scope.steps if isinstance(step, ActionStep)]
    assert [f"action_{order}" for order in range(len(chain))] == [step.name for step in actions]
    assert definition == from_document(to_document(definition)).definition


@given(chains())
def test_each_action_comes_after_what_it_depends_on(chain):
    """Directly, or by way of its own moment; and only the ends of the order have nothing before them."""
    steps = {step.name: step for step in compile_chain("proposal_x", "X", chain).scope.steps}
    for order, source in sources_of(chain).items():
        step = steps[f"action_{order}"]
        if isinstance(steps.get(f"moment_{order}"), WaitStep):
            assert [f"moment_{order}"] == [each.step for each in step.depends_on]
            step = steps[f"moment_{order}"]
        assert ([] if source is None else [f"action_{source}"]) == [each.step for each in step.depends_on]


def test_retries_pause_as_the_proposal_says():
    """1 s × 2ⁿ up to 60 s with jitter; as many tries as there are retries, and the first."""
    retry = compile_chain("p", "", [one(0, max_retries=3)]).scope.steps[0].retry

    assert (4, 1, "exponential", 60, True) == (
        retry.max_attempts,
        retry.delay_seconds,
        retry.backoff,
        retry.max_delay_seconds,
        retry.jitter,
    )


@pytest.mark.parametrize(
    ("chain", "code", "pointer"),
    [
        ([], "bad_chain", "/actions"),
        ([one(n) for n in range(MAX_ACTIONS + 1)], "bad_chain", "/actions"),
        ([one(0), one(0)], "duplicate_order", "/actions/1/execution_order"),
        ([one(0, depends_on=7)], "unknown_action", "/actions/0/depends_on"),
        ([one(0, depends_on=0)], "cycle", "/actions/0/depends_on"),
        ([one(0, depends_on=1), one(1)], "cycle", "/actions/0/depends_on"),
        ([one(0, max_retries=-1)], "out_of_bounds", "/actions/0/max_retries"),
    ],
)
def test_what_is_wrong_with_a_chain(chain, code, pointer):
    """Each is told by its code and its place."""
    assert [(code, pointer)] == [(problem.code, problem.pointer) for problem in chain_problems(chain)]


@given(chains(), st.data())
def test_an_approval_is_bound_to_everything_that_is_done(chain, data):
    """The hash does not depend on how the chain is listed, and changes with whatever decides what happens."""
    before = chain_hash("X", chain)
    assert before == chain_hash("X", list(reversed(chain)))
    place = data.draw(st.integers(0, len(chain) - 1))
    changes = {
        "action": "test/other",
        "parameters": {"c": 1},
        "scheduled_at": NOON.replace(year=2030),
        "max_retries": 100,
    }
    key = data.draw(st.sampled_from(sorted(changes)))
    changed = [replace(each, **{key: changes[key]}) if n == place else each for n, each in enumerate(chain)]

    assert before != chain_hash("X", changed)
    assert before != chain_hash("Y", chain)


def test_an_action_is_not_approved_without_what_it_depends_on():
    """Only named dependencies count; the order alone closes up."""
    chain = [one(0), one(1), one(2, depends_on=0)]

    assert {} == missing_sources(chain, {1})
    assert {2: 0} == missing_sources(chain, {1, 2})


def test_every_status_has_a_meaning():
    """No status of a run or a step run is without one for the proposal."""
    from canvas.domain.proposals import status_of_run, status_of_step

    assert all(isinstance(status_of_run(status), ProposalStatus) for status in RunStatus)
    assert all(isinstance(status_of_step(status), ProposalStatus) for status in StepStatus)
