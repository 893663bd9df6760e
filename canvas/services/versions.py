"""Versions of a workflow: saving the draft as one, publishing one, comparing two."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from canvas.domain.definition import Definition, walk
from canvas.domain.diff import Diff, diff
from canvas.domain.dsl import content_hash, to_document
from canvas.domain.errors import Conflict
from canvas.domain.states import ChangeType, WorkflowStatus
from canvas.domain.steps import ActionStep, Step, WorkflowLinkStep
from canvas.services.catalog import catalog
from canvas.services.definitions import definition_of, find_version, find_workflow
from canvas.services.events import emit
from canvas.services.judging import require_sound
from canvas.services.triggers import sync_triggers
from models import Workflow, WorkflowStep, WorkflowVersion
from models.columns import utc_now


class StaleDraft(Conflict):
    """The draft was changed since it was looked at."""

    code = "draft_conflict"


@dataclass(frozen=True, slots=True)
class SavedVersion:
    """A version as it was saved."""

    number: int
    tag: str
    change_type: ChangeType
    breaking: tuple[str, ...]
    "Sentences that say what no longer works for a caller."
    revision: int
    "The draft's revision after saving; it grows when the tag was raised."
    is_new: bool
    "False when nothing had changed since the newest version, which is then this one."


def save_version(
    session: Session,
    name: str,
    *,
    base_revision: int | None = None,
    change_summary: str = "",
    change_type: ChangeType | None = None,
    created_by: str = "",
    allow_unregistered: bool = False,
) -> SavedVersion:
    """Save the draft as the next version. Nothing that runs or is triggered changes by that.

    Args:
        base_revision: The revision somebody looked at when they asked for this; None takes whatever there is.
        change_type: None takes what the difference to the newest version suggests.
        allow_unregistered: Whether actions that nobody registered are no errors; for dry runs.

    Raises:
        WorkflowNotFound: there is no such workflow.
        StaleDraft: the draft is not at `base_revision` any more.
        DefinitionHasErrors: the draft has errors; `problems` lists them.
    """
    query = select(Workflow).where(Workflow.name == name).with_for_update()
    workflow = session.exec(query).one_or_none() or find_workflow(session, name)
    if base_revision is not None and base_revision != workflow.draft_revision:
        raise StaleDraft(
            f"The draft of {name!r} is at revision {workflow.draft_revision}; you looked at {base_revision}.",
            draft={"revision": workflow.draft_revision, "document": workflow.draft, "layout": workflow.draft_layout},
        )
    definition = require_sound(workflow.draft, catalog(session), allow_unregistered=allow_unregistered)
    last = find_version(session, workflow, workflow.latest_version) if workflow.latest_version else None
    difference = diff(last.definition, to_document(definition)) if last is not None else Diff()
    if last is not None and difference.is_empty and _says_the_same(last, definition, workflow):
        return SavedVersion(last.number, last.tag, last.change_type, (), workflow.draft_revision, is_new=False)
    kind = change_type or (ChangeType.CREATE if last is None else difference.change_type)
    definition = _raise_tag(workflow, definition, last, kind)
    version = WorkflowVersion(
        workflow_id=workflow.id,
        number=workflow.latest_version + 1,
        tag=definition.version,
        definition=to_document(definition),
        layout=dict(workflow.draft_layout),
        content_hash=content_hash(definition),
        change_summary=change_summary,
        change_type=kind,
        breaking_changes=bool(difference.breaking),
        created_by=created_by,
    )
    session.add(version)
    session.flush()
    session.add_all(_steps(version, definition))
    workflow.latest_version = version.number
    return SavedVersion(version.number, version.tag, kind, difference.breaking, workflow.draft_revision, is_new=True)


def publish_version(
    session: Session, name: str, number: int, *, now: datetime | None = None, allow_unregistered: bool = False
) -> None:
    """Let triggers, and whoever names no version, start this version from now on; an older one rolls back.

    Raises:
        WorkflowNotFound, VersionNotFound: there is no such thing.
        DefinitionHasErrors: something it names is gone since it was saved.
        WebhookPathTaken: another workflow listens on one of its paths.
    """
    workflow = find_workflow(session, name)
    version = find_version(session, workflow, number)
    require_sound(version.definition, catalog(session), allow_unregistered=allow_unregistered)
    moment = now or utc_now()
    version.published_at = moment
    workflow.published_version = number
    workflow.status = WorkflowStatus.ACTIVE
    workflow.updated_at = moment
    sync_triggers(session, workflow, definition_of(version), now=moment)
    told = {"workflow": name, "version": number, "tag": version.tag}
    emit(session, "workflow.published", told, source=f"workflow:{name}", workflow=name)


def unpublish_workflow(session: Session, name: str) -> None:
    """Let nothing start the workflow by itself any more; its versions stay.

    Raises:
        WorkflowNotFound: there is no such workflow.
    """
    workflow = find_workflow(session, name)
    workflow.published_version = None
    if workflow.status is not WorkflowStatus.ARCHIVED:
        workflow.status = WorkflowStatus.DRAFT
    sync_triggers(session, workflow, None, now=utc_now())


def version_diff(session: Session, name: str, old: int, new: int | None) -> Diff:
    """Compare two versions; None is the draft.

    Raises:
        WorkflowNotFound, VersionNotFound: there is no such thing.
    """
    workflow = find_workflow(session, name)
    before = find_version(session, workflow, old).definition
    after = workflow.draft if new is None else find_version(session, workflow, new).definition
    return diff(before, after)


def _says_the_same(last: WorkflowVersion, definition: Definition, workflow: Workflow) -> bool:
    return last.content_hash == content_hash(definition) and last.layout == workflow.draft_layout


def _raise_tag(
    workflow: Workflow, definition: Definition, last: WorkflowVersion | None, kind: ChangeType
) -> Definition:
    """Give the version a semantic version of its own when the author left the one of the version before."""
    if last is None or definition.version != last.tag:
        return definition
    tag = _next_tag(last.tag, kind)
    workflow.draft = {**workflow.draft, "version": tag}
    workflow.draft_revision += 1
    return replace(definition, version=tag)


def _next_tag(tag: str, kind: ChangeType) -> str:
    numbers = [int(part) if part.isascii() and part.isdigit() else 0 for part in tag.split(".")[:3]]
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    if kind is ChangeType.MAJOR:
        return f"{major + 1}.0.0"
    if kind is ChangeType.MINOR:
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"


def _steps(version: WorkflowVersion, definition: Definition) -> list[WorkflowStep]:
    return [
        WorkflowStep(
            version_id=version.id,
            name=placed.step.name,
            title=placed.step.title,
            type=placed.step.type,
            sequence=sequence,
            parent_name=placed.parents[-1].name if placed.parents else None,
            action=placed.step.action if isinstance(placed.step, ActionStep) else None,
            linked_workflow=placed.step.workflow if isinstance(placed.step, WorkflowLinkStep) else None,
            dependencies=_dependencies(placed.step),
        )
        for sequence, placed in enumerate(walk(definition.scope))
    ]


def _dependencies(step: Step) -> list[dict[str, Any]]:
    return [{"step": d.step, "branch": d.branch.value, "value": d.value} for d in step.depends_on]
