"""Workflows: making them, editing the draft of the next version, keeping and removing them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlmodel import Session, col, select

from canvas.domain.connections import Need, needs_of
from canvas.domain.definition import SCHEMA_ID
from canvas.domain.dsl import document_to_json, document_to_yaml, from_document, to_document, to_json, to_yaml
from canvas.domain.editing import apply_to_document, with_explicit_dependencies
from canvas.domain.errors import Conflict, Invalid
from canvas.domain.layout import arrange
from canvas.domain.problems import Problem
from canvas.domain.states import RunStatus, WorkflowStatus
from canvas.domain.validation.names import RESERVED_WORKFLOW_NAMES
from canvas.services.catalog import catalog
from canvas.services.connection_uses import workflow_needs
from canvas.services.definitions import WorkflowNotFound, definition_of, find_version, find_workflow
from canvas.services.events import emit
from canvas.services.judging import InvalidDocument, Reading, judge, read_text
from canvas.services.triggers import sync_triggers
from canvas.services.versions import publish_version, save_version
from models import Workflow, WorkflowRun
from models.columns import utc_now

__all__ = [
    "EditResult",
    "ImportResult",
    "WorkflowNotFound",
    "archive_workflow",
    "create_workflow",
    "delete_workflow",
    "duplicate_workflow",
    "export_workflow",
    "import_workflow",
    "load_version_into_draft",
    "open_draft",
    "publish_version",
    "replace_draft",
    "restore_workflow",
    "save_draft_operations",
    "save_version",
]

MAX_DOCUMENT_BYTES = 1_048_576
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,119}")


class WorkflowExists(Conflict):
    """There is a workflow of this name already."""

    code = "workflow_exists"


class DraftConflict(Conflict):
    """Somebody else changed the draft in the meantime."""

    code = "draft_conflict"


class WorkflowBusy(Conflict):
    """Runs of this workflow are still going."""

    code = "workflow_busy"


@dataclass(frozen=True, slots=True)
class EditResult:
    """A draft as it now stands."""

    name: str
    revision: int
    "What the next edit has to name."
    document: dict[str, Any]
    "Canonical, every dependency explicit, without layout."
    layout: dict[str, list[float]]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of an import."""

    name: str
    outcome: str
    "`created`, `updated`, `unchanged` or `skipped`"
    format: str
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    "What an importer had to interpret."
    version: int | None
    "The version that was saved; None when the draft has errors."
    is_published: bool
    needs: tuple[Need, ...]
    "The connections it names; those that are missing have to be added before it can run."


def create_workflow(
    session: Session, name: str, *, title: str = "", description: str = "", created_by: str = ""
) -> EditResult:
    """Make an empty workflow.

    Raises:
        Invalid: the name is not possible.
        WorkflowExists: it is taken.
    """
    document: dict[str, Any] = {"dsl": SCHEMA_ID, "name": name}
    document |= {key: text for key, text in (("title", title), ("description", description)) if text}
    return _result(session, _insert(session, name, document, {}, created_by))


def open_draft(session: Session, name: str) -> EditResult:
    """Give the draft of a workflow's next version with everything that is wrong with it.

    Raises:
        WorkflowNotFound: there is no such workflow.
    """
    return _result(session, find_workflow(session, name))


def save_draft_operations(
    session: Session, name: str, *, base_revision: int, operations: Sequence[Mapping[str, Any]]
) -> EditResult:
    """Apply an edit to the draft.

    Raises:
        WorkflowNotFound: there is no such workflow.
        DraftConflict: the draft is not at `base_revision` any more; `draft` in its details is how it stands.
        InvalidOperation: an operation is malformed; nothing is changed.
    """
    workflow = _at_revision(session, name, base_revision)
    document, layout = apply_to_document(workflow.draft, workflow.draft_layout, operations)
    _put_draft(workflow, document, layout)
    return _result(session, workflow)


def replace_draft(
    session: Session,
    name: str,
    *,
    base_revision: int,
    document: Mapping[str, Any],
    layout: Mapping[str, Sequence[float]] | None = None,
) -> EditResult:
    """Put a whole document in the place of the draft.

    Args:
        layout: Where the steps lie; None takes the document's own `layout`, or lays them out.

    Raises:
        WorkflowNotFound, DraftConflict: as `save_draft_operations`.
        InvalidDocument: the document is not a workflow.
    """
    workflow = _at_revision(session, name, base_revision)
    parsed = from_document({**document, "name": name})
    if parsed.definition is None:
        raise InvalidDocument(parsed.problems[0].text, problems=[p.to_json() for p in parsed.problems])
    places = layout if layout is not None else parsed.layout
    body = {key: value for key, value in document.items() if key != "layout"}
    explicit = with_explicit_dependencies({**body, "name": name})
    _put_draft(workflow, explicit, _placed(explicit, places))
    return _result(session, workflow)


