"""What somebody suggests to do: a chain of actions that waits for approval and then runs."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from canvas.domain.states import ProposalStatus
from models.columns import Row, json_field, utc_now, word

_IS_SCHEDULED = text("scheduled_at IS NOT NULL")
_IS_RETRYING = text("next_retry_at IS NOT NULL")


class WorkflowProposal(Row, table=True):
    """A chain of proposed actions. Its status is that of its run once it is approved."""

    __tablename__ = "workflow_proposal"
    __table_args__ = (
        CheckConstraint("length(name) > 0", name="name_not_empty"),
        Index(None, "status", "id"),
    )

    name: str = Field(max_length=200)
    description: str = ""
    ticket_id: str | None = Field(default=None, max_length=200, index=True)
    status: ProposalStatus = Field(default=ProposalStatus.PROPOSED, sa_type=word(ProposalStatus))
    content_hash: str = Field(max_length=64)
    "SHA-256, in hex, of what an approval covers."
    proposed_by: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    decision_reason: str = ""
    expires_at: datetime | None = None
    run_id: str | None = Field(default=None, max_length=26, index=True)
    error: dict[str, Any] | None = json_field(default=None, nullable=True)
    updated_at: datetime = Field(default_factory=utc_now)
    revision: int = 0


class ActionProposal(Row, table=True):
    """One action of a chain. What it does when is decided by the run of the chain."""

    __tablename__ = "action_proposal"
    __table_args__ = (
        UniqueConstraint("workflow_id", "execution_order"),
        CheckConstraint("execution_order >= 0", name="order_not_negative"),
        CheckConstraint("retry_count >= 0 AND max_retries >= 0", name="counts_not_negative"),
        CheckConstraint("depends_on_proposal_id IS NULL OR depends_on_proposal_id <> id", name="not_on_itself"),
        Index(
            "ix_action_proposal_scheduled_at",
            "scheduled_at",
            sqlite_where=_IS_SCHEDULED,
            postgresql_where=_IS_SCHEDULED,
        ),
        Index(
            "ix_action_proposal_next_retry_at",
            "next_retry_at",
            sqlite_where=_IS_RETRYING,
            postgresql_where=_IS_RETRYING,
        ),
    )

    workflow_id: str = Field(foreign_key="workflow_proposal.id", ondelete="CASCADE", max_length=26)
    "The chain it belongs to; a single action is a chain of one."
    execution_order: int
    depends_on_proposal_id: str | None = Field(
        default=None, foreign_key="action_proposal.id", ondelete="CASCADE", max_length=26
    )
    "None: the one before it in the order."
    action: str = Field(max_length=200)
    parameters: dict[str, Any] = json_field(default_factory=dict)
    reason: str = ""
    is_approved: bool | None = None
    "None until somebody decided."
    status: ProposalStatus = Field(default=ProposalStatus.PROPOSED, sa_type=word(ProposalStatus))
    scheduled_at: datetime | None = None
    "Not before; None is at once."
    retry_count: int = 0
    max_retries: int = 3
    next_retry_at: datetime | None = None
    last_error: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
