"""Tools for agents: what people decide on and do. An agent suggests; somebody approves."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import AwareDatetime, BaseModel, Field
from starlette.concurrency import run_in_threadpool

from canvas.api.caller import Caller
from canvas.api.mcp.tool import Arguments, agent_tool
from canvas.api.proposals import NewAction
from canvas.domain.states import ProposalStatus, TaskOwner, TaskStatus
from canvas.services import proposals, tasks, views
from canvas.services.access import Permission

T = TypeVar("T")


class Proposal(Arguments):
    """A chain of actions that somebody should approve."""

    name: str = Field(min_length=1, max_length=200, description="What the chain is for, in a few words.")
    description: str = Field(default="", max_length=10_000, description="Why, for whoever decides.")
    ticket_id: str | None = Field(default=None, max_length=200)
    expires_at: AwareDatetime | None = Field(default=None, description="When it is too late to approve it.")
    actions: list[NewAction] = Field(min_length=1, max_length=100, description="In order; see `list_actions`.")


class ProposedAction(BaseModel):
    """One action of a proposal."""

    action: str
    status: str
    reason: str
    scheduled_at: datetime | None
    last_error: str | None


class ProposalState(BaseModel):
    """A proposal."""

    proposal_id: str
    name: str
    status: str = Field(description="`proposed` until somebody decided; then as its run, or rejected or expired.")
    proposed_by: str
    decided_by: str
    decision_reason: str
    run_id: str | None = Field(description="Of the approved chain; see `get_run`.")
    actions: list[ProposedAction]


class WhichProposals(Arguments):
    """Which proposals to list."""

    status: list[ProposalStatus] = Field(default_factory=list, description="Empty: any.")
    limit: int = Field(default=20, ge=1, le=200)


class Proposals(BaseModel):
    """Some proposals, the newest first."""

    proposals: list[ProposalState]


class WhichTasks(Arguments):
    """Which tasks to list."""

    status: list[TaskStatus] = Field(
        default=[TaskStatus.PENDING, TaskStatus.IN_PROGRESS], description="Empty: any. Open ones by default."
    )
    owner: TaskOwner | None = Field(default=None, description="`AI`: those meant for agents.")
    assignee: str | None = Field(default=None, max_length=120)
    run_id: str | None = Field(default=None, max_length=26, description="Only those of a run.")
    limit: int = Field(default=20, ge=1, le=200)


class TaskState(BaseModel):
    """A task."""

    task_id: str
    action: str = Field(description="What is to be done.")
    description: str
    status: str
    owner: str
    assignee: str
    priority: int = Field(description="1 is the most urgent.")
    due_at: datetime | None
    outcomes: list[str] = Field(description="How it may come out; `complete_task` names one, if there are any.")
    form: dict[str, Any] | None = Field(description="JSON Schema of the answers that `complete_task` takes.")
    outcome: str | None
    answers: Any
    run_id: str | None = Field(description="The run that waits for it, if any.")
    revision: int = Field(description="Give it back to `complete_task`, so that you complete what you looked at.")


class Tasks(BaseModel):
    """Some tasks, the most urgent first."""

    tasks: list[TaskState]


class Completion(Arguments):
    """How a task came out."""

    task_id: str = Field(max_length=26)
    outcome: str | None = Field(default=None, max_length=64, description="One of the task's outcomes, if it has any.")
    answers: Any = Field(default=None, description="What the task's form asks for.")
    revision: int | None = Field(default=None, description="The one you looked at.")


@agent_tool(Permission.RUN, "Propose a chain of actions")
async def propose_actions(caller: Caller, args: Proposal) -> ProposalState:
    """Suggest a chain of actions to people. Nothing runs before somebody approves it; then it is one run.

    Each action waits for the one before it unless `depends_on` names another by its place, from 0. Later arguments may
    use earlier results: `{{ steps.action_0.output.x }}`. Everything that is wrong is told at once.
    """

    def propose(session: Any) -> ProposalState:
        wishes = [proposals.ActionWish(**one.model_dump()) for one in args.actions]
        made = proposals.propose(
            session,
            args.name,
            wishes,
            actor=caller.actor,
            description=args.description,
            ticket_id=args.ticket_id,
            expires_at=args.expires_at,
        )
        return _proposal(views.proposal_row(session, made))

    return await _write(caller, propose)


@agent_tool(Permission.VIEW, "List proposals", reads_only=True)
async def list_proposals(caller: Caller, args: WhichProposals) -> Proposals:
    """List proposals with what became of each action, the newest first."""

    def read(session: Any) -> Sequence[views.ProposalRow]:
        return views.proposal_page(session, statuses=args.status, limit=args.limit).proposals

    return Proposals(proposals=[_proposal(row) for row in await _read(caller, read)])


@agent_tool(Permission.VIEW, "List tasks", reads_only=True)
async def list_tasks(caller: Caller, args: WhichTasks) -> Tasks:
    """List what people and agents have to do, the most urgent first."""
    wanted = views.TaskFilter(
        statuses=args.status, owner=args.owner, assignee=args.assignee, run_id=args.run_id, roots_only=False
    )

    def read(session: Any) -> Sequence[views.TaskRow]:
        return views.task_page(session, wanted, limit=args.limit).tasks

    return Tasks(tasks=[_task(row) for row in await _read(caller, read)])


@agent_tool(Permission.RUN, "Complete a task")
async def complete_task(caller: Caller, args: Completion) -> TaskState:
    """End a task as done, with its outcome and the answers its form asks for. A run that waits for it goes on."""

    def complete(session: Any) -> TaskState:
        tasks.complete_task(
            session,
            args.task_id,
            actor=caller.actor,
            now=datetime.now(UTC),
            outcome=args.outcome,
            answers=args.answers,
            revision=args.revision,
        )
        return _task(views.task_row(session, args.task_id))

    return await _write(caller, complete)


async def _read(caller: Caller, function: Callable[[Any], T]) -> T:
    def within() -> T:
        with caller.reading() as session:
            return function(session)

    return await run_in_threadpool(within)


async def _write(caller: Caller, function: Callable[[Any], T]) -> T:
    def within() -> T:
        with caller.transaction() as session:
            return function(session)

    return await run_in_threadpool(within)


def _proposal(row: views.ProposalRow) -> ProposalState:
    chain = [
        ProposedAction(
            action=one.action,
            status=str(one.status),
            reason=one.reason,
            scheduled_at=one.scheduled_at,
            last_error=one.last_error,
        )
        for one in row.actions
    ]
    return ProposalState(
        proposal_id=row.id,
        name=row.name,
        status=str(row.status),
        proposed_by=row.proposed_by,
        decided_by=row.decided_by,
        decision_reason=row.decision_reason,
        run_id=row.run_id,
        actions=chain,
    )


def _task(row: views.TaskRow) -> TaskState:
    return TaskState(
        task_id=row.id,
        action=row.action,
        description=row.description,
        status=str(row.status),
        owner=str(row.owner),
        assignee=row.assignee,
        priority=row.priority,
        due_at=row.due_at,
        outcomes=row.outcomes,
        form=row.form,
        outcome=row.outcome,
        answers=row.answers,
        run_id=row.workflow_execution_id,
        revision=row.revision,
    )
