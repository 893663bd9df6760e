"""Running what is not drawn: definitions compiled from a proposal, a task or a plan. They run on the same engine."""

from sqlmodel import Session

from canvas.domain.definition import Definition
from canvas.domain.dsl import content_hash, to_document
from canvas.domain.states import TriggerType, WorkflowPurpose, WorkflowStatus
from canvas.services.doorbell import wake_engine
from models import Workflow, WorkflowRun, WorkflowVersion
from models.columns import utc_now


def start_compiled(
    session: Session,
    definition: Definition,
    purpose: WorkflowPurpose,
    *,
    trigger_type: TriggerType,
    trigger_data: object,
    triggered_by: str,
) -> str:
    """Accept the run of a definition that nobody keeps as a workflow; gives the run's id.

    Its name must be free; the row it is kept under appears in no list of workflows.
    """
    now = utc_now()
    document = to_document(definition)
    workflow = Workflow(
        name=definition.name,
        title=definition.title,
        purpose=purpose,
        status=WorkflowStatus.ACTIVE,
        draft=document,
        latest_version=1,
        published_version=1,
        created_by=triggered_by,
    )
    session.add(workflow)
    session.flush()
    version = WorkflowVersion(
        workflow_id=workflow.id,
        number=1,
        definition=document,
        content_hash=content_hash(definition),
        created_by=triggered_by,
        published_at=now,
    )
    session.add(version)
    session.flush()
    run = WorkflowRun(
        workflow_id=workflow.id,
        version_id=version.id,
        workflow_name=workflow.name,
        version_number=1,
        trigger_type=trigger_type,
        trigger_data=trigger_data,
        triggered_by=triggered_by,
    )
    wake_engine(session)
    session.add(run)
    session.flush()
    return run.id
