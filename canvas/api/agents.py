"""The door for agents: `/api/mcp`, streamable HTTP, open to whoever brings a token."""

import asyncio
from importlib import import_module
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from canvas.api.caller import Caller, needs
from canvas.services.access import Permission

router = APIRouter(tags=["agents"])
Agent = Annotated[Caller, needs(Permission.VIEW, requires_token=True)]


class _Served(Response):
    """Lets the server answer the request itself."""

    def __init__(self, server: Any, caller: Caller) -> None:
        super().__init__()
        self._server = server
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await self._server.serve(scope, receive, send, self._caller)


async def speak(caller: Agent, request: Request) -> Response:
    """Speak the Model Context Protocol (streamable HTTP); needs an API token, whose role decides what can be done."""
    return _Served(await _server(request.app.state), caller)


for _method in ("GET", "POST", "DELETE"):
    router.add_api_route("/mcp", speak, methods=[_method], include_in_schema=_method == "POST")


async def _server(state: Any) -> Any:
    """Give the server of this event loop; the package it is made of is imported once somebody needs it."""
    loop = asyncio.get_running_loop()
    known = getattr(state, "agents", None)
    if known is None or known[0] is not loop:
        module = await asyncio.to_thread(import_module, "canvas.api.mcp.server")
        known = getattr(state, "agents", None)  # another request may have been faster
        if known is None or known[0] is not loop:
            known = state.agents = (loop, module.AgentServer())
    return known[1]
