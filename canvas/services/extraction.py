"""Making an action out of a step that somebody has drawn."""

from typing import Any

from sqlmodel import Session

from canvas.domain.actions import document_from_step
from canvas.domain.documents import every_step
from canvas.domain.errors import NotFound
from canvas.services.definitions import find_workflow


class StepNotFound(NotFound):
    """The workflow's draft has no such step, or it calls nothing."""

    code = "step_not_found"


def action_from_step(session: Session, workflow: str, step: str) -> dict[str, Any]:
    """Propose the document of an action that does what a step of a draft does.

    What the step fills in from its run becomes an argument.

    Raises:
        WorkflowNotFound: there is no such workflow.
        StepNotFound: it has no such step, or one that calls neither an action nor a workflow.
    """
    for one, _ in every_step(find_workflow(session, workflow).draft):
        if one.get("name") == step and (document := document_from_step(one)) is not None:
            return document
    raise StepNotFound(f"{workflow!r} has no step {step!r} that calls something.", workflow=workflow, step=step)
