"""API tokens over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.services import tokens, views
from canvas.services.access import Permission, Role

router = APIRouter(prefix="/tokens", tags=["tokens"], route_class=StrictJson)
Administrator = Annotated[Caller, needs(Permission.ADMINISTER)]


class NewToken(BaseModel):
    """A token to make."""

    name: str = Field(min_length=1, max_length=tokens.MAX_NAME, description="Who or what will use it.")
    role: Role = Field(default=Role.OPERATOR, description="What it may do.")
    expires_at: AwareDatetime | None = Field(default=None, description="When it ends; never, if left out.")


@router.get("", response_model=list[views.TokenRow])
def list_tokens(
    caller: Administrator, revoked: Annotated[bool, Query(description="Also those that were revoked.")] = False
) -> Response:
    """List the tokens, without their secrets."""
    with caller.reading() as session:
        return answer(views.token_rows(session, now=datetime.now(UTC), with_revoked=revoked))


@router.post("", status_code=201)
def create_token(caller: Administrator, body: NewToken) -> Response:
    """Make a token; only this answer holds its `secret`."""
    now = datetime.now(UTC)
    with caller.transaction() as session:
        made = tokens.create_token(
            session, body.name, body.role, now=now, expires_at=body.expires_at, created_by=caller.actor.name
        )
        row = views.as_plain(views.token_row(session, made.id, now=now))
    return answer({**row, "secret": made.secret}, 201, {"Cache-Control": "no-store"})


@router.delete("/{token_id}", status_code=204)
def revoke_token(caller: Administrator, token_id: str) -> Response:
    """Take a token back, by its id or its name."""
    with caller.transaction() as session:
        tokens.revoke_token(session, token_id, now=datetime.now(UTC))
    return Response(status_code=204)
