"""The catalogue as pages show it: what there is, what each entry takes and gives, and who uses it."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain.catalog import ActionSpec
from canvas.domain.catalog_search import search
from canvas.domain.control_flow import control_flow
from canvas.domain.dsl import document_to_yaml
from canvas.domain.schema_fields import SchemaField, fields_of
from canvas.domain.states import ActionOrigin
from canvas.services.catalog import ActionNotFound, catalog
from models import Workflow, WorkflowStep, WorkflowVersion


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An entry of the catalogue, in one line."""

    name: str
    title: str
    summary: str
    "The first sentence of its description."
    category: str
    icon: str
    origin: str
    origin_detail: str
    aliases: list[str]


@dataclass(frozen=True, slots=True)
class ActionUse:
    """A workflow that calls an action."""

    workflow_name: str
    workflow_title: str
    steps: list[str]


@dataclass(frozen=True, slots=True)
class ActionDetail:
    """Everything about one entry of the catalogue."""

    name: str
    title: str
    description: str
    category: str
    icon: str
    origin: str
    origin_detail: str
    version: int
    aliases: list[str]
    permissions: list[str]
    security: str
    connections: list[str]
    "Kinds of connections that it can use."
    repetition: str
    "What happens to a call that a crash cut off."
    dry_run: str
    arguments: list[SchemaField]
    result: list[SchemaField]
    example: str
    "A step, as YAML."
    uses: list[ActionUse]


def action_entries(session: Session, query: str = "", category: str = "") -> list[ActionSpec]:
    """Give the actions there are and the step types beside them that fit a search, the best first."""
    return search([*catalog(session).actions.values(), *control_flow().values()], query, category)


def action_entry(session: Session, name: str) -> ActionSpec:
    """Give one entry of the catalogue.

    Raises:
        ActionNotFound: there is none of this name.
    """
    found = control_flow().get(name) or catalog(session).actions.get(name)
    if found is None:
        raise ActionNotFound(f"There is no action {name!r}.", action=name)
    return found


def action_rows(session: Session, query: str = "", category: str = "") -> list[ActionRow]:
    """List the entries of the catalogue that fit a search."""
    return [
        ActionRow(
            name=spec.name,
            title=spec.title,
            summary=_first_sentence(spec.description),
            category=spec.category,
            icon=spec.icon,
            origin=spec.origin.value,
            origin_detail=spec.origin_detail,
            aliases=list(spec.aliases),
        )
        for spec in action_entries(session, query, category)
    ]


def action_detail(session: Session, name: str) -> ActionDetail:
    """Show one entry of the catalogue.

    Raises:
        ActionNotFound: there is none of this name.
    """
    spec = action_entry(session, name)
    return ActionDetail(
        name=spec.name,
        title=spec.title,
        description="\n\n".join(" ".join(part.split()) for part in spec.description.split("\n\n")),
        category=spec.category,
        icon=spec.icon,
        origin=spec.origin.value,
        origin_detail=spec.origin_detail,
        version=spec.version,
        aliases=list(spec.aliases),
        permissions=[permission.value for permission in spec.permissions],
        security=spec.security,
        connections=sorted({kind for kinds in spec.connections.values() for kind in kinds}),
        repetition=repetition_words(spec),
        dry_run=dry_run_words(spec),
        arguments=list(fields_of(spec.arguments_schema)),
        result=list(fields_of(spec.result_schema)),
        example=example_step(spec),
        uses=action_uses(session, spec),
    )


def action_uses(session: Session, spec: ActionSpec) -> list[ActionUse]:
    """Find the workflows that use an entry, in what is published, or in the newest version when nothing is."""
    wanted = sa.func.coalesce(Workflow.published_version, Workflow.latest_version)
    of_spec = WorkflowStep.type == spec.name if spec.origin is ActionOrigin.STEP else WorkflowStep.action == spec.name
    rows = session.exec(
        select(Workflow.name, Workflow.title, WorkflowStep.name)
        .join(WorkflowVersion, col(WorkflowVersion.workflow_id) == Workflow.id)
        .join(WorkflowStep, col(WorkflowStep.version_id) == WorkflowVersion.id)
        .where(WorkflowVersion.number == wanted, of_spec)
        .order_by(Workflow.name, col(WorkflowStep.sequence))
    ).all()
    return _grouped(rows)


def repetition_words(spec: ActionSpec) -> str:
    """Say what happens to a call that a crash cut off."""
    if spec.origin is ActionOrigin.STEP:
        return "Goes on after a crash."
    if spec.idempotent:
        return "Repeated after a crash: twice does no harm."
    decided = "After a crash the step's on_lost decides"
    return f"{decided}, except for calls that do no harm twice." if spec.partly_idempotent else f"{decided}."


def dry_run_words(spec: ActionSpec) -> str:
    """Say what a dry run does."""
    return "Answers from its example in a dry run." if spec.touches_world else "Really runs in a dry run."


def example_step(spec: ActionSpec) -> str:
    """Write a step that uses the entry as its example does, as YAML to paste into a workflow."""
    if spec.origin is ActionOrigin.STEP:
        return document_to_yaml({"name": f"my_{spec.name}", "type": spec.name, **dict(spec.example_arguments)})
    name = spec.name.rpartition("/")[2].lower().replace("-", "_")
    return document_to_yaml(
        {"name": name, "type": "action", "action": spec.name, "parameters": dict(spec.example_arguments)}
    )


def _grouped(rows: Sequence[tuple[str, str, str]]) -> list[ActionUse]:
    found: dict[str, ActionUse] = {}
    for workflow, title, step in rows:
        found.setdefault(workflow, ActionUse(workflow, title or workflow, [])).steps.append(step)
    return list(found.values())


def _first_sentence(text: str) -> str:
    return text.partition("\n")[0]
