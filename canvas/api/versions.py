"""Versions of a workflow over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.domain.states import ChangeType
from canvas.services import versions, views
from canvas.services.access import Permission

router = APIRouter(prefix="/workflows/{name}", tags=["versions"], route_class=StrictJson)
Viewer = Annotated[Caller, needs(Permission.VIEW)]
Editor = Annotated[Caller, needs(Permission.EDIT)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class NewVersion(BaseModel):
    """How the draft is to be saved."""

    base_revision: int | None = Field(default=None, description="The draft's revision you looked at.")
    change_summary: str = Field(default="", max_length=10_000)
    change_type: ChangeType | None = Field(default=None, description="Left out: what the changes suggest.")
    publish: bool = False


@router.get("/versions", response_model=list[views.VersionRow])
def list_versions(caller: Viewer, name: str) -> Response:
    """List a workflow's versions, newest first."""
    with caller.reading() as session:
        return answer(views.version_rows(session, name))


@router.post("/versions", status_code=201, response_model=versions.SavedVersion)
def save_version(caller: Editor, name: str, body: NewVersion) -> Response:
    """Save the draft as the next version; 200 instead of 201 when nothing had changed."""
    with caller.transaction() as session:
        saved = versions.save_version(
            session,
            name,
            base_revision=body.base_revision,
            change_summary=body.change_summary,
            change_type=body.change_type,
            created_by=caller.actor.name,
        )
        if body.publish:
            versions.publish_version(session, name, saved.number)
    return answer(saved, 201 if saved.is_new else 200)


@router.get("/versions/{number}")
def get_version(caller: Viewer, name: str, number: Number) -> Response:
    """Give a version's definition and layout."""
    with caller.reading() as session:
        document, layout = views.version_document(session, name, number)
    return answer({"name": name, "number": number, "document": document, "layout": layout})


@router.post("/versions/{number}/publish", status_code=204)
def publish_version(caller: Editor, name: str, number: Number) -> Response:
    """Let triggers start this version from now on; publishing an older one rolls back."""
    with caller.transaction() as session:
        versions.publish_version(session, name, number)
    return Response(status_code=204)


@router.get("/diff")
def compare_versions(
    caller: Viewer,
    name: str,
    old: Annotated[int, Query(alias="from", ge=1, le=2**31 - 1)],
    new: Annotated[int | None, Query(alias="to", ge=1, le=2**31 - 1, description="Left out: the draft.")] = None,
) -> Response:
    """Say what differs between two versions, and what of it breaks callers."""
    with caller.reading() as session:
        difference = versions.version_diff(session, name, old, new)
    return answer(
        {
            "added": difference.added,
            "removed": difference.removed,
            "changed": difference.changed,
            "meta": difference.meta,
            "breaking": difference.breaking,
            "change_type": difference.change_type,
            "is_empty": difference.is_empty,
        }
    )
