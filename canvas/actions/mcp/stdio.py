"""A server as a child process: one JSON message a line, on its standard input and output.

Our own, because the package's waits for a line of any length, and starts children that outlive this process.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from canvas.actions.mcp.commands import Command, child_environment
from canvas.actions.mcp.failures import McpFailed, McpGarbage, McpTooLarge, McpUnreachable

MAX_GARBAGE: Final = 20
"A server may print a greeting; one that prints more lines than this that are no messages speaks something else."
STOP_SECONDS: Final = 2.0
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_prctl = _LIBC.prctl  # looked up before any fork


class Child:
    """What became of a server, as far as its pipes tell."""

    def __init__(self) -> None:
        self.failure: McpFailed | None = None
        "Why it was given up on."
        self.odd_line = ""
        "The last line it wrote that was no message."
        self._errors: deque[str] = deque(maxlen=5)
        self._process: asyncio.subprocess.Process | None = None

    def is_born(self, process: asyncio.subprocess.Process) -> None:
        """Know it from now on."""
        self._process = process

    @property
    def has_ended(self) -> bool:
        """Whether there was a program and it has ended, though its pipes may not have told yet."""
        if self._process is None or self._process.returncode is not None:
            return self._process is not None
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # somebody has taken note of its end
            return True

    def hear(self, line: bytes) -> None:
        """Keep its last words."""
        text = line.decode(errors="replace").strip()
        if text:
            self._errors.append(text[:300])

    @property
    def last_words(self) -> str:
        """What it wrote to standard error last, as a sentence's end."""
        return f" It said last: {' / '.join(self._errors)}" if self._errors else ""


@asynccontextmanager
async def stdio_transport(
    command: Command, child: Child, *, max_bytes: int, on_end: Callable[[], None]
) -> AsyncIterator[Any]:
    """Start a server and give the streams to speak with it; it ends with the block, its children included.

    Args:
        child: Is told what goes wrong.
        max_bytes: A longer line ends the connection.
        on_end: Called when the server closes its standard output.

    Raises:
        McpUnreachable: it cannot be started.
    """
    process = await _start(command, max_bytes)
    child.is_born(process)
    incoming_in, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](64)
    outgoing, outgoing_out = anyio.create_memory_object_stream[SessionMessage](0)
    tasks = [
        asyncio.create_task(_read(process, child, incoming_in, on_end)),
        asyncio.create_task(_write(process, outgoing_out)),
        asyncio.create_task(_listen(process, child)),
    ]
    try:
        yield incoming, outgoing
    finally:
        await _stop(process)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in (incoming_in, incoming, outgoing, outgoing_out):
            stream.close()


async def _start(command: Command, max_bytes: int) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *command.arguments,
            env=child_environment(command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=max_bytes,
            preexec_fn=_die_with_parent,
        )
    except OSError as error:
        told = f"{command.arguments[0]} cannot be started: {error.strerror or error}."
        raise McpUnreachable(told, retryable=False) from None


def _die_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def _read(process: asyncio.subprocess.Process, child: Child, messages: Any, on_end: Callable[[], None]) -> None:
    assert process.stdout is not None
    odd = 0
    try:
        async with messages:
            while line := await process.stdout.readline():
                try:
                    message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValueError:
                    odd += bool(line.strip())
                    child.odd_line = line.decode(errors="replace").strip()[:200] or child.odd_line
                    if odd > MAX_GARBAGE:
                        child.failure = McpGarbage(f"The server writes what is no MCP message: {child.odd_line!r}.")
                        return
                    continue
                await messages.send(SessionMessage(message))
    except ValueError:  # the line is longer than the limit
        child.failure = McpTooLarge("The server sent a message that is too large.")
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass  # the session is gone
    finally:
        on_end()


async def _write(process: asyncio.subprocess.Process, messages: Any) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError, anyio.ClosedResourceError):  # that it ended is noticed where it is read
        async for message in messages:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()


async def _listen(process: asyncio.subprocess.Process, child: Child) -> None:
    assert process.stderr is not None
    while True:
        try:
            line = await process.stderr.readline()
        except ValueError:  # endless line; only its loss is lost
            continue
        if not line:
            return
        child.hear(line)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Close its input, give it a moment, then end it and whatever it started."""
    assert process.stdin is not None
    process.stdin.close()
    await _wait(process)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await _wait(process)
    # nothing public closes pipes that nobody reads to their end, as those of a program that was given up on
    process._transport.close()  # type: ignore[attr-defined]  # private, see above


async def _wait(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):  # a grandchild in a session of its own may hold the pipes for ever
            await process.wait()
