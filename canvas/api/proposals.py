"""Proposals over HTTP."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.domain.states import ProposalStatus
from canvas.services import proposals, views
from canvas.services.access import Permission

router = APIRouter(prefix="/proposals", tags=["proposals"], route_class=StrictJson)
Viewer = Annotated[Caller, needs(Permission.VIEW)]
Operator = Annotated[Caller, needs(Permission.RUN)]


class NewAction(BaseModel):
    """One action of a chain."""

    action: str = Field(min_length=1, max_length=200, examples=["log/event"])
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Values or templates; `steps.action_0.output` is what the first one gave."
    )
    reason: str = Field(default="", max_length=10_000)
    depends_on: int | None = Field(default=None, ge=0, description="Place in the list; left out, the one before it.")
    scheduled_at: AwareDatetime | None = Field(default=None, description="Not before; left out, at once.")
    max_retries: int = Field(default=3, ge=0, le=99)


class NewProposal(BaseModel):
    """A chain of actions to propose."""

    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=10_000)
    ticket_id: str | None = Field(default=None, max_length=200)
    expires_at: AwareDatetime | None = None
    actions: list[NewAction] = Field(min_length=1, max_length=100)


class Approval(BaseModel):
    """What is approved."""

    content_hash: str | None = Field(default=None, description="Of what you looked at; anything else is refused.")
    action_ids: list[str] | None = Field(default=None, description="Left out, the whole chain.")
    reason: str = Field(default="", max_length=10_000)


class Rejection(BaseModel):
    """Why it is turned down."""

    reason: str = Field(min_length=1, max_length=10_000)


class NewArguments(BaseModel):
    """Other arguments for an action."""

    parameters: dict[str, Any]


@router.post("", status_code=201, response_model=views.ProposalRow)
def create_proposal(caller: Operator, body: NewProposal) -> Response:
    """Propose a chain of actions; nothing runs before somebody approves it."""
    wishes = [proposals.ActionWish(**one.model_dump()) for one in body.actions]
    with caller.transaction() as session:
        made = proposals.propose(
            session,
            body.name,
            wishes,
            actor=caller.actor,
            description=body.description,
            ticket_id=body.ticket_id,
            expires_at=body.expires_at,
        )
        return answer(views.proposal_row(session, made), 201)


@router.get("", response_model=views.ProposalPage)
def list_proposals(
    caller: Viewer,
    status: Annotated[list[ProposalStatus] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str, Query(max_length=26)] = "",
) -> Response:
    """List proposals, the newest first."""
    with caller.reading() as session:
        return answer(views.proposal_page(session, statuses=status or (), limit=limit, cursor=cursor))


@router.get("/{proposal_id}", response_model=views.ProposalRow)
def read_proposal(caller: Viewer, proposal_id: str) -> Response:
    """Give one proposal with its chain."""
    with caller.reading() as session:
        return answer(views.proposal_row(session, proposal_id))


@router.put("/{proposal_id}/actions/{action_id}", response_model=views.ProposalRow)
def change_arguments(caller: Operator, proposal_id: str, action_id: str, body: NewArguments) -> Response:
    """Give an action other arguments, before the proposal is decided on."""
    with caller.transaction() as session:
        proposals.change_arguments(session, proposal_id, action_id, body.parameters, now=_now())
        return answer(views.proposal_row(session, proposal_id))


@router.post("/{proposal_id}/approve", response_model=views.ProposalRow)
def approve(caller: Operator, proposal_id: str, body: Approval) -> Response:
    """Let the chain run, wholly or in part."""
    with caller.transaction() as session:
        proposals.approve(
            session,
            proposal_id,
            actor=caller.actor,
            now=_now(),
            content_hash=body.content_hash,
            action_ids=body.action_ids,
            four_eyes=caller.settings.four_eyes,
            reason=body.reason,
        )
        return answer(views.proposal_row(session, proposal_id))


@router.post("/{proposal_id}/reject", response_model=views.ProposalRow)
def reject(caller: Operator, proposal_id: str, body: Rejection) -> Response:
    """Turn the chain down."""
    with caller.transaction() as session:
        proposals.reject(session, proposal_id, actor=caller.actor, now=_now(), reason=body.reason)
        return answer(views.proposal_row(session, proposal_id))


@router.post("/{proposal_id}/cancel", response_model=views.ProposalRow)
def cancel(caller: Operator, proposal_id: str) -> Response:
    """Take the chain back, or stop its run."""
    with caller.transaction() as session:
        proposals.cancel(session, proposal_id, actor=caller.actor, now=_now())
        return answer(views.proposal_row(session, proposal_id))


def _now() -> datetime:
    return datetime.now(UTC)
