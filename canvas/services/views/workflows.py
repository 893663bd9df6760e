"""Workflows as cards and one by one, and their versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain.dsl import content_hash, from_document
from canvas.domain.errors import Invalid
from canvas.domain.states import ChangeType, WorkflowPurpose, WorkflowStatus
from canvas.services.definitions import find_version, find_workflow
from models import Schedule, Workflow, WorkflowRun, WorkflowVersion

_MARKS: Final = 8
_MAX_LIMIT: Final = 200
_IS_KEPT: Final = Workflow.purpose == WorkflowPurpose.WORKFLOW


@dataclass(frozen=True, slots=True)
class RunMark:
    """One of the last runs of a workflow, as small as it can be shown."""

    id: str
    status: str
    started_at: datetime | None
    seconds: float | None
    "How long it took; None while it goes on."


@dataclass(frozen=True, slots=True)
class WorkflowCard:
    """A workflow on the home page."""

    name: str
    title: str
    description: str
    status: str
    category: str
    tags: list[str]
    step_count: int
    latest_version: int
    published_version: int | None
    updated_at: datetime
    recent_runs: list[RunMark]
    "Newest first, at most 8."
    next_fire_at: datetime | None


@dataclass(frozen=True, slots=True)
class WorkflowPage:
    """Some workflows, by name."""

    rows: list[WorkflowCard]
    next_cursor: str
    "Give it back for the next ones; empty when there are none."


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowDetail:
    """One workflow with the draft of its next version."""

    card: WorkflowCard
    document: dict[str, Any]
    layout: dict[str, Any]
    has_unsaved_changes: bool
    "Whether the draft says something else than the newest version."


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """One version in a list."""

    number: int
    tag: str
    change_summary: str
    change_type: ChangeType
    breaking_changes: bool
    created_by: str
    created_at: datetime
    published_at: datetime | None
    is_published: bool
    "Whether it is the one that triggers start now."


def workflow_cards(
    session: Session, *, text: str = "", status: WorkflowStatus | None = None, tag: str = "", limit: int = _MAX_LIMIT
) -> list[WorkflowCard]:
    """List workflows for the home page, the last edited first.

    Args:
        text: Part of the name, title or description, in any case.
        status: Only this one; None lists all but the archived.
        tag: Only workflows that carry it.
        limit: At most this many.
    """
    query = _wanted(text, status).order_by(col(Workflow.updated_at).desc(), col(Workflow.id).desc())
    workflows = [each for each in session.exec(query) if not tag or tag in each.tags][:limit]
    fires = _next_fires(session, [each.id for each in workflows])
    return [_card(session, each, fires.get(each.id)) for each in workflows]


def workflow_page(
    session: Session,
    *,
    text: str = "",
    status: WorkflowStatus | None = None,
    tag: str = "",
    limit: int = 50,
    cursor: str = "",
) -> WorkflowPage:
    """List workflows by name, a page at a time.

    Args:
        text, status, tag: As `workflow_cards`.
        limit: 1 to 200.
        cursor: `next_cursor` of the page before; empty starts at the beginning.

    Raises:
        Invalid: `limit` is out of bounds.
    """
    if not 1 <= limit <= _MAX_LIMIT:
        raise Invalid(f"A page holds 1 to {_MAX_LIMIT} workflows, not {limit}.", limit=limit)
    query = _wanted(text, status).order_by(col(Workflow.name))
    if cursor:
        query = query.where(Workflow.name > cursor)
    if tag:
        query = query.where(sa.cast(Workflow.tags, sa.String).contains(orjson.dumps(tag).decode(), autoescape=True))
    found = session.exec(query.limit(limit + 1)).all()
    fires = _next_fires(session, [each.id for each in found])
    cards = [_card(session, each, fires.get(each.id)) for each in found[:limit]]
    return WorkflowPage(cards, found[limit - 1].name if len(found) > limit else "")


def workflow_tags(session: Session) -> list[str]:
    """List every tag in use, sorted."""
    return sorted({tag for tags in session.exec(select(Workflow.tags).where(_IS_KEPT)) for tag in tags})


def workflow_names(session: Session) -> list[str]:
    """List the names of all workflows, sorted."""
    return list(session.exec(select(Workflow.name).where(_IS_KEPT).order_by(Workflow.name)))


def workflow_titles(session: Session) -> dict[str, str]:
    """Give the title of every workflow by its name; empty where it has none."""
    return {name: title for name, title in session.exec(select(Workflow.name, Workflow.title))}


def workflow_detail(session: Session, name: str) -> WorkflowDetail:
    """Give one workflow with its draft.

    Raises:
        WorkflowNotFound: there is no such workflow.
    """
    workflow = find_workflow(session, name)
    card = _card(session, workflow, _next_fires(session, [workflow.id]).get(workflow.id))
    return WorkflowDetail(
        card=card,
        document=workflow.draft,
        layout=workflow.draft_layout,
        has_unsaved_changes=_has_unsaved_changes(session, workflow),
    )


def version_rows(session: Session, name: str) -> list[VersionRow]:
    """List a workflow's versions, newest first.

    Raises:
        WorkflowNotFound: there is no such workflow.
    """
    workflow = find_workflow(session, name)
    query = select(WorkflowVersion).where(WorkflowVersion.workflow_id == workflow.id)
    return [
        VersionRow(
            number=version.number,
            tag=version.tag,
            change_summary=version.change_summary,
            change_type=version.change_type,
            breaking_changes=version.breaking_changes,
            created_by=version.created_by,
            created_at=version.created_at,
            published_at=version.published_at,
            is_published=version.number == workflow.published_version,
        )
        for version in session.exec(query.order_by(col(WorkflowVersion.number).desc())).all()
    ]


def version_document(session: Session, name: str, number: int | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a version's canonical document and its layout; None takes the published one.

    Raises:
        WorkflowNotFound, VersionNotFound, NotPublished: there is no such thing.
    """
    version = find_version(session, find_workflow(session, name), number)
    return version.definition, version.layout


