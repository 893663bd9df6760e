"""Tools for agents: what workflows there are, and their runs."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from canvas.api.caller import Caller
from canvas.api.mcp.tool import Arguments, agent_tool
from canvas.api.results import RESULTS
from canvas.api.runs import MAX_WAIT_SECONDS, NewRun, begin_run, wait_for_end, whole_run
from canvas.domain.catalog import ActionSpec
from canvas.domain.catalog_search import search
from canvas.domain.definition import walk
from canvas.domain.schema import parameters_schema
from canvas.services import runs, views
from canvas.services.access import Permission
from canvas.services.catalog import catalog
from canvas.services.definitions import definition_of, find_version, find_workflow

_NAME = Field(max_length=200, description="The workflow's name.", examples=["order_triage"])
_RUN = Field(max_length=26, description="The run's id.")


class Search(Arguments):
    """Which workflows to list."""

    text: str = Field(default="", max_length=200, description="Part of the name, title or description. Empty: all.")
    tag: str = Field(default="", max_length=100, description="Only those that carry it.")
    limit: int = Field(default=50, ge=1, le=200)


class WorkflowSummary(BaseModel):
    """A workflow in a list."""

    name: str
    title: str
    description: str
    status: str
    tags: list[str]
    published_version: int | None = Field(description="Null: it cannot be started yet.")


class Workflows(BaseModel):
    """Some workflows."""

    workflows: list[WorkflowSummary]


class WorkflowName(Arguments):
    """Which workflow."""

    name: str = _NAME


class Step(BaseModel):
    """A step, without what is inside of it."""

    name: str
    title: str
    type: str
    does: str = Field(description="The action it calls or the workflow it starts; empty for others.")


class WorkflowDescription(BaseModel):
    """What somebody who wants to start a workflow has to know."""

    name: str
    title: str
    description: str
    version: int
    parameters_schema: dict[str, Any] = Field(description="JSON Schema of what `start_run` takes as `parameters`.")
    outputs: dict[str, str] = Field(description="What its run gives in the end, by name: descriptions.")
    steps: list[Step]


class ActionSearch(Arguments):
    """Which actions to list."""

    text: str = Field(default="", max_length=200, description="Words that all have to occur. Empty: all.")
    with_schemas: bool = Field(default=False, description="Whether to tell what each takes; for few actions only.")
    limit: int = Field(default=50, ge=1, le=200)


class ActionSummary(BaseModel):
    """An action that a proposal or a workflow can call."""

    name: str
    title: str
    category: str
    description: str
    arguments_schema: dict[str, Any] | None = Field(description="JSON Schema; null unless it was asked for.")


class Actions(BaseModel):
    """Some actions."""

    actions: list[ActionSummary]


class Start(Arguments):
    """What to start, and how."""

    name: str = _NAME
    parameters: dict[str, Any] = Field(default_factory=dict, description="As `describe_workflow` says.")
    wait_seconds: float = Field(
        default=0, ge=0, le=MAX_WAIT_SECONDS, description="Wait so long for the end. 0: answer at once."
    )
    dry_run: bool = Field(default=False, description="Actions that touch the world answer from their examples.")
    idempotency_key: str | None = Field(
        default=None, min_length=1, max_length=255, description="A second start with the same key gives the same run."
    )


class RunId(Arguments):
    """Which run."""

    run_id: str = _RUN


class RunState(BaseModel):
    """A run."""

    run_id: str
    workflow: str
    status: str = Field(description="pending, running, paused, completed, failed or cancelled.")
    progress: int = Field(description="0 to 100.")
    output: Any = Field(description="Its outputs, once it completed.")
    error: dict[str, Any] | None = Field(description="What made it fail, with `code`, `message` and `step`.")
    steps: dict[str, "StepState"] = Field(description="By path; a step that was not reached is left out.")
    started_at: datetime | None
    ended_at: datetime | None


class StepState(BaseModel):
    """A step of a run."""

    status: str
    attempt: int
    output: Any
    error: dict[str, Any] | None


class Wished(BaseModel):
    """Whose end was asked for."""

    run_id: str
    status: str = Field(description="At the moment of asking; look again to see it end.")


@agent_tool(Permission.VIEW, "List workflows", reads_only=True)
async def list_workflows(caller: Caller, args: Search) -> Workflows:
    """List the workflows there are, the last edited first; archived ones are left out."""

    def read() -> Workflows:
        with caller.reading() as session:
            cards = views.workflow_cards(session, text=args.text, tag=args.tag, limit=args.limit)
        found = [
            WorkflowSummary(
                name=card.name,
                title=card.title,
                description=card.description,
                status=card.status,
                tags=card.tags,
                published_version=card.published_version,
            )
            for card in cards
        ]
        return Workflows(workflows=found)

    return await run_in_threadpool(read)


@agent_tool(Permission.VIEW, "Describe a workflow", reads_only=True)
async def describe_workflow(caller: Caller, args: WorkflowName) -> WorkflowDescription:
    """Say what a published workflow does, which parameters a run takes, and which outputs it gives."""

    def read() -> WorkflowDescription:
        with caller.reading() as session:
            saved = find_version(session, find_workflow(session, args.name), None)
            definition = definition_of(saved)
        steps = [placed.step for placed in walk(definition.scope)]
        return WorkflowDescription(
            name=args.name,
            title=definition.title,
            description=definition.description,
            version=saved.number,
            parameters_schema=parameters_schema(definition),
            outputs={name: output.description for name, output in definition.outputs.items()},
            steps=[Step(name=step.name, title=step.title, type=str(step.type), does=_does(step)) for step in steps],
        )

    return await run_in_threadpool(read)


@agent_tool(Permission.VIEW, "List actions", reads_only=True)
async def list_actions(caller: Caller, args: ActionSearch) -> Actions:
    """List the actions that can be proposed: built in, user-defined, and tools of MCP servers."""

    def read() -> Actions:
        with caller.reading() as session:
            known = catalog(session).actions
        found = search(list(known.values()), args.text)[: args.limit]
        return Actions(actions=[_action(spec, args.with_schemas) for spec in found])

    return await run_in_threadpool(read)


@agent_tool(Permission.RUN, "Start a run")
async def start_run(caller: Caller, args: Start) -> RunState:
    """Start a run of a workflow's published version, and give it as it stands when it ends or the time is up."""
    body = NewRun(parameters=args.parameters, dry_run=args.dry_run)
    run_id = await run_in_threadpool(begin_run, caller, args.name, body, args.idempotency_key, RESULTS.port)
    if args.wait_seconds:
        await wait_for_end(caller, run_id, args.wait_seconds)
    return await run_in_threadpool(_state, caller, run_id)


