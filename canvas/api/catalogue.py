"""What can be used in a workflow: the actions there are, and the schema of the text form."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from canvas.actions.registry import plugins
from canvas.api.caller import Caller, answer, needs
from canvas.domain.catalog_search import MAX_QUERY
from canvas.domain.schema import definition_schema
from canvas.services import catalog, mcp_tools, views
from canvas.services.access import Permission

router = APIRouter(tags=["catalogue"])
Viewer = Annotated[Caller, needs(Permission.VIEW)]
Search = Annotated[str, Query(max_length=MAX_QUERY)]


@router.get("/actions")
def list_actions(caller: Viewer, q: Search = "", category: Search = "") -> Response:
    """List all actions, and the step types beside them, that have every word of `q`; other systems' names work too.

    User-defined actions are of origin `user`, those of packages of origin `plugin`. When a plug-in could not be loaded
    the header `Canvas-Plugin-Failures` says how many; `/plugins` says why.
    """
    failures = sum(plugin.failure != "" for plugin in plugins())
    with caller.reading() as session:
        found = views.action_entries(session, q, category)
    return answer(found, headers={"Canvas-Plugin-Failures": str(failures)} if failures else None)


@router.get("/actions/{name}")
def get_entry(caller: Viewer, name: str) -> Response:
    """Give a step type, such as `wait`, or the action that other systems call by this name, such as `SEND_EMAIL`."""
    with caller.reading() as session:
        return answer(views.action_entry(session, name))


@router.get("/plugins")
def list_plugins(caller: Viewer) -> Response:
    """List the packages that bring actions, with what each brings or why nothing of it is used."""
    return answer(plugins())


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