def load_version_into_draft(session: Session, name: str, number: int, *, base_revision: int) -> EditResult:
    """Make the draft say what a saved version says.

    Raises:
        WorkflowNotFound, VersionNotFound: there is no such thing.
        DraftConflict: as `save_draft_operations`.
    """
    version = find_version(session, find_workflow(session, name), number)
    return replace_draft(session, name, base_revision=base_revision, document=version.definition, layout=version.layout)


def import_workflow(
    session: Session,
    text: str | bytes,
    *,
    format: str = "auto",
    name: str | None = None,
    publish: bool = False,
    if_exists: str = "fail",
    created_by: str = "",
    dry_run: bool = False,
) -> ImportResult:
    """Read a workflow from text and keep it: as a version when it has no errors, else as a draft to be repaired.

    Args:
        format: `auto`, `canvas`, `archon` or `orb`.
        name: Takes the place of the name in the text.
        publish: Whether to publish the version; then errors refuse the whole import.
        dry_run: Whether actions that nobody registered are no errors.
        if_exists: What to do when the name is taken: `fail`, `update` (a new version if anything changed) or `skip`.

    Raises:
        InvalidDocument: the text is not a workflow; `problems` says why.
        DefinitionHasErrors: it is to be published and has errors.
        WorkflowExists: the name is taken, and `if_exists` is `fail`.
    """
    here = catalog(session)
    reading = read_text(text, here, format=format, name=name, dry_run=dry_run)
    definition = reading.require_definition()
    if publish:
        reading.require_no_errors()
    known = session.exec(select(Workflow).where(Workflow.name == definition.name)).one_or_none()
    needs = needs_of(definition, here)
    if known is not None and if_exists == "skip":
        return _imported(known, reading, "skipped", None, needs)
    if known is not None and if_exists != "update":
        raise WorkflowExists(f"There is a workflow {known.name!r} already; import it under another name.")
    document = with_explicit_dependencies(to_document(definition))
    if known is None:
        workflow = _insert(session, definition.name, document, reading.layout, created_by)
    else:
        workflow = known
        places = _placed(document, reading.layout or workflow.draft_layout)
        if (workflow.draft, workflow.draft_layout) != (document, _numbers(places)):
            _put_draft(workflow, document, places)
    before = workflow.latest_version
    if not reading.errors or publish:
        saved = save_version(
            session, workflow.name, change_summary="Imported", created_by=created_by, allow_unregistered=dry_run
        )
        if publish:
            publish_version(session, workflow.name, saved.number, allow_unregistered=dry_run)
    unchanged = known is not None and before == workflow.latest_version and not reading.errors
    return _imported(workflow, reading, "unchanged" if unchanged else "updated" if known else "created", before, needs)


def export_workflow(session: Session, name: str, *, format: str = "yaml", version: int | None = None) -> str:
    """Write a workflow as canonical text; YAML begins with a comment that names the connections it needs.

    Args:
        format: `yaml` or `json`.
        version: A version's number; None takes the draft, which is the newest version when nothing was changed since.

    Raises:
        WorkflowNotFound, VersionNotFound: there is no such thing.
        Invalid: there is no such format.
    """
    if format not in ("yaml", "json"):
        raise Invalid(f"There is no format {format!r}; use yaml or json.", format=format)
    text = _exported(session, find_workflow(session, name), format, version)
    return text if format == "json" else _told_needs(workflow_needs(session, name, version=version)) + text


def _exported(session: Session, workflow: Workflow, format: str, version: int | None) -> str:
    if version is not None:
        saved = find_version(session, workflow, version)
        return (to_yaml if format == "yaml" else to_json)(definition_of(saved), saved.layout)
    parsed = from_document(workflow.draft)
    if parsed.definition is None or parsed.errors:
        document = {**workflow.draft, "layout": workflow.draft_layout}
        return (document_to_yaml if format == "yaml" else document_to_json)(document)
    return (to_yaml if format == "yaml" else to_json)(parsed.definition, workflow.draft_layout)


def _told_needs(needs: tuple[Need, ...]) -> str:
    named = [f"{need.name} ({need.kind})" for need in needs if need.name.isprintable()]
    return f"# Needs connections: {', '.join(named)}.\n" if named else ""


def duplicate_workflow(session: Session, name: str, new_name: str, *, created_by: str = "") -> EditResult:
    """Make a new workflow with the same draft; versions, runs and triggers stay behind.

    Raises:
        WorkflowNotFound: there is no such workflow.
        Invalid, WorkflowExists: as `create_workflow`.
    """
    source = find_workflow(session, name)
    title = f"{source.title or name} (copy)"
    document = {**source.draft, "name": new_name, "title": title}
    return _result(session, _insert(session, new_name, document, source.draft_layout, created_by))


