"""Workflows over HTTP: the list, the draft, import and export."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.domain.states import WorkflowStatus
from canvas.services import judging, versions, views, workflows
from canvas.services.access import Permission
from canvas.services.catalog import catalog
from canvas.services.connection_uses import workflow_needs

router = APIRouter(prefix="/workflows", tags=["workflows"], route_class=StrictJson)
Name = str
Viewer = Annotated[Caller, needs(Permission.VIEW)]
Editor = Annotated[Caller, needs(Permission.EDIT)]
_TEXT = {"requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}}


class NewWorkflow(BaseModel):
    """A workflow to make."""

    name: str = Field(description="Lower-case letters, digits and underscores.", examples=["vm_deployment"])
    title: str = ""
    description: str = ""
    document: dict[str, Any] | None = Field(default=None, description="The whole definition; its name is ignored.")


class NewDraft(BaseModel):
    """A document to put in the place of the draft."""

    base_revision: int = Field(description="The draft's revision that you started from.")
    document: dict[str, Any]
    layout: dict[str, tuple[float, float]] | None = None


class Edit(BaseModel):
    """Operations on the draft."""

    base_revision: int = Field(description="The draft's revision that you started from.")
    operations: list[dict[str, Any]] = Field(description="In order; see `canvas.domain.editing`.")


class NewName(BaseModel):
    """A name for a copy."""

    name: str


class Draft(BaseModel):
    """A draft as it stands."""

    name: str
    revision: int
    document: dict[str, Any]
    layout: dict[str, list[float]]
    problems: list[dict[str, Any]]


@router.get("", response_model=views.WorkflowPage)
def list_workflows(
    caller: Viewer,
    text: Annotated[str, Query(max_length=200, description="Part of name, title or description.")] = "",
    status: WorkflowStatus | None = None,
    tag: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """List workflows by name; archived ones only when asked for."""
    with caller.reading() as session:
        return answer(views.workflow_page(session, text=text, status=status, tag=tag, limit=limit, cursor=cursor))


@router.post("", status_code=201, response_model=Draft)
def create_workflow(caller: Editor, body: NewWorkflow) -> Response:
    """Make a workflow, empty or with a definition as its draft."""
    with caller.transaction() as session:
        draft = workflows.create_workflow(
            session, body.name, title=body.title, description=body.description, created_by=caller.actor.name
        )
        if body.document is not None:
            draft = workflows.replace_draft(session, body.name, base_revision=draft.revision, document=body.document)
    return answer(draft, 201)


@router.post("/import", status_code=201, openapi_extra=_TEXT)
async def import_workflow(
    caller: Editor,
    request: Request,
    format: Literal["auto", "canvas", "archon", "orb"] = "auto",
    name: Annotated[str | None, Query(max_length=200, description="Instead of the name in the text.")] = None,
    publish: bool = False,
    if_exists: Literal["fail", "update", "skip"] = "fail",
) -> Response:
    """Import a workflow from YAML or JSON in the body: ours, or one of the foreign shapes.

    Without errors it is saved as a version, and published when asked for; else it is kept as a draft to be repaired.
    """
    text = await request.body()
    return await run_in_threadpool(_import, caller, text, format, name, publish, if_exists)


def _import(caller: Caller, text: bytes, format: str, name: str | None, publish: bool, if_exists: str) -> Response:
    with caller.transaction() as session:
        result = workflows.import_workflow(
            session,
            text,
            format=format,
            name=name,
            publish=publish,
            if_exists=if_exists,
            created_by=caller.actor.name,
        )
    needs = {"connections": result.needs}
    return answer({**views.as_plain(result), "needs": needs}, 201 if result.outcome == "created" else 200)


@router.post("/validate", openapi_extra=_TEXT)
async def validate_text(
    caller: Viewer, request: Request, format: Literal["auto", "canvas", "archon", "orb"] = "auto"
) -> Response:
    """Say everything that is wrong with the workflow in the body, without keeping it."""
    text = await request.body()
    return await run_in_threadpool(_validate, caller, text, format)


def _validate(caller: Caller, text: bytes, format: str) -> Response:
    with caller.reading() as session:
        reading = judging.read_text(text, catalog(session), format=format)
    return answer(
        {
            "valid": not reading.errors,
            "format": reading.format,
            "problems": reading.problems,
            "notes": reading.notes,
        }
    )


@router.get("/{name}")
def get_workflow(caller: Viewer, name: Name) -> Response:
    """Give a workflow with its draft and everything that is wrong with that."""
    with caller.reading() as session:
        detail = views.workflow_detail(session, name)
        problems = workflows.open_draft(session, name).problems
    return answer(
        {
            **views.as_plain(detail.card),
            "draft": {"document": detail.document, "layout": detail.layout, "problems": problems},
            "has_unsaved_changes": detail.has_unsaved_changes,
        }
    )


@router.put("/{name}", response_model=Draft)
def replace_draft(caller: Editor, name: Name, body: NewDraft) -> Response:
    """Put a whole document in the place of the draft."""
    with caller.transaction() as session:
        return answer(
            workflows.replace_draft(
                session, name, base_revision=body.base_revision, document=body.document, layout=body.layout
            )
        )


@router.patch("/{name}/draft", response_model=Draft)
def edit_draft(caller: Editor, name: Name, body: Edit) -> Response:
    """Apply operations to the draft."""
    with caller.transaction() as session:
        return answer(
            workflows.save_draft_operations(session, name, base_revision=body.base_revision, operations=body.operations)
        )


@router.delete("/{name}", status_code=204)
def delete_workflow(caller: Editor, name: Name) -> Response:
    """Remove a workflow with its versions, triggers and runs."""
    with caller.transaction() as session:
        workflows.delete_workflow(session, name)
    return Response(status_code=204)


@router.post("/{name}/archive", status_code=204)
def archive_workflow(caller: Editor, name: Name) -> Response:
    """Take a workflow out of use: nothing starts it any more."""
    with caller.transaction() as session:
        workflows.archive_workflow(session, name)
    return Response(status_code=204)


@router.post("/{name}/restore", status_code=204)
def restore_workflow(caller: Editor, name: Name) -> Response:
    """Take an archived workflow back into use."""
    with caller.transaction() as session:
        workflows.restore_workflow(session, name)
    return Response(status_code=204)


@router.post("/{name}/unpublish", status_code=204)
def unpublish_workflow(caller: Editor, name: Name) -> Response:
    """Let nothing start the workflow by itself any more."""
    with caller.transaction() as session:
        versions.unpublish_workflow(session, name)
    return Response(status_code=204)


@router.post("/{name}/duplicate", status_code=201, response_model=Draft)
def duplicate_workflow(caller: Editor, name: Name, body: NewName) -> Response:
    """Make a new workflow with the same draft."""
    with caller.transaction() as session:
        draft = workflows.duplicate_workflow(session, name, body.name, created_by=caller.actor.name)
    return answer(draft, 201)


@router.get("/{name}/export")
def export_workflow(
    caller: Viewer,
    name: Name,
    format: Literal["yaml", "json"] = "yaml",
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """Give a workflow as canonical text: a version, or the draft when none is named."""
    with caller.reading() as session:
        text = workflows.export_workflow(session, name, format=format, version=version)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{format}"'}
    return Response(text, headers=headers, media_type=f"application/{format}")


@router.get("/{name}/needs")
def get_needs(caller: Viewer, name: Name, version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None) -> Response:
    """List what a workflow needs besides itself: the connections it names, and which of them are missing here."""
    with caller.reading() as session:
        return answer({"connections": workflow_needs(session, name, version=version)})
