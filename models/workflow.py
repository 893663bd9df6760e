"""Workflows, their versions, and an index of the steps in each version."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from canvas.domain.states import ChangeType, StepType, WorkflowPurpose, WorkflowStatus
from models.columns import Row, json_field, utc_now, word


class Workflow(Row, table=True):
    """A named workflow and the draft of its next version."""

    __tablename__ = "workflow"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("length(name) > 0", name="name_not_empty"),
        CheckConstraint("draft_revision >= 0", name="draft_revision_not_negative"),
    )

    name: str = Field(max_length=120)
    purpose: WorkflowPurpose = Field(default=WorkflowPurpose.WORKFLOW, sa_type=word(WorkflowPurpose), index=True)
    title: str = ""
    description: str = ""
    status: WorkflowStatus = Field(default=WorkflowStatus.DRAFT, sa_type=word(WorkflowStatus), index=True)
    category: str = Field(default="", index=True)
    tags: list[str] = json_field(default_factory=list)
    is_public: bool = True
    created_by: str = ""
    updated_at: datetime = Field(default_factory=utc_now, index=True)
    draft: dict[str, Any] = json_field(default_factory=dict)
    "The canonical document being edited, without layout; may have problems."
    draft_layout: dict[str, Any] = json_field(default_factory=dict)
    draft_revision: int = 0
    "Grows by one with each change of the draft; an edit names the revision it started from."
    latest_version: int = 0
    "Number of the newest version; 0 when nothing was saved yet."
    published_version: int | None = None
    "Number of the version that triggers start; None when none does."


class WorkflowVersion(Row, table=True):
    """One saved definition. Never changes, except that it can be published again."""

    __tablename__ = "workflow_version"
    __table_args__ = (
        UniqueConstraint("workflow_id", "number"),
        CheckConstraint("number >= 1", name="number_positive"),
    )

    workflow_id: str = Field(foreign_key="workflow.id", ondelete="CASCADE", max_length=26)
    number: int
    tag: str = "1.0.0"
    "The semantic version that the definition names."
    definition: dict[str, Any] = json_field()
    layout: dict[str, Any] = json_field(default_factory=dict)
    content_hash: str = Field(max_length=64)
    "SHA-256 of the canonical text without layout, in hex."
    change_summary: str = ""
    change_type: ChangeType = Field(default=ChangeType.CREATE, sa_type=word(ChangeType))
    breaking_changes: bool = False
    created_by: str = ""
    published_at: datetime | None = None


class WorkflowStep(Row, table=True):
    """A step of a version, for queries such as "which workflows use this action?"; written with the version."""

    __tablename__ = "workflow_step"
    __table_args__ = (UniqueConstraint("version_id", "name"), Index(None, "action"))

    version_id: str = Field(foreign_key="workflow_version.id", ondelete="CASCADE", max_length=26)
    name: str
    title: str = ""
    type: StepType = Field(sa_type=word(StepType))
    sequence: int
    "Place in the text, from 0, containers before what they hold."
    parent_name: str | None = None
    "The container that holds it; None at the top level."
    action: str | None = None
    linked_workflow: str | None = Field(default=None, index=True)
    dependencies: list[dict[str, Any]] = json_field(default_factory=list)
