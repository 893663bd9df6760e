"""A real MCP server, written with the official package, that also does everything a server should not.

`python -m tests.mcp_server` speaks over standard input and output; `serving_mcp()` over streamable HTTP.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mcp_types as types
import uvicorn
from mcp import MCPError
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from starlette.types import Receive, Scope, Send

from tests.serving import free_port, wait_for


def tool(name: str, properties: dict[str, Any] | None = None, **more: Any) -> types.Tool:
    """Describe a tool; arguments without a default are required."""
    properties = properties or {}
    required = [key for key, part in properties.items() if "default" not in part]
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return types.Tool(name=name, input_schema=schema, description=f"Does {name}.", **more)


TEXT = {"type": "string"}
READS = types.ToolAnnotations(read_only_hint=True)
REPEATS = types.ToolAnnotations(idempotent_hint=True, title="Say it again")
SUM = {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]}
TOOLS = [
    tool("add", {"a": {"type": "integer"}, "b": {"type": "integer", "default": 1}}, title="Add", output_schema=SUM),
    tool("lie", output_schema=SUM),
    tool("hold_back", output_schema=SUM),
    tool("say", {"text": TEXT}, annotations=REPEATS),
    tool("paint"),
    tool("fail", {"why": TEXT}),
    tool("refuse"),
    tool("die", annotations=types.ToolAnnotations(destructive_hint=True)),
    tool("die_reading", annotations=READS),
    tool("hang"),
    tool("flood"),
    tool("chatter"),
    tool("count_up", {"steps": {"type": "integer"}}),
    tool("who_are_you"),
    tool("ask_back"),
    tool("grow"),
    # what the workflows of other systems call
    tool("check_infrastructure_capacity", {"template": TEXT}, annotations=READS),
    tool("create_virtual_machine", {"name": TEXT, "template": TEXT}),
    tool("create_backup_job", {"vm_id": TEXT}),
    tool("update_configuration_database", {"vm_id": TEXT, "status": TEXT}),
    tool("probe", annotations=READS),
    tool("deploy"),
    tool("rollback"),
    tool("report"),
    tool("deploy-to-server", {"server": TEXT}),
]
_grown: list[types.Tool] = []
_standard_output = os.dup(1)  # the package keeps its own to itself


async def list_tools(ctx: Any, params: Any) -> types.ListToolsResult:
    """List them, two pages long."""
    everything = [*TOOLS, *_grown]
    if params is None or params.cursor is None:
        return types.ListToolsResult(tools=everything[:10], next_cursor="rest")
    return types.ListToolsResult(tools=everything[10:])


async def call_tool(ctx: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    """Do what the tool is called."""
    arguments = params.arguments or {}
    return await _DO.get(params.name, _do_as_told)(ctx, params.name, arguments)


def _said(*texts: str, **more: Any) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text) for text in texts], **more)


def _structured(value: Any) -> types.CallToolResult:
    return _said("see the structured content", structured_content=value)


async def _do_as_told(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    known = {
        "check_infrastructure_capacity": '{"available": true, "hosts": 3}',
        "create_virtual_machine": json.dumps({"vm_id": f"vm-{arguments.get('name')}", "status": "success"}),
        "create_backup_job": json.dumps({"job": f"backup of {arguments.get('vm_id')}"}),
        "probe": '{"status": "success"}',
    }
    return _said(known.get(name, json.dumps({"done": name})))


async def _add(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    return _structured({"sum": arguments["a"] + arguments.get("b", 1)})


async def _lie(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    return _structured({"sum": "many"})


async def _hold_back(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    return _said("nothing structured")


async def _say(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    return _said(arguments["text"])


async def _paint(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    picture = types.ImageContent(data="aGVsbG8=", mime_type="image/png")
    page = types.EmbeddedResource(resource=types.TextResourceContents(uri="file:///a.txt", text="inside"))
    link = types.ResourceLink(uri="file:///b.txt", name="b")
    return types.CallToolResult(content=[types.TextContent(text="look"), picture, page, link])


async def _fail(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    return _said(arguments["why"], is_error=True)


async def _refuse(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    raise MCPError(types.INVALID_PARAMS, "not on a Sunday")


async def _die(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    print("I have seen enough", file=sys.stderr, flush=True)
    os._exit(3)


async def _hang(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    await asyncio.sleep(3_600)
    return _said("at last")


async def _flood(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    return _said("x" * (20 << 20))


async def _chatter(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    os.write(_standard_output, b"this is no message\n" * 50)
    return _said("never read")


async def _count_up(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    steps = arguments["steps"]
    for step in range(1, steps + 1):
        await ctx.session.report_progress(step, steps, f"step {step}")
    return _said("done")


async def _who_are_you(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    return _structured({"pid": os.getpid(), "environment": sorted(os.environ), "at": time.time()})


async def _ask_back(ctx: Any, name: str, arguments: dict[str, Any]) -> Any:
    return types.InputRequiredResult(request_state="what now?")


async def _grow(ctx: Any, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    _grown.append(tool("grown"))
    return _said("grown")


_DO = {
    "add": _add, "lie": _lie, "hold_back": _hold_back, "say": _say, "paint": _paint, "fail": _fail,
    "refuse": _refuse, "die": _die, "die_reading": _die, "hang": _hang, "flood": _flood, "chatter": _chatter,
    "count_up": _count_up, "who_are_you": _who_are_you, "ask_back": _ask_back, "grow": _grow,
}  # fmt: skip


def make_server() -> Server[Any]:
    """Make the server."""
    return Server("Test tools", version="1.2", on_list_tools=list_tools, on_call_tool=call_tool)


@contextmanager
def serving_mcp(*, token: str = "", stateless: bool = False) -> Iterator["HttpServer"]:
    """Serve over streamable HTTP on the loopback until the block is left.

    Args:
        token: Whoever does not bring it is refused.
    """
    server = HttpServer(token, stateless)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class HttpServer:
    """The server at an address; it can be stopped and started again at the same one."""

    def __init__(self, token: str, stateless: bool) -> None:
        self.port = free_port()
        self.token = token
        self.status = 0
        "Answered to everything while it is not 0."
        self.page = ""
        "Everything is answered with something of this content type, which is no message."
        self.breaks_off = ""
        "Answers of this content type end after their first bytes."
        self._stateless = stateless
        self._server: uvicorn.Server
        self._thread: threading.Thread

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/mcp"

    def start(self) -> None:
        """Serve, with no memory of sessions from before."""
        app = make_server().streamable_http_app(stateless_http=self._stateless)

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and (status := self._refusal(scope)):
                await send({"type": "http.response.start", "status": status, "headers": []})
                await send({"type": "http.response.body", "body": b"not like this"})
            elif scope["type"] == "http" and self.page:
                headers = [(b"content-type", self.page.encode())]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b'{"hello": "world"}'})
            elif scope["type"] == "http" and self.breaks_off:
                headers = [(b"content-type", self.breaks_off.encode())]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b"{", "more_body": True})
                raise ConnectionAbortedError
            else:
                await app(scope, receive, send)

        config = uvicorn.Config(guarded, port=self.port, log_level="critical", timeout_graceful_shutdown=0, ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        wait_for(lambda: self._server.started)

    def stop(self) -> None:
        """Break every connection."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()

    def _refusal(self, scope: Scope) -> int:
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        return self.status or (401 if self.token and given != f"Bearer {self.token}" else 0)


async def main() -> None:
    """Speak over standard input and output."""
    if "--greet" in sys.argv:
        print("Hello, I am a server.", flush=True)
    server = make_server()
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(main())