@agent_tool(Permission.VIEW, "Look at a run", reads_only=True)
async def get_run(caller: Caller, args: RunId) -> RunState:
    """Give a run's status, the state of each step that was reached, and its output or error."""
    return await run_in_threadpool(_state, caller, args.run_id)


@agent_tool(Permission.RUN, "Cancel a run", idempotent=True)
async def cancel_run(caller: Caller, args: RunId) -> Wished:
    """Ask a run to stop: nothing more starts, and what is going on is asked to stop."""

    def wish() -> Wished:
        with caller.transaction() as session:
            runs.cancel_run(session, args.run_id)
            return Wished(run_id=args.run_id, status=runs.run_status(session, args.run_id))

    return await run_in_threadpool(wish)


def _state(caller: Caller, run_id: str) -> RunState:
    run = whole_run(caller, run_id)
    steps = {
        path: StepState(status=str(step["status"]), attempt=step["attempt"], output=step["output"], error=step["error"])
        for path, step in run["step_executions"].items()
    }
    return RunState(
        run_id=run["id"],
        workflow=run["workflow_name"],
        status=str(run["status"]),
        progress=run["progress"],
        output=run["output"],
        error=run["error"] or None,
        steps=steps,
        started_at=run["started_at"],
        ended_at=run["ended_at"],
    )


def _does(step: Any) -> str:
    return str(getattr(step, "action", "") or getattr(step, "workflow", ""))


def _action(spec: ActionSpec, with_schema: bool) -> ActionSummary:
    return ActionSummary(
        name=spec.name,
        title=spec.title,
        category=spec.category,
        description=spec.description,
        arguments_schema=dict(spec.arguments_schema) if with_schema else None,
    )
