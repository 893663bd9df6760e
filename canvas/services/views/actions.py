"""The catalogue as pages show it: what there is, what each entry takes and gives, and who uses it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from canvas.domain.catalog import ActionSpec
from canvas.domain.catalog_search import search
from canvas.domain.control_flow import control_flow
from canvas.domain.dsl import document_to_yaml
from canvas.domain.schema_fields import SchemaField, fields_of
from canvas.services.action_uses import ActionUse as WorkflowUse
from canvas.services.action_uses import action_uses
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
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class ActionUse:
    """A workflow that has an entry of the catalogue in it."""

    workflow_name: str
    workflow_title: str
    where: str
    "In which of its versions, in words."


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
    is_archived: bool = False


def action_entries(session: Session, query: str = "", category: str = "") -> list[ActionSpec]:
    """Give the actions there are and the step types beside them that fit a search, the best first."""
    return search([*catalog(session).actions.values(), *control_flow().values()], query, category)


def action_entry(session: Session, name: str) -> ActionSpec:
    """Give one entry of the catalogue, by its name or by what other systems call it.

    Raises:
        ActionNotFound: there is none of this name.
    """
    for spec in action_entries(session):
        if name == spec.name or name in spec.aliases:
            return spec
    raise ActionNotFound(f"There is no action {name!r}.", action=name)


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
            is_archived=spec.is_archived,
        )
        for spec in action_entries(session, query, category)
    ]


def action_detail(session: Session, name: str) -> ActionDetail:
    """Show one entry of the catalogue.

    Raises:
        ActionNotFound: there is none of this name.
    """
    spec = action_entry(session, name)
    uses = _uses_of_step(session, spec.name) if spec.is_step else _uses_of_action(session, spec.name)
    return described(spec, uses)


def described(spec: ActionSpec, uses: Sequence[ActionUse] = ()) -> ActionDetail:
    """Put everything that is known about an entry of the catalogue in words."""
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
        repetition=_repetition(spec),
        dry_run="Answers from its example in a dry run." if spec.touches_world else "Really runs in a dry run.",
        arguments=list(fields_of(spec.arguments_schema)),
        result=list(fields_of(spec.result_schema)),
        example=_example(spec),
        uses=list(uses),
        is_archived=spec.is_archived,
    )


def _uses_of_action(session: Session, name: str) -> list[ActionUse]:
    return [ActionUse(use.workflow, use.title, _where(use)) for use in action_uses(session, name)]


def _where(use: WorkflowUse) -> str:
    if use.is_published:
        return "published"
    return f"version {use.versions[-1]}" if use.versions else "draft"


def _uses_of_step(session: Session, step_type: str) -> list[ActionUse]:
    rows = session.exec(
        select(Workflow.name, Workflow.title)
        .join(WorkflowVersion, col(WorkflowVersion.workflow_id) == Workflow.id)
        .join(WorkflowStep, col(WorkflowStep.version_id) == WorkflowVersion.id)
        .where(WorkflowVersion.number == Workflow.published_version, WorkflowStep.type == step_type)
        .order_by(Workflow.name)
        .distinct()
    ).all()
    return [ActionUse(name, title or name, "published") for name, title in rows]


def _repetition(spec: ActionSpec) -> str:
    if spec.is_step:
        return "Goes on after a crash."
    if spec.idempotent:
        return "Repeated after a crash: twice does no harm."
    decided = "After a crash the step's on_lost decides"
    return f"{decided}, except for calls that do no harm twice." if spec.partly_idempotent else f"{decided}."


def _example(spec: ActionSpec) -> str:
    if spec.is_step:
        return document_to_yaml({"name": f"my_{spec.name}", "type": spec.name, **dict(spec.example_arguments)})
    name = spec.name.rpartition("/")[2].lower().replace("-", "_")
    call = {"name": name, "type": "action", "action": spec.name, "parameters": dict(spec.example_arguments)}
    return document_to_yaml(call)


def _first_sentence(text: str) -> str:
    return text.partition("\n")[0]
