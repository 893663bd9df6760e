"""The server itself: the official package's streamable HTTP, fed with our tools. Imported with the first request."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

import mcp_types as types
from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from canvas.actions.schemas import faults_of
from canvas.api.caller import Caller
from canvas.api.mcp.tool import AgentTool, agent_tools
from canvas.domain.errors import CanvasError, DefectError
from canvas.services.access import allows, require

CALLER: Final = "canvas.caller"
_INSTRUCTIONS: Final = (
    "Canvas runs workflows. Find one with list_workflows, learn its parameters with describe_workflow, start it with "
    "start_run and look at it with get_run. What should be decided by a person first is suggested with propose_actions."
)
_log = logging.getLogger(__name__)


class AgentServer:
    """Serves agents, one request at a time: nothing is remembered between two, so any process may answer the next.

    Belongs to the event loop of its first request.
    """

    def __init__(self) -> None:
        logging.getLogger("mcp.server").setLevel(logging.WARNING)  # it tells of each session
        self._tools = agent_tools()
        server: Server[Any] = Server(
            "Canvas",
            version="1",
            title="Canvas",
            instructions=_INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        self._manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)
        self._is_ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run())

    async def serve(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        """Answer a request of somebody who is known."""
        await asyncio.shield(self._is_ready)
        await self._manager.handle_request({**scope, CALLER: caller}, receive, send)

    async def _run(self) -> None:
        """Keep the package's own tasks; they end with the event loop."""
        async with self._manager.run():
            self._is_ready.set_result(None)
            await asyncio.Event().wait()

    async def _list(
        self, context: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """List what the caller's role allows."""
        del params
        actor = _caller(context).actor
        allowed = [tool for tool in self._tools.values() if allows(actor, tool.permission)]
        return types.ListToolsResult(tools=[_shown(tool) for tool in allowed])

    async def _call(
        self, context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool = self._tools.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no tool {params.name[:80]!r}.")
        try:
            return await _answer(tool, _caller(context), params.arguments or {})
        except ValidationError as error:
            return _failed("invalid_arguments", f"{tool.name} cannot be called like this: {faults_of(error)}.", {})
        except DefectError:
            _log.exception("The tool %s failed.", tool.name)
        except CanvasError as error:
            return _failed(error.code, str(error), error.details)
        except Exception:
            _log.exception("The tool %s failed.", tool.name)
        return _failed("defect", "Canvas made a mistake; its log says more.", {})


async def _answer(tool: AgentTool, caller: Caller, given: dict[str, Any]) -> types.CallToolResult:
    require(caller.actor, tool.permission)
    result = await tool.function(caller, tool.arguments.model_validate(given))
    value = result.model_dump(mode="json")
    text = result.model_dump_json()
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=value)


def _failed(code: str, message: str, details: dict[str, object]) -> types.CallToolResult:
    """Say what went wrong in words an agent can act on, and under the code that the HTTP API has for it."""
    problems = details.get("problems")
    error: dict[str, Any] = {"code": code, "message": message}
    if isinstance(problems, list) and problems:
        error["problems"] = problems
        message += "".join(f"\n- {_told(problem)}" for problem in problems[:20])
    return types.CallToolResult(
        content=[types.TextContent(text=f"{message} [{code}]")], structured_content={"error": error}, is_error=True
    )


def _told(problem: object) -> str:
    if not isinstance(problem, Mapping):
        return str(problem)
    return f"{problem.get('pointer', '')} {problem.get('text', '')} {problem.get('hint') or ''}".strip()


def _shown(tool: AgentTool) -> types.Tool:
    hints = types.ToolAnnotations(
        read_only_hint=tool.reads_only,
        idempotent_hint=tool.is_idempotent,
        destructive_hint=False,
        open_world_hint=False,
    )
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=hints,
    )


def _caller(context: ServerRequestContext[Any]) -> Caller:
    assert context.request is not None
    caller = context.request.scope[CALLER]
    assert isinstance(caller, Caller)
    return caller
