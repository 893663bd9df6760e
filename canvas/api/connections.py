"""Connections over HTTP: secrets go in and never come out."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from canvas.api.caller import Caller, StrictJson, answer, needs
from canvas.services import connection_tests, connections, views
from canvas.services.access import Permission
from canvas.vault import Vault

router = APIRouter(prefix="/connections", tags=["connections"], route_class=StrictJson)
Viewer = Annotated[Caller, needs(Permission.VIEW)]
Administrator = Annotated[Caller, needs(Permission.ADMINISTER)]


class ConnectionBody(BaseModel):
    """What a connection is to hold."""

    config: dict[str, Any] = Field(
        description="Its values, as the schema of its kind says. In a change, a secret that is left out is kept and "
        "null takes it away; of a secret made of several, those that are null are kept."
    )


class NewConnection(ConnectionBody):
    """A connection to keep."""

    name: str = Field(description="Lower-case letters, digits, `-` and `_`.", examples=["office-mail"])
    kind: str = Field(description="One of those that `GET /api/connections/kinds` lists.", examples=["smtp"])
    description: str = Field(default="", max_length=1_000)


class ChangedConnection(ConnectionBody):
    """How a connection is to be changed."""

    description: str | None = Field(default=None, max_length=1_000, description="Left out: as it is.")


@router.get("", response_model=list[views.ConnectionRow])
def list_connections(caller: Viewer) -> Response:
    """List all connections by name, with the workflows that name them and how their last test came out."""
    with caller.reading() as session:
        return answer(views.connection_rows(session))


@router.get("/kinds", response_model=list[views.KindRow])
def list_kinds(caller: Viewer) -> Response:
    """List the kinds of connections with the JSON Schemas of their values; secrets are `writeOnly`."""
    return answer(views.connection_kind_rows())


@router.post("", status_code=201, response_model=views.ConnectionDetail)
def create_connection(caller: Administrator, body: NewConnection) -> Response:
    """Keep a new connection."""
    vault = Vault(caller.settings)
    with caller.transaction() as session:
        connections.create_connection(
            session,
            body.name,
            kind=body.kind,
            config=body.config,
            vault=vault,
            description=body.description,
            created_by=caller.actor.name,
        )
        return answer(views.connection_detail(session, body.name, vault=vault), 201)


@router.get("/{name}", response_model=views.ConnectionDetail)
def get_connection(caller: Administrator, name: str) -> Response:
    """Give a connection's values; of its secrets only which are set."""
    with caller.reading() as session:
        return answer(views.connection_detail(session, name, vault=Vault(caller.settings)))


@router.put("/{name}", response_model=views.ConnectionDetail)
def change_connection(caller: Administrator, name: str, body: ChangedConnection) -> Response:
    """Give a connection other values; calls that are made from now on use them."""
    vault = Vault(caller.settings)
    with caller.transaction() as session:
        connections.change_connection(session, name, config=body.config, vault=vault, description=body.description)
        return answer(views.connection_detail(session, name, vault=vault))


@router.delete("/{name}", status_code=204)
def delete_connection(
    caller: Administrator,
    name: str,
    even_if_used: Annotated[bool, Query(description="Although workflows name it, whose steps will then fail.")] = False,
) -> Response:
    """Forget a connection; 409 with `used_by` when workflows name it."""
    with caller.transaction() as session:
        connections.delete_connection(session, name, even_if_used=even_if_used)
    return Response(status_code=204)


@router.post("/{name}/test", response_model=connection_tests.CheckResult)
def test_connection(caller: Administrator, name: str) -> Response:
    """Really reach what the connection leads to; says how it went, and remembers it."""
    return answer(connection_tests.check_connection(caller.settings, name))
