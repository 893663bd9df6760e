"""Which workflows name an action."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain.documents import every_step
from canvas.services.trials import trial_name
from models import Workflow, WorkflowStep, WorkflowVersion


@dataclass(frozen=True, slots=True)
class ActionUse:
    """A workflow that names an action."""

    workflow: str
    title: str
    in_draft: bool
    versions: tuple[int, ...]
    "Ascending."
    is_published: bool
    "Whether the published version is one of them."


def action_uses(session: Session, name: str) -> list[ActionUse]:
    """List the workflows that name an action in a version or in their draft, by name."""
    kept: dict[str, list[int]] = {}
    for workflow, number in session.exec(
        select(WorkflowVersion.workflow_id, WorkflowVersion.number)
        .join(WorkflowStep, col(WorkflowStep.version_id) == WorkflowVersion.id)
        .where(WorkflowStep.action == name)
        .order_by(WorkflowVersion.number)  # type: ignore[arg-type]  # SQLModel types columns as their values
        .distinct()
    ):
        kept.setdefault(workflow, []).append(number)
    drafted = sa.cast(col(Workflow.draft), sa.Text).contains(f'"{name}', autoescape=True)
    found = session.exec(
        select(Workflow).where(sa.or_(drafted, col(Workflow.id).in_(kept))).order_by(Workflow.name)
    ).all()
    uses = [_use(workflow, name, kept.get(workflow.id, [])) for workflow in found]
    return [use for use in uses if (use.in_draft or use.versions) and use.workflow != trial_name(name)]


def _use(workflow: Workflow, name: str, numbers: list[int]) -> ActionUse:
    named = (str(step.get("action", "")).partition("@")[0] for step, _ in every_step(workflow.draft))
    return ActionUse(
        workflow=workflow.name,
        title=workflow.title or workflow.name,
        in_draft=name in named,
        versions=tuple(numbers),
        is_published=workflow.published_version in numbers,
    )