def archive_workflow(session: Session, name: str) -> None:
    """Take a workflow out of use: nothing starts it any more, and its triggers are gone. Runs that go on finish.

    Raises:
        WorkflowNotFound: there is no such workflow.
    """
    workflow = find_workflow(session, name)
    workflow.status = WorkflowStatus.ARCHIVED
    sync_triggers(session, workflow, None, now=utc_now())
    emit(session, "workflow.archived", {"workflow": name}, source=f"workflow:{name}", workflow=name)


def restore_workflow(session: Session, name: str) -> None:
    """Take an archived workflow back into use, with the triggers of its published version.

    Raises:
        WorkflowNotFound: there is no such workflow.
        WebhookPathTaken: another workflow listens on one of its paths by now.
    """
    workflow = find_workflow(session, name)
    if workflow.status is not WorkflowStatus.ARCHIVED:
        return
    if workflow.published_version is None:
        workflow.status = WorkflowStatus.DRAFT
        return
    workflow.status = WorkflowStatus.ACTIVE
    published = find_version(session, workflow, workflow.published_version)
    sync_triggers(session, workflow, definition_of(published), now=utc_now())


def delete_workflow(session: Session, name: str) -> None:
    """Remove a workflow with its versions, triggers and runs.

    Raises:
        WorkflowNotFound: there is no such workflow.
        WorkflowBusy: a run of it has not ended.
    """
    workflow = find_workflow(session, name)
    ended = [status for status in RunStatus if status.is_terminal]
    live = select(WorkflowRun.id).where(WorkflowRun.workflow_id == workflow.id, col(WorkflowRun.status).not_in(ended))
    if session.exec(live.limit(1)).first() is not None:
        raise WorkflowBusy(f"Runs of {name!r} are still going; cancel them first, or archive the workflow.")
    session.delete(workflow)


def _insert(
    session: Session, name: str, document: dict[str, Any], layout: Mapping[str, Sequence[float]], created_by: str
) -> Workflow:
    if not _NAME.fullmatch(name) or name in RESERVED_WORKFLOW_NAMES:
        raise Invalid(
            f"{name[:80]!r} cannot be a workflow's name: use lower-case letters, digits and underscores, "
            "beginning with a letter, 120 at most.",
            name=name,
        )
    if session.exec(select(Workflow.id).where(Workflow.name == name)).first() is not None:
        raise WorkflowExists(f"There is a workflow {name!r} already.", workflow=name)
    workflow = Workflow(name=name, created_by=created_by)
    explicit = with_explicit_dependencies(document)
    _put_draft(workflow, explicit, _placed(explicit, layout))
    session.add(workflow)
    session.flush()
    return workflow


def _at_revision(session: Session, name: str, revision: int) -> Workflow:
    query = select(Workflow).where(Workflow.name == name).with_for_update()
    workflow = session.exec(query).one_or_none() or find_workflow(session, name)
    if workflow.draft_revision != revision:
        raise DraftConflict(
            f"The draft of {name!r} is at revision {workflow.draft_revision}; this edit started from {revision}.",
            draft={
                "revision": workflow.draft_revision,
                "document": workflow.draft,
                "layout": workflow.draft_layout,
            },
        )
    return workflow


def _put_draft(workflow: Workflow, document: dict[str, Any], layout: Mapping[str, Sequence[float]]) -> None:
    if document.get("name") != workflow.name:
        raise Invalid(f"A workflow keeps its name; {workflow.name!r} can be duplicated under another one.")
    if len(orjson.dumps(document)) > MAX_DOCUMENT_BYTES:
        raise InvalidDocument(f"A workflow has at most {MAX_DOCUMENT_BYTES >> 20} MiB of text.")
    workflow.draft = document
    workflow.draft_layout = _numbers(layout)
    workflow.draft_revision += 1
    workflow.updated_at = utc_now()
    for key in ("title", "description", "category"):
        setattr(workflow, key, str(document.get(key, ""))[:10_000])
    tags = document.get("tags")
    workflow.tags = [str(tag) for tag in tags] if isinstance(tags, list) else []


def _placed(document: dict[str, Any], layout: Mapping[str, Sequence[float]]) -> dict[str, Sequence[float]]:
    """Take the places that are given, and find some for the steps that have none."""
    return {name: layout.get(name, place) for name, place in arrange(document).items()}


def _numbers(layout: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    return {step: [float(x), float(y)] for step, (x, y) in layout.items()}


def _result(session: Session, workflow: Workflow) -> EditResult:
    problems = judge(workflow.draft, catalog(session))
    return EditResult(workflow.name, workflow.draft_revision, workflow.draft, workflow.draft_layout, problems)


def _imported(
    workflow: Workflow, reading: Reading, outcome: str, before: int | None, needs: tuple[Need, ...]
) -> ImportResult:
    saved = workflow.latest_version if before is not None and not reading.errors else None
    return ImportResult(
        name=workflow.name,
        outcome=outcome,
        format=reading.format,
        problems=reading.problems,
        notes=reading.notes,
        version=saved,
        is_published=workflow.published_version is not None and workflow.published_version == saved,
        needs=needs,
    )
