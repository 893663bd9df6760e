"""Calling a user-defined action once, to see what it does."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from sqlmodel import Session, select

from canvas.domain.actions import UserAction
from canvas.domain.definition import SCHEMA_ID
from canvas.domain.states import TriggerType, WorkflowStatus
from canvas.domain.validation import is_name
from canvas.engine.user_actions import load_user_actions
from canvas.services import runs, versions, workflows
from canvas.services.catalog import ActionNotFound
from models import Workflow

PREFIX: Final = "_try_"
"What the names of workflows begin with that hold nothing but an action to be tried."


def try_action(
    session: Session, name: str, arguments: Mapping[str, Any], *, dry_run: bool = True, triggered_by: str = ""
) -> str:
    """Call an action once, by a run of a workflow that holds nothing else and is shown in no list.

    Returns:
        The run's id.

    Raises:
        ActionNotFound: there is no such user-defined action.
        DefinitionHasErrors: it is archived.
        InvalidParameters: there is no such argument.
    """
    action = load_user_actions(lambda statement: session.execute(statement).all(), [name]).get(name)
    if action is None:
        raise ActionNotFound(f"There is no user-defined action {name!r}.", action=name)
    for given in arguments:
        if not is_name(given):
            raise runs.InvalidParameters(f"{name!r} has no argument {given[:80]!r}.")
    trial = trial_name(name)
    workflow = session.exec(select(Workflow).where(Workflow.name == trial)).one_or_none()
    if workflow is None:
        workflows.create_workflow(session, trial, created_by=triggered_by)
        workflow = session.exec(select(Workflow).where(Workflow.name == trial)).one()
    document = _trial(action, trial, sorted(arguments))
    workflows.replace_draft(session, trial, base_revision=workflow.draft_revision, document=document)
    saved = versions.save_version(session, trial, created_by=triggered_by)
    workflow.status = WorkflowStatus.DRAFT
    run_id = runs.start_run(
        session,
        trial,
        arguments,
        version=saved.number,
        dry_run=dry_run,
        trigger_type=TriggerType.MANUAL,
        triggered_by=triggered_by,
    )
    workflow.status = WorkflowStatus.ARCHIVED
    return run_id


def forget_trials(session: Session, name: str) -> None:
    """Remove the runs in which an action was tried.

    Raises:
        WorkflowBusy: one is still going.
    """
    if session.exec(select(Workflow.id).where(Workflow.name == trial_name(name))).first() is not None:
        workflows.delete_workflow(session, trial_name(name))


def is_trial(workflow: str) -> bool:
    """Tell whether a workflow is only there to try an action."""
    return workflow.startswith(PREFIX)


def trial_name(name: str) -> str:
    """Name the workflow that an action is tried in; two actions never share one."""
    return f"{PREFIX}{name.replace('/', '_')[:40]}_{sha256(name.encode()).hexdigest()[:12]}"


def _trial(action: UserAction, trial: str, given: list[str]) -> dict[str, Any]:
    return {
        "dsl": SCHEMA_ID,
        "name": trial,
        "title": f"Trying {action.title or action.name}",
        "parameters": {name: {"type": "any"} for name in given},
        "outputs": {"output": {"type": "any", "value": "{{ steps.call.output }}"}},
        "steps": [
            {
                "name": "call",
                "title": action.title,
                "type": "action",
                "action": action.name,
                "parameters": {name: f"{{{{ workflow.parameters.{name} }}}}" for name in given},
            }
        ],
    }
