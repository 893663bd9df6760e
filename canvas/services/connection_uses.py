"""Who names a connection: the steps of drafts and of published versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain.connections import Call, Need, calls_of, named_in, needs_of
from canvas.domain.definition import Definition
from canvas.domain.dsl import from_document
from canvas.services.catalog import catalog
from canvas.services.definitions import definition_of, find_version, find_workflow
from models import Workflow, WorkflowVersion

DRAFT: Final = "draft"
PUBLISHED: Final = "published"


@dataclass(frozen=True, slots=True)
class ConnectionUse:
    """A workflow that names a connection."""

    workflow: str
    title: str
    steps: list[str]
    where: list[str]
    "`draft`, `published` or both."

    def to_json(self) -> dict[str, Any]:
        """Give all fields as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def connection_uses(session: Session) -> dict[str, list[ConnectionUse]]:
    """Give every connection that is named, whether there is one or not, with the workflows that do."""
    actions = catalog(session).actions
    found: dict[str, dict[str, dict[str, list[str]]]] = {}
    titles: dict[str, str] = {}
    for row in session.execute(_standing()).all():
        name, title = row[0], row[1]
        titles[name] = title or name
        for where, calls in _calls(session, row):
            for named in named_in(calls, actions):
                found.setdefault(named.connection, {}).setdefault(name, {}).setdefault(where, []).append(named.step)
    return {
        connection: [_use(name, titles[name], places) for name, places in sorted(workflows.items())]
        for connection, workflows in sorted(found.items())
    }


def workflow_needs(session: Session, name: str, *, version: int | None = None) -> tuple[Need, ...]:
    """List the connections that a workflow names, and whether they are here.

    Args:
        version: A version's number; None takes the draft.

    Raises:
        WorkflowNotFound, VersionNotFound: there is no such thing.
    """
    workflow = find_workflow(session, name)
    if version is not None:
        definition = definition_of(find_version(session, workflow, version))
    else:
        definition = from_document(workflow.draft).definition or Definition(name=name)
    return needs_of(definition, catalog(session))


def _standing() -> Any:
    published = sa.and_(
        col(WorkflowVersion.workflow_id) == Workflow.id, col(WorkflowVersion.number) == Workflow.published_version
    )
    columns: Any = (Workflow.name, Workflow.title, Workflow.id, Workflow.draft_revision, WorkflowVersion.id)
    return sa.select(*columns).join(WorkflowVersion, published, isouter=True).order_by(Workflow.name)


def _calls(session: Session, row: Any) -> list[tuple[str, tuple[Call, ...]]]:
    _, _, workflow_id, revision, version_id = row
    draft = select(Workflow.draft).where(Workflow.id == workflow_id)
    calls = [(DRAFT, _known(session, f"{workflow_id}:{revision}", draft))]
    if version_id is not None:
        saved = select(WorkflowVersion.definition).where(WorkflowVersion.id == version_id)
        calls.append((PUBLISHED, _known(session, version_id, saved)))
    return calls


def _known(session: Session, key: str, query: Any) -> tuple[Call, ...]:
    known = _known_calls(key)
    if not known:
        known.append(_read(session.exec(query).one()))
    return known[0]


@lru_cache(maxsize=8_192)
def _known_calls(key: str) -> list[tuple[Call, ...]]:
    """Give the place where the calls of a version, or of one revision of a draft, are kept once they were read."""
    del key
    return []


def _read(document: Mapping[str, Any]) -> tuple[Call, ...]:
    definition = from_document(document).definition
    return calls_of(definition) if definition is not None else ()


def _use(name: str, title: str, places: Mapping[str, list[str]]) -> ConnectionUse:
    steps = dict.fromkeys(step for named in places.values() for step in named)
    return ConnectionUse(name, title, list(steps), list(places))
