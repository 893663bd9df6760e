"""What can be used in a workflow: the actions there are, and the schema of the text form."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from canvas.api.caller import Caller, answer, needs
from canvas.domain.schema import definition_schema
from canvas.services import catalog, mcp_tools
from canvas.services.access import Permission

router = APIRouter(tags=["catalogue"])
Viewer = Annotated[Caller, needs(Permission.VIEW)]


@router.get("/actions")
def list_actions(caller: Viewer) -> Response:
    """List all actions with the schemas of their arguments and results; `origin` tells whose they are."""
    with caller.reading() as session:
        return answer(list(catalog.catalog(session).actions.values()))


@router.get("/actions/{namespace}/{name}")
def get_action(caller: Viewer, namespace: str, name: str) -> Response:
    """Give one action."""
    with caller.reading() as session:
        return answer(catalog.action_spec(session, f"{namespace}/{name}"))


@router.get("/mcp-servers", response_model=list[mcp_tools.ServerRow])
def list_mcp_servers(caller: Viewer) -> Response:
    """List MCP servers with the actions that their tools are; testing their connection lists them anew."""
    with caller.reading() as session:
        return answer(mcp_tools.server_rows(session))


@router.get("/schema")
def get_schema(caller: Viewer) -> Response:
    """Give the JSON Schema of workflow files, for editors that complete and check them."""
    return answer(definition_schema())
