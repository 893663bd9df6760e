"""Proposals: suggesting, deciding, and what is refused; runs of approved ones are in tests/engine."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from canvas.domain.states import ProposalStatus, RunStatus, TriggerType, WorkflowPurpose
from canvas.services import proposals, views
from canvas.services.access import Actor, Role
from canvas.services.catalog import catalog
from canvas.services.proposals import (
    ActionWish,
    AlreadyDecided,
    FourEyes,
    InvalidProposal,
    ProposalChanged,
    ProposalExpired,
    ProposalNotFound,
)
from models import Workflow, WorkflowRun

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AGENT, ANA, BOB = Actor("agent", Role.OPERATOR), Actor("ana", Role.OPERATOR), Actor("bob", Role.OPERATOR)


def note(text: str = "hi", **more) -> ActionWish:
    return ActionWish(action="log/event", parameters={"message": text}, **more)


@pytest.fixture
def propose(session: Session):
    """Propose a chain; gives its id."""

    def make(*wishes: ActionWish, **more) -> str:
        return proposals.propose(session, "Clean up", wishes or (note("a"), note("b"), note("c")), actor=AGENT, **more)

    return make


def row(session: Session, proposal_id: str) -> views.ProposalRow:
    session.flush()
    session.expire_all()
    return views.proposal_row(session, proposal_id)


def test_a_proposal_waits_for_a_decision(session, propose):
    """Nothing runs; the chain keeps its order, reasons, moments and dependencies."""
    later = NOON + timedelta(days=1)
    made = row(session, propose(note("a", reason="why"), note("b", scheduled_at=later), note("c", depends_on=0)))

    assert (ProposalStatus.PROPOSED, "agent", None) == (made.status, made.proposed_by, made.run_id)
    first, second, third = made.actions
    assert ("why", later, first.id, 3) == (
        first.reason,
        second.scheduled_at,
        third.depends_on_proposal_id,
        third.max_retries,
    )
    assert [] == session.exec(select(WorkflowRun)).all()


def test_every_problem_of_a_chain_is_told_at_once(propose):
    """With the place in the chain, also behind an action that waits for its moment."""
    wishes = (
        note(scheduled_at=NOON),
        ActionWish(action="log/evnt", scheduled_at=NOON),
        ActionWish(action="log/event", parameters={"mesage": "x"}),
    )
    with pytest.raises(InvalidProposal) as caught:
        propose(*wishes)

    assert {
        ("unknown_action", "/actions/1/action"),
        ("unknown_parameter", "/actions/2/parameters/mesage"),
        ("missing_parameter", "/actions/2/parameters/message"),
    } == {(problem["code"], problem["pointer"]) for problem in caught.value.details["problems"]}


def test_values_that_no_document_can_hold_are_refused(propose):
    """They would be accepted now and fail at the approval."""
    with pytest.raises(InvalidProposal, match="64 bits"):
        propose(ActionWish(action="log/event", parameters={"message": "x", "data": {"n": 2**64}}))


def test_an_approval_starts_a_run_that_is_no_workflow_of_anybody(session, propose):
    """The run names the proposal; no list of workflows, no link and no catalogue shows what it was compiled into."""
    proposal_id = propose()
    run_id = proposals.approve(session, proposal_id, actor=ANA, now=NOON)

    run = session.get_one(WorkflowRun, run_id)
    assert (TriggerType.PROPOSAL, RunStatus.PENDING, "ana") == (run.trigger_type, run.status, run.triggered_by)
    assert {"proposal_id": proposal_id, "proposed_by": "agent", "approved_by": "ana"} == run.trigger_data
    assert WorkflowPurpose.PROPOSAL == session.get_one(Workflow, run.workflow_id).purpose
    assert [] == views.workflow_cards(session) == views.workflow_names(session)
    assert {} == catalog(session).workflows
    assert (ProposalStatus.PENDING, "ana", NOON) == tuple(
        getattr(row(session, proposal_id), key) for key in ("status", "decided_by", "decided_at")
    )


def test_a_part_of_a_chain_can_be_approved(session, propose):
    """What is not chosen is rejected; what depends on it by name cannot be chosen."""
    proposal_id = propose(note("a"), note("b"), note("c", depends_on=1))
    first, second, third = row(session, proposal_id).actions
    with pytest.raises(InvalidProposal, match="3 needs 2"):
        proposals.approve(session, proposal_id, actor=ANA, now=NOON, action_ids=[first.id, third.id])
    proposals.approve(session, proposal_id, actor=ANA, now=NOON, action_ids=[second.id, third.id])

    assert [ProposalStatus.REJECTED, ProposalStatus.PENDING, ProposalStatus.PENDING] == [
        one.status for one in row(session, proposal_id).actions
    ]


def test_a_changed_proposal_has_to_be_looked_at_again(session, propose):
    """An approval is bound to the exact content."""
    proposal_id = propose()
    seen = row(session, proposal_id)
    proposals.change_arguments(session, proposal_id, seen.actions[0].id, {"message": "other"}, now=NOON)

    with pytest.raises(ProposalChanged):
        proposals.approve(session, proposal_id, actor=ANA, now=NOON, content_hash=seen.content_hash)
    with pytest.raises(InvalidProposal):
        proposals.change_arguments(session, proposal_id, seen.actions[0].id, {"nonsense": 1}, now=NOON)


@pytest.mark.parametrize("first", ["approve", "reject", "cancel"])
def test_one_decision_wins(session, propose, first):
    """Whoever comes second is told what was decided."""
    proposal_id = propose()
    decisions = {
        "approve": lambda actor: proposals.approve(session, proposal_id, actor=actor, now=NOON),
        "reject": lambda actor: proposals.reject(session, proposal_id, actor=actor, now=NOON, reason="no"),
        "cancel": lambda actor: proposals.cancel(session, proposal_id, actor=actor, now=NOON),
    }
    decisions[first](ANA)

    for second in ("approve", "reject"):
        with pytest.raises(AlreadyDecided):
            decisions[second](BOB)


def test_nobody_approves_what_they_proposed_when_four_eyes_are_wanted(session, propose):
    """The setting is for everybody, whatever their role."""
    proposal_id = propose()
    with pytest.raises(FourEyes):
        proposals.approve(session, proposal_id, actor=AGENT, now=NOON, four_eyes=True)

    assert proposals.approve(session, proposal_id, actor=ANA, now=NOON, four_eyes=True)


def test_a_proposal_expires(session, propose):
    """After that nobody can approve it, and it is closed as expired."""
    proposal_id = propose(expires_at=NOON)
    with pytest.raises(ProposalExpired):
        proposals.approve(session, proposal_id, actor=ANA, now=NOON)

    assert 0 == proposals.expire_proposals(session, now=NOON - timedelta(seconds=1))
    assert 1 == proposals.expire_proposals(session, now=NOON)
    assert ProposalStatus.EXPIRED == row(session, proposal_id).status


def test_unknown_proposals_are_told(session, propose):
    """Each call says so in the same way."""
    proposal_id = propose()
    with pytest.raises(ProposalNotFound):
        proposals.approve(session, "nothing", actor=ANA, now=NOON)
    with pytest.raises(ProposalNotFound):
        proposals.change_arguments(session, proposal_id, "nothing", {}, now=NOON)
