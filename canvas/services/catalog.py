"""What a definition may name: the registered actions and the workflows there are. Also their mirror in the tables."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.actions.registry import registry
from canvas.domain.actions import spec_of
from canvas.domain.catalog import ActionSpec, Catalog, WorkflowSignature
from canvas.domain.definition import Definition, walk
from canvas.domain.dsl import from_document
from canvas.domain.errors import NotFound
from canvas.domain.states import ActionOrigin, ActionState, ArgumentType, WorkflowPurpose
from canvas.domain.steps import ActionStep, WorkflowLinkStep
from canvas.engine.user_actions import load_user_actions
from canvas.services import mcp_tools
from models import Action, ActionArgument, Connection, Workflow, WorkflowVersion
from models.columns import utc_now

_TYPES = {
    "array": ArgumentType.LIST,
    "number": ArgumentType.FLOAT,
    **{word.value: word for word in ArgumentType},
}


class ActionNotFound(NotFound):
    """There is no action of this name."""

    code = "action_not_found"


def catalog(session: Session) -> Catalog:
    """Give every action, what every workflow expects from who starts it, and the connections there are."""
    connections = {name: kind for name, kind in session.exec(select(Connection.name, Connection.kind)).all()}
    registered = Catalog(
        actions={**action_specs(), **mcp_tools.tool_specs(session)},
        workflows=_signatures(session),
        connections=connections,
        tools=mcp_tools.tools_by_alias(session),
    )
    own = _user_specs(session, registered)
    return replace(registered, actions={**own, **registered.actions}) if own else registered


def _user_specs(session: Session, registered: Catalog) -> dict[str, ActionSpec]:
    ours = select(Action.name, Action.version).where(Action.origin == ActionOrigin.USER)
    versions: dict[str, int] = dict(session.exec(ours).all())
    if not versions:
        return {}
    found = load_user_actions(lambda statement: session.execute(statement).all())
    return {name: spec_of(action, versions[name], registered) for name, action in found.items()}


def action_specs() -> Mapping[str, ActionSpec]:
    """Give every registered action by name."""
    return {name: action.spec for name, action in registry().items()}


def action_spec(session: Session, name: str) -> ActionSpec:
    """Give one action, registered or user-defined.

    Raises:
        ActionNotFound: there is none of this name.
    """
    spec = catalog(session).actions.get(name)
    if spec is None:
        raise ActionNotFound(f"There is no action {name!r}.", action=name)
    return spec


def signature_of(definition: Definition) -> WorkflowSignature:
    """Give what a definition expects from who starts it, and what it starts itself."""
    steps = [placed.step for placed in walk(definition.scope)]
    return WorkflowSignature(
        name=definition.name,
        parameters=definition.parameters,
        links=frozenset(step.workflow for step in steps if isinstance(step, WorkflowLinkStep)),
        calls=frozenset(step.action for step in steps if isinstance(step, ActionStep)),
    )


def mirror_actions(session: Session) -> None:
    """Write the registered actions to their tables; those that are gone stay as archived.

    A user-defined action keeps its row, whatever code answers to its name meanwhile.
    """
    rows = session.exec(select(Action)).all()
    own = {row.name for row in rows if row.origin is ActionOrigin.USER}
    known = {row.name: row for row in rows if row.name not in own}
    for name, spec in action_specs().items():
        if name in own:
            continue
        row = known.pop(name, None) or Action(name=name, **_columns(spec))
        for column, value in _columns(spec).items():
            setattr(row, column, value)
        session.add(row)
        session.flush()
        session.execute(sa.delete(ActionArgument).where(col(ActionArgument.action_name) == name))
        session.add_all(_arguments(spec))
    for row in known.values():
        row.state = ActionState.ARCHIVED


def _columns(spec: ActionSpec) -> dict[str, Any]:
    return {
        "namespace": spec.name.partition("/")[0],
        "origin": spec.origin,
        "version": spec.version,
        "title": spec.title,
        "description": spec.description,
        "category": spec.category,
        "icon": spec.icon,
        "state": ActionState.AVAILABLE,
        "is_idempotent": spec.idempotent,
        "inputs_schema": dict(spec.arguments_schema),
        "result_schema": dict(spec.result_schema),
        "updated_at": utc_now(),
    }


def _arguments(spec: ActionSpec) -> list[ActionArgument]:
    required = spec.arguments_schema.get("required", [])
    properties: dict[str, dict[str, Any]] = spec.arguments_schema.get("properties", {})
    return [
        ActionArgument(
            action_name=spec.name,
            position=position,
            name=name,
            type=_TYPES.get(schema.get("type", "any"), ArgumentType.ANY),
            is_required=name in required,
            default=schema.get("default"),
            description=schema.get("description", ""),
            min_value=schema.get("minimum", schema.get("exclusiveMinimum")),
            max_value=schema.get("maximum", schema.get("exclusiveMaximum")),
            pattern=schema.get("pattern"),
        )
        for position, (name, schema) in enumerate(properties.items())
    ]


def _signatures(session: Session) -> dict[str, WorkflowSignature]:
    """Read each workflow's published version, or else its newest, or else its draft; one query when all are known."""
    wanted = sa.func.coalesce(Workflow.published_version, Workflow.latest_version)
    rows = session.exec(
        select(Workflow.name, Workflow.id, Workflow.draft_revision, WorkflowVersion.id)
        .join(
            WorkflowVersion,
            sa.and_(col(WorkflowVersion.workflow_id) == Workflow.id, col(WorkflowVersion.number) == wanted),
            isouter=True,
        )
        .where(Workflow.purpose == WorkflowPurpose.WORKFLOW)
        .order_by(Workflow.name)
    ).all()
    return {name: _signature(session, name, key, revision, version) for name, key, revision, version in rows}


def _signature(
    session: Session, name: str, workflow_id: str, revision: int, version_id: str | None
) -> WorkflowSignature:
    known = _known_signatures(version_id or f"{workflow_id}:{revision}")
    if not known:
        source = select(WorkflowVersion.definition).where(WorkflowVersion.id == version_id)
        draft = select(Workflow.draft).where(Workflow.id == workflow_id)
        known.append(_read_signature(name, session.exec(source if version_id else draft).one()))
    return known[0]


@lru_cache(maxsize=4_096)
def _known_signatures(key: str) -> list[WorkflowSignature]:
    """Give the place where the signature of a version, or of one revision of a draft, is kept once it was read."""
    del key
    return []


def _read_signature(name: str, document: Mapping[str, Any]) -> WorkflowSignature:
    return signature_of(from_document(document).definition or Definition(name=name))
