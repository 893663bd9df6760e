"""User-defined actions over HTTP; the catalogue of all actions is in `catalogue`."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.domain.actions import action_schema
from canvas.services import action_uses, actions, trials
from canvas.services.access import Permission

router = APIRouter(prefix="/actions", tags=["actions"], route_class=StrictJson)
Viewer = Annotated[Caller, needs(Permission.VIEW)]
Editor = Annotated[Caller, needs(Permission.EDIT)]
Document = Annotated[dict[str, Any], WithJsonSchema(action_schema())]
_TEXT = {"requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}}


class Change(BaseModel):
    """Another definition for an action."""

    base_version: int = Field(description="The action's version that you started from.")
    document: Document


class Trial(BaseModel):
    """What an action is to be tried with."""

    arguments: dict[str, Any] = Field(default_factory=dict)
    dry_run: bool = Field(default=True, description="False really calls it.")


@router.post("", status_code=201, response_model=actions.ActionDetail)
def create_action(caller: Editor, body: Document) -> Response:
    """Make a user-defined action; it is in the palette at once."""
    with caller.transaction() as session:
        detail = actions.create_action(session, body, created_by=caller.actor.name)
    return answer(detail, 201)


@router.post("/check", response_model=actions.Judgement)
def check_action(caller: Viewer, body: Document) -> Response:
    """Say everything that is wrong with an action, and which invariants are checked, without keeping it."""
    with caller.reading() as session:
        return answer(actions.judge_action(session, body))


@router.post("/import", status_code=201, response_model=actions.ActionDetail, openapi_extra=_TEXT)
async def import_action(
    caller: Editor, request: Request, if_exists: Literal["fail", "update", "skip"] = "fail"
) -> Response:
    """Make or change an action from YAML or JSON in the body; 200 when there was one of this name."""
    text = await request.body()
    return await run_in_threadpool(_import, caller, text, if_exists)


def _import(caller: Caller, text: bytes, if_exists: str) -> Response:
    with caller.transaction() as session:
        detail, outcome = actions.import_action(session, text, if_exists=if_exists, created_by=caller.actor.name)
    return answer({**asdict(detail), "outcome": outcome}, 201 if outcome == "created" else 200)


@router.get("/{namespace}/{name}/definition", response_model=actions.ActionDetail)
def open_action(caller: Viewer, namespace: str, name: str) -> Response:
    """Give a user-defined action as it is kept, with the version that a change has to name."""
    with caller.reading() as session:
        return answer(actions.open_action(session, f"{namespace}/{name}"))


@router.get("/{namespace}/{name}/uses", response_model=list[action_uses.ActionUse])
def list_uses(caller: Viewer, namespace: str, name: str) -> Response:
    """List the workflows that name an action, whoever defined it."""
    with caller.reading() as session:
        return answer(action_uses.action_uses(session, f"{namespace}/{name}"))


@router.get("/{namespace}/{name}/export")
def export_action(caller: Viewer, namespace: str, name: str, format: Literal["yaml", "json"] = "yaml") -> Response:
    """Give a user-defined action as canonical text, which can be imported elsewhere."""
    with caller.reading() as session:
        text = actions.export_action(session, f"{namespace}/{name}", format=format)
    headers = {"Content-Disposition": f'attachment; filename="{namespace}_{name}.{format}"'}
    return Response(text, headers=headers, media_type=f"application/{format}")


@router.put("/{namespace}/{name}", response_model=actions.ActionDetail)
def change_action(caller: Editor, namespace: str, name: str, body: Change) -> Response:
    """Put another definition in the place of a user-defined action's; workflows that name it take it from then on."""
    with caller.transaction() as session:
        detail = actions.change_action(session, f"{namespace}/{name}", body.document, base_version=body.base_version)
    return answer(detail)


@router.delete("/{namespace}/{name}", status_code=204)
def delete_action(caller: Editor, namespace: str, name: str) -> Response:
    """Remove a user-defined action that no workflow names."""
    with caller.transaction() as session:
        actions.delete_action(session, f"{namespace}/{name}")
    return Response(status_code=204)


@router.post("/{namespace}/{name}/archive", status_code=204)
def archive_action(caller: Editor, namespace: str, name: str) -> Response:
    """Take a user-defined action out of the palette; what names it goes on."""
    with caller.transaction() as session:
        actions.archive_action(session, f"{namespace}/{name}")
    return Response(status_code=204)


@router.post("/{namespace}/{name}/restore", status_code=204)
def restore_action(caller: Editor, namespace: str, name: str) -> Response:
    """Take an archived action back into the palette."""
    with caller.transaction() as session:
        actions.restore_action(session, f"{namespace}/{name}")
    return Response(status_code=204)


@router.post("/{namespace}/{name}/try", status_code=202)
def try_action(caller: Editor, namespace: str, name: str, body: Trial) -> Response:
    """Call a user-defined action once, by a run of its own; the answer names the run."""
    with caller.transaction() as session:
        run_id = trials.try_action(
            session,
            f"{namespace}/{name}",
            body.arguments,
            dry_run=body.dry_run,
            triggered_by=caller.actor.name,
        )
    return answer({"id": run_id}, 202, {"Location": f"/api/runs/{run_id}"})
