"""Saved versions as definitions. A version never changes, so each is read from its document once per process."""

from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import defer
from sqlmodel import Session, select

from canvas.domain.definition import Definition
from canvas.domain.dsl import from_document
from canvas.domain.errors import Conflict, DefectError, NotFound
from models import Workflow, WorkflowVersion

_WORKFLOW: Final = sa.inspect(Workflow).attrs
_VERSION: Final = sa.inspect(WorkflowVersion).attrs
WITHOUT_DRAFT: Final = [defer(_WORKFLOW[name].class_attribute) for name in ("draft", "draft_layout")]
"Options of a query for workflows: a draft may be large, and is read when somebody looks at it."
_WITHOUT_DEFINITION: Final = [defer(_VERSION[name].class_attribute) for name in ("definition", "layout")]


class WorkflowNotFound(NotFound):
    """There is no workflow of this name."""

    code = "workflow_not_found"


class VersionNotFound(NotFound):
    """The workflow has no such version."""

    code = "version_not_found"


class NotPublished(Conflict):
    """No version of the workflow is published."""

    code = "not_published"


def find_workflow(session: Session, name: str) -> Workflow:
    """Load a workflow by its name; its draft, which may be large, is read when somebody looks at it.

    Raises:
        WorkflowNotFound: there is none.
    """
    query = select(Workflow).where(Workflow.name == name).options(*WITHOUT_DRAFT)
    workflow = session.exec(query).one_or_none()
    if workflow is None:
        raise WorkflowNotFound(f"There is no workflow {name!r}.", workflow=name)
    return workflow


def owner_of(session: Session, workflow_id: str) -> Workflow:
    """Load the workflow that a row belongs to, without its draft."""
    return session.get_one(Workflow, workflow_id, options=WITHOUT_DRAFT)


def find_version(session: Session, workflow: Workflow, number: int | None) -> WorkflowVersion:
    """Load a version by its number, or the published one for None; its definition is read when somebody looks at it.

    Raises:
        NotPublished: no number is given, and nothing is published.
        VersionNotFound: there is no version of this number.
    """
    wanted = workflow.published_version if number is None else number
    if wanted is None:
        raise NotPublished(f"{workflow.name!r} has no published version; publish one, or name a version.")
    query = select(WorkflowVersion).options(*_WITHOUT_DEFINITION)
    query = query.where(WorkflowVersion.workflow_id == workflow.id, WorkflowVersion.number == wanted)
    version = session.exec(query).one_or_none()
    if version is None:
        raise VersionNotFound(f"{workflow.name!r} has no version {wanted}.", workflow=workflow.name, version=wanted)
    return version


def definition_of(version: WorkflowVersion) -> Definition:
    """Read a version's definition; kept for later calls in this process."""
    known = _definitions(version.id)
    if not known:
        known.append(_parse(version.definition))
    return known[0]


@lru_cache(maxsize=512)
def _definitions(version_id: str) -> list[Definition]:
    """Give the place where a version's definition is kept once it was read."""
    del version_id
    return []


def _parse(document: dict[str, Any]) -> Definition:
    parsed = from_document(document)
    if parsed.definition is None:
        raise DefectError("A saved version cannot be read any more.", problems=[p.to_json() for p in parsed.problems])
    return parsed.definition
