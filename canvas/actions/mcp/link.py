"""One open session with a server. It lives in a task of its own, because that is where its cancel scopes belong."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import mcp_types as types
from mcp import Client, MCPError
from pydantic import TypeAdapter, ValidationError

from canvas.actions.mcp.commands import find_command
from canvas.actions.mcp.explaining import Explainer
from canvas.actions.mcp.failures import McpInputWanted, McpTimeout, SessionLost, UnknownTool
from canvas.actions.mcp.http import http_transport, where
from canvas.actions.mcp.kind import Mcp
from canvas.actions.mcp.results import read_result
from canvas.actions.mcp.schemas import faults_against
from canvas.actions.mcp.stdio import Child, stdio_transport
from canvas.actions.mcp.tools import MAX_TOOLS, Listing, Tool, choices, is_tool_name, read_tool
from canvas.actions.registry import InvalidArguments
from canvas.settings import Settings

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
OPEN_SECONDS: Final = 60.0
"Programs may have to be fetched before they start."
TEST_SECONDS: Final = 25.0
"Shorter than a connection's test may take, so that its own sentence is told."
MAX_PAGES: Final = 50
_CLOSE_SECONDS: Final = 10.0
_LEARN_SECONDS: Final = 1.0
_Answer: Final[TypeAdapter[types.CallToolResult | types.InputRequiredResult]] = TypeAdapter(
    types.CallToolResult | types.InputRequiredResult
)


async def list_tools(config: Mcp, settings: Settings) -> Listing:
    """Open a session, list the tools, and close it again.

    Raises:
        McpFailed: the server cannot be reached, started or understood.
    """
    link = Link(config, settings)
    try:
        await link.open(TEST_SECONDS)
        return link.listing
    finally:
        await link.close()


class Link:
    """An open session."""

    def __init__(self, config: Mcp, settings: Settings) -> None:
        for name in ("mcp.client", "client"):  # they would log what servers send; what matters is in our failures
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.listing: Listing
        self.calls = 0
        "Calls in flight."
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._config = config
        self._settings = settings
        self._child = Child()
        self._server = f"The MCP server {config.command or where(config)}"
        self._explain = Explainer(self._server, self._child)
        self._is_stale = False
        self._ended_by: BaseException | None = None
        self._ending = asyncio.Event()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        self._client: Client

    @property
    def is_open(self) -> bool:
        """Whether calls may be made."""
        return self._ready.done() and not self._ending.is_set() and not self._child.has_ended

    async def open(self, seconds: float = OPEN_SECONDS) -> None:
        """Connect, agree on a version and list the tools.

        Args:
            seconds: How long that may take.

        Raises:
            McpFailed: that did not work; nothing is left open.
        """
        self._task = asyncio.create_task(self._serve())
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise McpTimeout(f"{self._server} did not greet within {seconds:g} s.", retryable=True) from None
        except Exception as error:
            raise self._explain.of_session(error) from None
        finally:
            if not self.is_open:
                await self.close()

    def retire(self) -> None:
        """Take no more calls; whoever waits for an answer is told that the session ended."""
        self._ending.set()

    async def close(self) -> None:
        """End the session and, if it is a program, the server."""
        self.retire()
        if self._task is None:
            return
        if not self._ready.done():
            self._task.cancel()
        await asyncio.wait({self._task}, timeout=_CLOSE_SECONDS)
        if self._ready.done() and not self._ready.cancelled():
            self._ready.exception()  # has been told, or nobody wants to know

    async def call(self, name: str, arguments: dict[str, Any], on_progress: Any) -> Any:
        """Call a tool and give its result as JSON values.

        Args:
            on_progress: Called with a sentence whenever the server tells how far it is.

        Raises:
            SessionLost: the session had ended before; the call was not made.
            InvalidArguments: the arguments do not fit the tool's schema.
            McpFailed: it was not answered as it should be.
        """
        if not self.is_open:
            raise SessionLost(f"{self._server} had ended.")
        self.calls += 1
        self._is_idle.clear()
        try:
            return await self._call(name, arguments, on_progress)
        finally:
            self.calls -= 1
            if not self.calls:
                self._is_idle.set()

    async def close_when_idle(self) -> None:
        """Close once nobody waits for an answer any more."""
        waiting = {asyncio.create_task(event.wait()) for event in (self._is_idle, self._ending)}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await self.close()

    async def _call(self, name: str, arguments: dict[str, Any], on_progress: Any) -> Any:
        tool = await self._tool(name)
        if faults := faults_against(tool.input_schema, arguments):
            raise InvalidArguments(f"{name} cannot be called like this: {'; '.join(faults)}.")
        answer = await self._send(tool, arguments, on_progress)
        if isinstance(answer, types.InputRequiredResult):
            raise McpInputWanted(f"The tool {name} asks for input in the middle of the call; a step cannot give any.")
        return read_result(tool, answer)

    async def _send(self, tool: Tool, arguments: dict[str, Any], on_progress: Any) -> Any:
        async def told(progress: float, total: float | None, message: str | None) -> None:
            on_progress(_progress(progress, total, message))

        request = types.CallToolRequest(params=types.CallToolRequestParams(name=tool.name, arguments=arguments))
        async with self._explained(f"the call of {tool.name}", is_repeatable=tool.is_repeatable):
            return await self._client.session.send_request(request, _Answer, progress_callback=told)

    @asynccontextmanager
    async def _explained(self, what: str, *, is_repeatable: bool) -> AsyncIterator[None]:
        """Bound a request in time, and let it fail as one of our failures."""
        limit = self._config.timeout_seconds
        try:
            async with asyncio.timeout(limit):
                yield
        except TimeoutError:
            self.retire()  # a server that hangs once is not trusted with the next call
            raise McpTimeout(
                f"{self._server} did not answer {what} within {limit:g} s.{self._child.last_words}",
                retryable=is_repeatable,
            ) from None
        except (MCPError, ValidationError) as error:
            await self._learn_the_end(error)
            raise self._explain.of_call(error, self._ended_by, is_repeatable=is_repeatable) from None

    async def _tool(self, name: str) -> Tool:
        tool = self.listing.find(name)
        if tool is None or self._is_stale:
            self._is_stale = False
            async with self._explained("the question for its tools", is_repeatable=True):
                self.listing = await self._list()
            tool = self.listing.find(name)
        if tool is None:
            offered = choices(tool.name for tool in self.listing.tools) or "none"
            raise UnknownTool(f"{self._server} has no tool {name!r}. It has {offered}.")
        return tool

    async def _learn_the_end(self, error: Exception) -> None:
        """Wait until it is known why the session ended, if that is what the error says."""
        if isinstance(error, MCPError) and error.code == types.CONNECTION_CLOSED and self._task is not None:
            await asyncio.wait({self._task}, timeout=_LEARN_SECONDS)

    # the session's own task

    async def _serve(self) -> None:
        try:
            async with Client(
                self._transport(),
                cache=None,
                client_info=types.Implementation(name="canvas", title="Canvas", version="1"),
                message_handler=self._on_message,
            ) as client:
                self._client = client
                self.listing = await self._list()
                self._ready.set_result(None)
                await self._ending.wait()
        except BaseException as error:
            self._ended_by = error
            if not self._ready.done():
                self._ready.set_exception(self._explain.of_session(error))
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            self._ending.set()

    def _transport(self) -> AbstractAsyncContextManager[Any]:
        if self._config.command is None:
            return http_transport(self._config, max_bytes=MAX_MESSAGE_BYTES)
        command = find_command(self._settings, self._config.command)
        return stdio_transport(command, self._child, max_bytes=MAX_MESSAGE_BYTES, on_end=self.retire)

    async def _on_message(self, message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self._is_stale = True

    async def _list(self) -> Listing:
        found: dict[str, Tool] = {}
        left_out, cursor = 0, None
        for _ in range(MAX_PAGES):
            page = await self._client.list_tools(cursor=cursor)
            for offered in page.tools:
                if not is_tool_name(offered.name) or len(found) >= MAX_TOOLS:
                    left_out += 1
                else:
                    found[offered.name] = _tool_of(offered)
            cursor = page.next_cursor
            if not cursor:
                break
        about = self._client.server_info
        return Listing(
            server=f"{about.title or about.name} {about.version}".strip()[:200] if about else self._server,
            protocol_version=self._client.protocol_version,
            tools=tuple(found.values()),
            left_out=left_out,
        )


def _tool_of(offered: types.Tool) -> Tool:
    hints = offered.annotations.model_dump(by_alias=True, exclude_none=True) if offered.annotations else {}
    title = offered.title or str(hints.get("title", ""))
    return read_tool(
        offered.name, title, offered.description or "", (offered.input_schema, offered.output_schema), hints
    )


def _progress(progress: float, total: float | None, message: str | None) -> str:
    share = f"{progress:g} of {total:g}" if total else f"{progress:g}"
    return f"{message[:1_000]} ({share})" if message else share