def _wanted(text: str, status: WorkflowStatus | None) -> Any:
    query = select(Workflow).where(
        _IS_KEPT, Workflow.status == status if status else Workflow.status != WorkflowStatus.ARCHIVED
    )
    if text:
        fields = (Workflow.name, Workflow.title, Workflow.description)
        query = query.where(sa.or_(*(col(each).icontains(text, autoescape=True) for each in fields)))
    return query


def _card(session: Session, workflow: Workflow, next_fire_at: datetime | None) -> WorkflowCard:
    return WorkflowCard(
        name=workflow.name,
        title=workflow.title or workflow.name,
        description=workflow.description,
        status=workflow.status.value,
        category=workflow.category,
        tags=workflow.tags,
        step_count=_count_steps(workflow.draft.get("steps")),
        latest_version=workflow.latest_version,
        published_version=workflow.published_version,
        updated_at=workflow.updated_at,
        recent_runs=_recent_runs(session, workflow.id),
        next_fire_at=next_fire_at,
    )


def _has_unsaved_changes(session: Session, workflow: Workflow) -> bool:
    if not workflow.latest_version:
        return True
    saved = find_version(session, workflow, workflow.latest_version)
    draft = from_document(workflow.draft).definition
    return draft is None or saved.layout != workflow.draft_layout or saved.content_hash != content_hash(draft)


def _recent_runs(session: Session, workflow_id: str) -> list[RunMark]:
    query = (
        select(WorkflowRun.id, WorkflowRun.status, WorkflowRun.started_at, WorkflowRun.ended_at)
        .where(WorkflowRun.workflow_id == workflow_id)
        .order_by(col(WorkflowRun.id).desc())
        .limit(_MARKS)
    )
    return [
        RunMark(run_id, str(status), started_at, _seconds(started_at, ended_at))
        for run_id, status, started_at, ended_at in session.exec(query)
    ]


def _next_fires(session: Session, workflow_ids: Sequence[str]) -> dict[str, datetime]:
    query = (
        select(Schedule.workflow_id, sa.func.min(col(Schedule.next_fire_at)))
        .where(col(Schedule.workflow_id).in_(workflow_ids), col(Schedule.enabled))
        .group_by(Schedule.workflow_id)
    )
    return {workflow_id: at for workflow_id, at in session.exec(query) if at is not None}


def _count_steps(steps: Any) -> int:
    if not isinstance(steps, list):
        return 0
    return sum(1 + _count_steps(step.get("steps")) for step in steps if isinstance(step, dict))


def _seconds(started_at: datetime | None, ended_at: datetime | None) -> float | None:
    return (ended_at - started_at).total_seconds() if started_at and ended_at else None
