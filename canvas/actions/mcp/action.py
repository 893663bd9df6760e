"""A tool as the engine calls it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from canvas.actions.context import ActionContext
from canvas.actions.failures import ActionFailed
from canvas.actions.mcp.kind import Mcp
from canvas.actions.mcp.pool import Pool
from canvas.domain.catalog import ActionSpec
from canvas.domain.states import LogLevel

MAX_PROGRESS_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class ToolAction:
    """A tool of a connection."""

    spec: ActionSpec
    connection: str
    tool: str
    pool: Pool

    async def call(self, arguments: Mapping[str, Any], context: ActionContext) -> Any:
        """Call the tool; what the server tells about its progress becomes lines of the run's log.

        Raises:
            UnknownConnection, WrongConnectionKind: there is no such server.
            McpFailed, InvalidArguments: the call failed.
        """
        config = await context.connection(self.connection, Mcp)
        told = 0

        def on_progress(sentence: str) -> None:
            nonlocal told
            told += 1
            if told <= MAX_PROGRESS_LINES:
                context.log(LogLevel.INFO, sentence)

        return await self.pool.call(self.connection, config, self.tool, dict(arguments), on_progress)

    def is_idempotent(self, arguments: Mapping[str, Any]) -> bool:
        """Tell whether the server says that a second call does no more than one."""
        del arguments
        return self.spec.idempotent


@dataclass(frozen=True, slots=True)
class NoTool:
    """Stands where a tool should be: a call of it fails and says why. A dry run answers it as any other."""

    spec: ActionSpec
    failure: ActionFailed

    async def call(self, arguments: Mapping[str, Any], context: ActionContext) -> Any:
        """Fail."""
        del arguments, context
        raise self.failure

    def is_idempotent(self, arguments: Mapping[str, Any]) -> bool:
        """A call that is never made does no harm."""
        del arguments
        return True
