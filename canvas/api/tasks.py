"""Tasks over HTTP."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.domain.states import Complexity, TaskExecution, TaskOwner, TaskStatus, TaskType
from canvas.services import tasks, views
from canvas.services.access import Permission

router = APIRouter(prefix="/workflows/tasks", tags=["tasks"], route_class=StrictJson)
Viewer = Annotated[Caller, needs(Permission.VIEW)]
Operator = Annotated[Caller, needs(Permission.RUN)]


class NewTask(BaseModel):
    """A task to raise."""

    action: str = Field(min_length=1, max_length=255, description="What is to be done, in a few words.")
    description: str = Field(default="", max_length=20_000)
    task_type: TaskType = TaskType.CSM_TASK
    owner: TaskOwner | None = Field(default=None, description="Follows the type when it is left out.")
    priority: int = Field(default=3, ge=1, le=5, description="1 is the most urgent.")
    assignee: str = Field(default="", max_length=120)
    customer_id: str | None = Field(default=None, max_length=200, description="Whom or what it is about.")
    workflow_execution_id: str | None = Field(default=None, max_length=26, description="The run it belongs to.")
    parent_task_id: str | None = Field(default=None, max_length=26)
    due_at: AwareDatetime | None = None
    requires_decision: bool = False
    snooze_deadline: AwareDatetime | None = None
    outcomes: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default_factory=list, max_length=20)
    form: dict[str, Any] | None = Field(default=None, description="JSON Schema of the answers.")
    recommendation_id: str | None = Field(default=None, max_length=200)
    auto_execute: bool = False
    processor: str | None = Field(default=None, max_length=255, description="The action or workflow that executes it.")
    estimated_completion_time: str | None = Field(default=None, max_length=50)
    complexity: Complexity | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)

    def wish(self) -> tasks.TaskWish:
        """Give it in the services' words."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        renamed = {"customer_id": "subject", "workflow_execution_id": "run_id", "metadata": "details"}
        return tasks.TaskWish(**{renamed.get(name, name): value for name, value in given.items()})


class TaskPatch(BaseModel):
    """What about a task is to be different."""

    action: str | None = Field(default=None, min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=20_000)
    priority: int | None = Field(default=None, ge=1, le=5)
    assignee: str | None = Field(default=None, max_length=120)
    due_at: AwareDatetime | None = None
    status: TaskStatus | None = Field(default=None, description="`pending` or `in_progress`.")
    revision: int | None = Field(default=None, description="The one you looked at.")


class Decision(BaseModel):
    """Which task is meant: the one you looked at."""

    revision: int | None = Field(default=None, description="The one you looked at; left out, whatever it is now.")


class Completion(Decision):
    """How a task came out."""

    outcome: str | None = Field(default=None, description="One of the task's outcomes, if it has any.")
    answers: Any = Field(default=None, description="What its form asks for.")


class Skipping(Decision):
    """Why a task is not done."""

    reason: str = Field(min_length=1, max_length=2_000)


class Snooze(Decision):
    """Until when a task is put aside."""

    until: AwareDatetime


@router.post("", status_code=201, response_model=views.TaskRow)
def create_task(caller: Operator, body: NewTask) -> Response:
    """Raise a task."""
    with caller.transaction() as session:
        task_id = tasks.create_task(session, body.wish(), actor=caller.actor)
        return answer(views.task_row(session, task_id), 201)


@router.get("", response_model=views.TaskPage)
def list_tasks(
    caller: Viewer,
    status: Annotated[list[TaskStatus] | None, Query()] = None,
    owner: TaskOwner | None = None,
    task_type: TaskType | None = None,
    assignee: Annotated[str | None, Query(max_length=120)] = None,
    workflow_execution_id: Annotated[str | None, Query(max_length=26)] = None,
    customer_id: Annotated[str | None, Query(max_length=200)] = None,
    auto_execute: bool | None = None,
    execution_status: TaskExecution | None = None,
    parent_task_id: Annotated[str | None, Query(max_length=26)] = None,
    roots_only: bool = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """List tasks, the most urgent first, then the oldest."""
    wanted = views.TaskFilter(
        statuses=status or (),
        owner=owner,
        task_type=task_type,
        assignee=assignee,
        run_id=workflow_execution_id,
        subject=customer_id,
        auto_execute=auto_execute,
        execution_status=execution_status,
        parent_task_id=parent_task_id,
        roots_only=roots_only,
    )
    with caller.reading() as session:
        return answer(views.task_page(session, wanted, limit=limit, cursor=cursor))


@router.get("/{task_id}", response_model=views.TaskRow)
def read_task(caller: Viewer, task_id: str) -> Response:
    """Give one task."""
    with caller.reading() as session:
        return answer(views.task_row(session, task_id))


@router.get("/{task_id}/tree", response_model=list[views.TaskBranch])
def read_tree(caller: Viewer, task_id: str) -> Response:
    """Give a task and its sub-tasks of any depth."""
    with caller.reading() as session:
        return answer(views.task_tree(session, task_id))


@router.patch("/{task_id}", response_model=views.TaskRow)
def change_task(caller: Operator, task_id: str, body: TaskPatch) -> Response:
    """Change an open task."""
    change = tasks.TaskChange(**body.model_dump(exclude={"revision"}))
    with caller.transaction() as session:
        tasks.change_task(session, task_id, change, now=_now(), revision=body.revision)
        return answer(views.task_row(session, task_id))


@router.post("/{task_id}/complete", response_model=views.TaskRow)
def complete_task(caller: Operator, task_id: str, body: Completion) -> Response:
    """End a task as done; whatever waits for it goes on."""
    with caller.transaction() as session:
        tasks.complete_task(
            session,
            task_id,
            actor=caller.actor,
            now=_now(),
            outcome=body.outcome,
            answers=body.answers,
            revision=body.revision,
        )
        return answer(views.task_row(session, task_id))


@router.post("/{task_id}/skip", response_model=views.TaskRow)
def skip_task(caller: Operator, task_id: str, body: Skipping) -> Response:
    """End a task undone."""
    with caller.transaction() as session:
        tasks.skip_task(session, task_id, actor=caller.actor, now=_now(), reason=body.reason, revision=body.revision)
        return answer(views.task_row(session, task_id))


@router.post("/{task_id}/snooze", response_model=views.TaskRow)
def snooze_task(caller: Operator, task_id: str, body: Snooze) -> Response:
    """Put a task aside until a moment."""
    with caller.transaction() as session:
        tasks.snooze_task(session, task_id, body.until, now=_now(), revision=body.revision)
        return answer(views.task_row(session, task_id))


@router.post("/{task_id}/cancel", response_model=views.TaskRow)
def cancel_task(caller: Operator, task_id: str, body: Decision | None = None) -> Response:
    """End a task, and its open sub-tasks, because it is not wanted any more."""
    with caller.transaction() as session:
        tasks.cancel_task(session, task_id, actor=caller.actor, now=_now(), revision=body.revision if body else None)
        return answer(views.task_row(session, task_id))


@router.post("/{task_id}/reopen", response_model=views.TaskRow)
def reopen_task(caller: Operator, task_id: str) -> Response:
    """Take an ended task up again."""
    with caller.transaction() as session:
        tasks.reopen_task(session, task_id, now=_now())
        return answer(views.task_row(session, task_id))


def _now() -> datetime:
    return datetime.now(UTC)
