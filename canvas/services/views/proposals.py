"""Proposals as a list, and one with its chain."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from canvas.domain.states import ProposalStatus
from canvas.services.proposals import ProposalNotFound
from models import ActionProposal, WorkflowProposal

MAX_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedActionRow:
    """One action of a chain."""

    id: str
    execution_order: int
    depends_on_proposal_id: str | None
    action: str
    parameters: dict[str, Any]
    reason: str
    is_approved: bool | None
    status: ProposalStatus
    scheduled_at: datetime | None
    retry_count: int
    max_retries: int
    next_retry_at: datetime | None
    last_error: str | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRow:
    """A chain of proposed actions."""

    id: str
    created_at: datetime
    name: str
    description: str
    ticket_id: str | None
    status: ProposalStatus
    content_hash: str
    "What an approval is bound to."
    proposed_by: str
    decided_by: str
    decided_at: datetime | None
    decision_reason: str
    expires_at: datetime | None
    run_id: str | None
    error: dict[str, Any] | None
    revision: int
    actions: list[ProposedActionRow]


@dataclass(frozen=True, slots=True)
class ProposalPage:
    """Some proposals, and where to go on."""

    proposals: list[ProposalRow]
    next_cursor: str
    "Empty at the end."


def proposal_page(
    session: Session, *, statuses: Collection[ProposalStatus] = (), limit: int = 50, cursor: str = ""
) -> ProposalPage:
    """List proposals, the newest first.

    Args:
        cursor: `next_cursor` of the page before.
    """
    query = select(WorkflowProposal).order_by(col(WorkflowProposal.id).desc())
    if statuses:
        query = query.where(col(WorkflowProposal.status).in_(list(statuses)))
    if cursor:
        query = query.where(col(WorkflowProposal.id) < cursor)
    bound = max(1, min(limit, MAX_ROWS))
    rows = session.exec(query.limit(bound + 1)).all()
    page = _rows(session, rows[:bound])
    return ProposalPage(page, page[-1].id if len(rows) > bound else "")


def proposal_row(session: Session, proposal_id: str) -> ProposalRow:
    """Give one proposal with its chain.

    Raises:
        ProposalNotFound: there is none.
    """
    row = session.get(WorkflowProposal, proposal_id)
    if row is None:
        raise ProposalNotFound(f"There is no proposal {proposal_id!r}.", proposal_id=proposal_id)
    return _rows(session, [row])[0]


def _rows(session: Session, proposals: Sequence[WorkflowProposal]) -> list[ProposalRow]:
    chains: dict[str, list[ProposedActionRow]] = {row.id: [] for row in proposals}
    query = select(ActionProposal).where(col(ActionProposal.workflow_id).in_(list(chains)))
    for one in session.exec(query.order_by(col(ActionProposal.execution_order))).all():
        chains[one.workflow_id].append(_action(one))
    return [
        ProposalRow(
            id=row.id,
            created_at=row.created_at,
            name=row.name,
            description=row.description,
            ticket_id=row.ticket_id,
            status=row.status,
            content_hash=row.content_hash,
            proposed_by=row.proposed_by,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            decision_reason=row.decision_reason,
            expires_at=row.expires_at,
            run_id=row.run_id,
            error=row.error,
            revision=row.revision,
            actions=chains[row.id],
        )
        for row in proposals
    ]


def _action(one: ActionProposal) -> ProposedActionRow:
    return ProposedActionRow(
        id=one.id,
        execution_order=one.execution_order,
        depends_on_proposal_id=one.depends_on_proposal_id,
        action=one.action,
        parameters=one.parameters,
        reason=one.reason,
        is_approved=one.is_approved,
        status=one.status,
        scheduled_at=one.scheduled_at,
        retry_count=one.retry_count,
        max_retries=one.max_retries,
        next_retry_at=one.next_retry_at,
        last_error=one.last_error,
        started_at=one.started_at,
        ended_at=one.ended_at,
    )
