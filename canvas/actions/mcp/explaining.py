"""What went wrong with a server, as one of our failures, from whatever the package and the transports raised."""

from typing import Final

import httpx2
from mcp import MCPError
from mcp_types import CONNECTION_CLOSED, INTERNAL_ERROR, PARSE_ERROR, UNSUPPORTED_PROTOCOL_VERSION
from pydantic import ValidationError

from canvas.actions.mcp.failures import (
    McpFailed,
    McpGarbage,
    McpProtocolVersion,
    McpRefused,
    McpServerDied,
    McpTooLarge,
    McpUnreachable,
    SessionLost,
)
from canvas.actions.mcp.http import LOST, STATUS, TOO_LARGE
from canvas.actions.mcp.stdio import Child

_HEADER_MISMATCH: Final = -32020
_NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_NOT_DONE: Final = (429, 503)
"A server that answers so says that it did nothing."
_EXCERPT: Final = 300


class Explainer:
    """Explains failures of one server."""

    def __init__(self, server: str, child: Child) -> None:
        """Prepare.

        Args:
            server: What to call it: an address or a command, never with a secret in it.
            child: What its pipes told, if it is a program.
        """
        self._server = server
        self._child = child

    def of_session(self, error: BaseException) -> McpFailed:
        """Explain why a session could not be opened, or ended."""
        error = _first(error)
        if self._child.failure is not None:
            return self._child.failure
        if isinstance(error, McpFailed):
            return error
        if isinstance(error, MCPError):
            return self._of_protocol(error, is_repeatable=True)
        if isinstance(error, ValidationError):
            return McpGarbage(f"{self._server} answers what no MCP server would.{self._said()}")
        if isinstance(error, RuntimeError) and "protocol version" in str(error):
            return self._version(str(error))
        if isinstance(error, httpx2.HTTPError | OSError):
            reason = str(error) or type(error).__name__
            return McpUnreachable(f"{self._server} cannot be reached: {reason}.", retryable=True)
        return McpFailed(f"{self._server} failed: {type(error).__name__}: {str(error)[:_EXCERPT]}")

    def of_call(self, error: Exception, ended_by: BaseException | None, *, is_repeatable: bool) -> McpFailed:
        """Explain why a call failed.

        Args:
            ended_by: What ended the session meanwhile, if anything did.
            is_repeatable: Whether the call may be made again although nobody knows what came of it.
        """
        if isinstance(error, ValidationError):
            return McpGarbage(f"{self._server} answered the call with something that is no result.")
        assert isinstance(error, MCPError)
        if error.code == CONNECTION_CLOSED and self._child.failure is not None:
            return self._child.failure
        if error.code == CONNECTION_CLOSED and ended_by is not None:
            cause = _first(ended_by)
            if isinstance(cause, _NOT_SENT):
                return self.of_session(cause)
        return self._of_protocol(error, is_repeatable=is_repeatable)

    def _of_protocol(self, error: MCPError, *, is_repeatable: bool) -> McpFailed:
        text = error.message[:_EXCERPT]
        if isinstance(error.data, dict) and STATUS in error.data:
            return self._of_status(error.data[STATUS], text, bool(error.data[LOST]), is_repeatable)
        if TOO_LARGE in text or ("exceeds" in text and "SSE" in text):
            return McpTooLarge(f"{self._server} answered more than is taken.")
        if error.code == UNSUPPORTED_PROTOCOL_VERSION:
            return self._version(text)
        if error.code == _HEADER_MISMATCH:
            return SessionLost(f"{self._server} has other tools now.")
        if error.code == CONNECTION_CLOSED:
            told = f"{self._server} ended, or broke the connection, in the middle of the call.{self._said()}"
            return McpServerDied(told, retryable=is_repeatable)
        if error.code == PARSE_ERROR or "content type" in text:
            return McpGarbage(f"{self._server} answered what is no MCP message: {text}")
        told = f"{self._server} answered with an error: {text}"
        return McpFailed(told, retryable=error.code == INTERNAL_ERROR and is_repeatable, error_code=error.code)

    def _of_status(self, status: int, text: str, is_lost: bool, is_repeatable: bool) -> McpFailed:
        if is_lost:
            return SessionLost(f"{self._server} does not know the session any more.")
        if status in (401, 403):
            return McpRefused(
                f"{self._server} answered {status}: the token or a header of the connection is missing, wrong or "
                "expired. Change it on the Connections page.",
                status=status,
            )
        told = f"{self._server} answered {status}{': ' + text if text else ''}"
        return McpUnreachable(told, retryable=status in _NOT_DONE or (status >= 500 and is_repeatable), status=status)

    def _version(self, text: str) -> McpFailed:
        return McpProtocolVersion(f"{self._server} speaks no version of the protocol that Canvas speaks: {text}")

    def _said(self) -> str:
        odd = f" It wrote {self._child.odd_line!r}, which is no MCP message." if self._child.odd_line else ""
        return odd + self._child.last_words


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
