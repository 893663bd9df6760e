"""Proposals: suggesting a chain of actions, deciding on it, and having it carried out as a run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain.dsl import from_document, to_document
from canvas.domain.errors import Conflict, Forbidden, Invalid, NotFound
from canvas.domain.problems import Problem
from canvas.domain.proposals import (
    ProposedAction,
    chain_hash,
    chain_problems,
    compile_chain,
    missing_sources,
)
from canvas.domain.states import ProposalStatus, TriggerType, WorkflowPurpose
from canvas.domain.validation import validate
from canvas.services.access import Actor
from canvas.services.catalog import catalog
from canvas.services.compiled import start_compiled
from canvas.services.runs import RunAlreadyFinished, cancel_run
from models import ActionProposal, WorkflowProposal

MAX_NAME_LENGTH = 200
MAX_TEXT_LENGTH = 10_000


class ProposalNotFound(NotFound):
    """There is no such proposal."""

    code = "proposal_not_found"


class InvalidProposal(Invalid):
    """The chain cannot be proposed as it stands."""

    code = "invalid_proposal"


class AlreadyDecided(Conflict):
    """Somebody has decided on this proposal already."""

    code = "already_decided"


class ProposalChanged(Conflict):
    """The proposal is not what was looked at; look at it again before deciding."""

    code = "proposal_changed"


class ProposalExpired(Conflict):
    """The proposal has expired."""

    code = "proposal_expired"


class FourEyes(Forbidden):
    """Whoever proposes something cannot approve it."""

    code = "four_eyes"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionWish:
    """One action of a chain as somebody proposes it."""

    action: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    depends_on: int | None = None
    "The place in the list, from 0, of the action that has to complete first; None is the one before it."
    scheduled_at: datetime | None = None
    max_retries: int = 3


def propose(
    session: Session,
    name: str,
    actions: Sequence[ActionWish],
    *,
    actor: Actor,
    description: str = "",
    ticket_id: str | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Suggest a chain of actions; gives the proposal's id. Nothing runs before somebody approves it.

    Raises:
        InvalidProposal: an action, its arguments or the order make no sense; `problems` names everything at once.
    """
    if not 0 < len(name.strip()) <= MAX_NAME_LENGTH or len(description) > MAX_TEXT_LENGTH:
        raise InvalidProposal(f"A proposal has a name of 1 to {MAX_NAME_LENGTH} characters.", problems=[])
    chain = [_proposed(order, wish) for order, wish in enumerate(actions)]
    _require_sound(session, chain)
    row = WorkflowProposal(
        name=name.strip(),
        description=description,
        ticket_id=ticket_id,
        content_hash=chain_hash(name.strip(), chain),
        proposed_by=actor.name,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    rows = [_row(row, one) for one in chain]
    session.add_all(rows)
    for one, kept in zip(chain, rows, strict=True):
        kept.depends_on_proposal_id = None if one.depends_on is None else rows[one.depends_on].id
    session.flush()
    return row.id


def change_arguments(
    session: Session, proposal_id: str, action_id: str, parameters: Mapping[str, Any], *, now: datetime
) -> None:
    """Give an action other arguments before anybody approved it; who looked at the old ones has to look again.

    Raises:
        ProposalNotFound: there is no such proposal, or no such action in it.
        AlreadyDecided: it is too late.
        InvalidProposal: the arguments do not fit.
    """
    row = _find(session, proposal_id, now=now)
    kept = _actions(session, row)
    chosen = next((one for one in kept if one.id == action_id), None)
    if chosen is None:
        raise ProposalNotFound(f"There is no action {action_id!r} in this proposal.")
    chosen.parameters = dict(parameters)
    chain = _chain(kept)
    _require_sound(session, chain)
    row.content_hash = chain_hash(row.name, chain)
    row.updated_at, row.revision = now, row.revision + 1


def approve(
    session: Session,
    proposal_id: str,
    *,
    actor: Actor,
    now: datetime,
    content_hash: str | None = None,
    action_ids: Collection[str] | None = None,
    four_eyes: bool = False,
    reason: str = "",
) -> str:
    """Let a proposal run, wholly or the chosen actions of it; gives the run's id.

    The approval covers scheduled actions of the chain too.

    Args:
        content_hash: What the approver looked at; None approves whatever it is now.
        action_ids: None approves all.
        four_eyes: Whether the proposer is refused.

    Raises:
        ProposalNotFound, AlreadyDecided, ProposalExpired, ProposalChanged, FourEyes: it cannot be approved.
        InvalidProposal: a chosen action depends on one that is not chosen, or does not fit the catalogue any more.
    """
    row = _find(session, proposal_id, now=now)
    if four_eyes and actor.name == row.proposed_by:
        raise FourEyes("Whoever proposes something cannot approve it; somebody else has to.")
    if content_hash is not None and content_hash != row.content_hash:
        raise ProposalChanged("The proposal was changed since you looked at it.", content_hash=row.content_hash)
    kept = _actions(session, row)
    chosen = _chosen(kept, action_ids)
    approved = [one for one in _chain(kept) if one.order in chosen]
    _require_sources(_chain(kept), chosen)
    _require_sound(session, approved)
    for one in kept:
        one.is_approved = one.execution_order in chosen
        one.status = ProposalStatus.PENDING if one.is_approved else ProposalStatus.REJECTED
    row.status = ProposalStatus.PENDING
    _decide(row, actor, now, reason)
    definition = compile_chain(f"proposal_{row.id.lower()}", row.name, approved)
    row.run_id = start_compiled(
        session,
        definition,
        WorkflowPurpose.PROPOSAL,
        trigger_type=TriggerType.PROPOSAL,
        trigger_data={"proposal_id": row.id, "proposed_by": row.proposed_by, "approved_by": actor.name},
        triggered_by=actor.name,
    )
    return row.run_id


def reject(session: Session, proposal_id: str, *, actor: Actor, now: datetime, reason: str) -> None:
    """Turn a proposal down.

    Raises:
        ProposalNotFound: there is no such proposal.
        AlreadyDecided: somebody was faster.
        Invalid: no reason is given.
    """
    if not reason.strip():
        raise Invalid("Say why: whoever proposed it wants to know.")
    row = _find(session, proposal_id, now=now)
    _close(session, row, ProposalStatus.REJECTED)
    _decide(row, actor, now, reason)


def cancel(session: Session, proposal_id: str, *, actor: Actor, now: datetime) -> None:
    """Take a proposal back, or stop its run: all actions that have not ended are cancelled at once.

    Raises:
        ProposalNotFound: there is no such proposal.
        AlreadyDecided: it has ended.
    """
    row = _locked(session, proposal_id)
    if row.status.is_terminal:
        raise AlreadyDecided(f"The proposal is {row.status} already.", status=row.status)
    if row.run_id is None:
        _close(session, row, ProposalStatus.CANCELLED)
        _decide(row, actor, now, "")
        return
    try:
        cancel_run(session, row.run_id)
    except RunAlreadyFinished as error:
        raise AlreadyDecided(str(error)) from None


def expire_proposals(session: Session, *, now: datetime) -> int:
    """Close what nobody decided on in time; gives how many."""
    rows = session.exec(select(WorkflowProposal).where(*_overdue(now)).with_for_update()).all()
    for row in rows:
        _close(session, row, ProposalStatus.EXPIRED)
    return len(rows)


def has_expired_proposals(session: Session, *, now: datetime) -> bool:
    """Tell whether `expire_proposals` would find something."""
    return session.exec(select(WorkflowProposal.id).where(*_overdue(now)).limit(1)).first() is not None


def _overdue(now: datetime) -> tuple[Any, ...]:
    return WorkflowProposal.status == ProposalStatus.PROPOSED, col(WorkflowProposal.expires_at) <= now


def _proposed(order: int, wish: ActionWish) -> ProposedAction:
    return ProposedAction(
        action=wish.action,
        parameters=wish.parameters,
        order=order,
        depends_on=wish.depends_on,
        scheduled_at=wish.scheduled_at,
        max_retries=wish.max_retries,
        reason=wish.reason,
    )


def _row(proposal: WorkflowProposal, one: ProposedAction) -> ActionProposal:
    return ActionProposal(
        workflow_id=proposal.id,
        execution_order=one.order,
        action=one.action,
        parameters=dict(one.parameters),
        reason=one.reason,
        scheduled_at=one.scheduled_at,
        max_retries=one.max_retries,
    )


def _chain(rows: Sequence[ActionProposal]) -> list[ProposedAction]:
    orders = {row.id: row.execution_order for row in rows}
    return [
        ProposedAction(
            action=row.action,
            parameters=row.parameters,
            order=row.execution_order,
            depends_on=orders.get(row.depends_on_proposal_id or ""),
            scheduled_at=row.scheduled_at,
            max_retries=row.max_retries,
            reason=row.reason,
        )
        for row in rows
    ]


def _require_sound(session: Session, chain: Sequence[ProposedAction]) -> None:
    problems = list(chain_problems(chain))
    if not problems:
        definition = compile_chain("proposal", "", chain)
        names = [step.name for step in definition.scope.steps]
        parsed = from_document(to_document(definition))
        found = parsed.problems if parsed.definition is None else validate(parsed.definition, catalog(session))
        problems = [_of_action(problem, names) for problem in found if problem.is_error]
    if problems:
        told = " ".join(problem.text for problem in problems)
        raise InvalidProposal(told, problems=[problem.to_json() for problem in problems])


def _of_action(problem: Problem, names: Sequence[str]) -> Problem:
    """Point into the chain instead of into the definition that was compiled from it."""
    _, _, place, *rest = [*problem.pointer.split("/"), "", ""]
    name = names[int(place)] if place.isdigit() else ""
    order = name.rpartition("_")[2]
    pointer = f"/actions/{order}/{'/'.join(rest)}".rstrip("/") if order else "/actions"
    return Problem(problem.code, problem.severity, pointer, problem.text, problem.hint)


def _chosen(rows: Sequence[ActionProposal], action_ids: Collection[str] | None) -> set[int]:
    if action_ids is None:
        return {row.execution_order for row in rows}
    unknown = set(action_ids) - {row.id for row in rows}
    if unknown or not action_ids:
        raise Invalid("Choose one or more actions of this proposal.", unknown=sorted(unknown))
    return {row.execution_order for row in rows if row.id in action_ids}


def _require_sources(chain: Sequence[ProposedAction], chosen: set[int]) -> None:
    missing = missing_sources(chain, chosen)
    if missing:
        told = ", ".join(f"{order + 1} needs {source + 1}" for order, source in missing.items())
        raise InvalidProposal(f"An approved action depends on one that is not approved: {told}.", problems=[])


def _decide(row: WorkflowProposal, actor: Actor, now: datetime, reason: str) -> None:
    row.decided_by, row.decided_at, row.decision_reason = actor.name, now, reason
    row.updated_at, row.revision = now, row.revision + 1


def _close(session: Session, row: WorkflowProposal, status: ProposalStatus) -> None:
    row.status = status
    for one in _actions(session, row):
        one.status = status


def _find(session: Session, proposal_id: str, *, now: datetime) -> WorkflowProposal:
    """Load a proposal that somebody may still decide on, and keep others from deciding meanwhile."""
    row = _locked(session, proposal_id)
    if row.status is not ProposalStatus.PROPOSED:
        raise AlreadyDecided(f"The proposal is {row.status} already.", status=row.status, decided_by=row.decided_by)
    if row.expires_at is not None and row.expires_at <= now:
        raise ProposalExpired(f"The proposal expired at {row.expires_at.isoformat()}.")
    return row


def _locked(session: Session, proposal_id: str) -> WorkflowProposal:
    query = select(WorkflowProposal).where(WorkflowProposal.id == proposal_id).with_for_update()
    row = session.exec(query).one_or_none()
    if row is None:
        raise ProposalNotFound(f"There is no proposal {proposal_id!r}.", proposal_id=proposal_id)
    return row


def _actions(session: Session, row: WorkflowProposal) -> Sequence[ActionProposal]:
    query = select(ActionProposal).where(ActionProposal.workflow_id == row.id)
    return session.exec(query.order_by(sa.asc(col(ActionProposal.execution_order)))).all()
