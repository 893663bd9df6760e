"""Approved proposals run on the engine, and show at every moment what their runs do."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from canvas.actions.failures import ActionFailed
from canvas.db import reading, transaction
from canvas.domain.states import ProposalStatus, RunStatus
from canvas.services import proposals, views
from canvas.services.access import Actor, Role
from canvas.services.proposals import ActionWish
from tests.engine.conftest import FakeAction
from tests.engine.test_wishes import until

AGENT, ANA = Actor("agent", Role.OPERATOR), Actor("ana", Role.OPERATOR)


@dataclass
class Noting(FakeAction):
    """Stands for `log/event`; fails as often as the message says."""

    failures: dict[str, int] = field(default_factory=dict)

    async def call(self, arguments: Any, context: Any) -> Any:
        await super().call(arguments, context)
        message = arguments["message"]
        if self.failures.get(message, 0) > 0:
            self.failures[message] -= 1
            raise ActionFailed(f"{message} did not work", retryable=True)
        return {"said": message}


@pytest.fixture
def noting(actions, spy) -> Noting:
    actions["log/event"] = Noting("log/event", spy)
    return actions["log/event"]


@dataclass
class Desk:
    """Where proposals are made and decided on."""

    settings: Any

    def propose(self, *wishes: ActionWish) -> str:
        with transaction(self.settings) as session:
            return proposals.propose(session, "Chain", wishes, actor=AGENT)

    def approve(self, proposal_id: str, **more: Any) -> str:
        with transaction(self.settings) as session:
            return proposals.approve(session, proposal_id, actor=ANA, now=datetime.now(UTC), **more)

    def cancel(self, proposal_id: str) -> None:
        with transaction(self.settings) as session:
            proposals.cancel(session, proposal_id, actor=ANA, now=datetime.now(UTC))

    def row(self, proposal_id: str) -> views.ProposalRow:
        with reading(self.settings) as session:
            return views.proposal_row(session, proposal_id)

    def statuses(self, proposal_id: str) -> list[str]:
        return [one.status.value for one in self.row(proposal_id).actions]


@pytest.fixture
def desk(settings) -> Desk:
    return Desk(settings)


def note(text: str, **more: Any) -> ActionWish:
    return ActionWish(action="log/event", parameters={"message": text}, **more)


def test_a_chain_runs_in_its_order(house, noting, desk):
    """Each action after the one before it; later ones see what earlier ones gave."""
    proposal_id = desk.propose(note("a"), note("{{ steps.action_0.output.said }}b"), note("c"))
    run_id = desk.approve(proposal_id)
    assert RunStatus.COMPLETED == house.engine().wait(run_id)

    row = desk.row(proposal_id)
    assert (ProposalStatus.COMPLETED, run_id, ["completed"] * 3) == (row.status, row.run_id, desk.statuses(proposal_id))
    assert ["a", "ab", "c"] == [arguments["message"] for _, _, _, arguments in noting.spy.calls]
    assert all(one.started_at and one.ended_at and one.retry_count == 0 for one in row.actions)


def test_nothing_runs_after_a_failure(house, noting, desk):
    """The action that failed says why; those after it are cancelled."""
    noting.failures["b"] = 99
    proposal_id = desk.propose(note("a"), note("b", max_retries=0), note("c"))
    assert RunStatus.FAILED == house.engine().wait(desk.approve(proposal_id))

    row = desk.row(proposal_id)
    assert (ProposalStatus.FAILED, ["completed", "failed", "cancelled"]) == (row.status, desk.statuses(proposal_id))
    assert "b did not work" == row.actions[1].last_error
    assert "b did not work" in row.error["message"]


def test_a_retry_is_seen(house, noting, desk):
    """How often, when next, and what went wrong; then it goes on by itself."""
    noting.failures["a"] = 1
    proposal_id = desk.propose(note("a"))
    run_id = desk.approve(proposal_id)
    engine = house.engine()
    until(lambda: desk.row(proposal_id).actions[0].next_retry_at)

    waiting = desk.row(proposal_id).actions[0]
    assert (ProposalStatus.IN_PROGRESS, 1, "a did not work") == (
        waiting.status,
        waiting.retry_count,
        waiting.last_error,
    )
    assert RunStatus.COMPLETED == engine.wait(run_id)
    ended = desk.row(proposal_id).actions[0]
    assert (ProposalStatus.COMPLETED, 1, None) == (ended.status, ended.retry_count, ended.next_retry_at)


def test_cancelling_a_chain_cancels_what_is_left_at_once(house, noting, desk):
    """Also an action that waits for its moment."""
    proposal_id = desk.propose(note("a"), note("b", scheduled_at=datetime.now(UTC) + timedelta(hours=1)), note("c"))
    run_id = desk.approve(proposal_id)
    engine = house.engine()
    until(lambda: desk.statuses(proposal_id)[0] == "completed")
    desk.cancel(proposal_id)
    assert RunStatus.CANCELLED == engine.wait(run_id)

    assert (ProposalStatus.CANCELLED, ["completed", "cancelled", "cancelled"]) == (
        desk.row(proposal_id).status,
        desk.statuses(proposal_id),
    )


def test_a_moment_that_passed_while_nothing_ran_is_made_up_for_once(house, noting, desk):
    """The scheduled action runs at once when the engine is back, and never twice."""
    proposal_id = desk.propose(note("a", scheduled_at=datetime.now(UTC) - timedelta(hours=1)))
    run_id = desk.approve(proposal_id)
    assert RunStatus.COMPLETED == house.engine().wait(run_id)
    house.engine()

    assert 1 == len(noting.spy.calls)


def test_only_what_was_approved_runs(house, noting, desk):
    """The rest stays rejected."""
    proposal_id = desk.propose(note("a"), note("b"), note("c"))
    chosen = [desk.row(proposal_id).actions[place].id for place in (0, 2)]
    assert RunStatus.COMPLETED == house.engine().wait(desk.approve(proposal_id, action_ids=chosen))

    assert ["completed", "rejected", "completed"] == desk.statuses(proposal_id)
    assert ["a", "c"] == [arguments["message"] for _, _, _, arguments in noting.spy.calls]
