"""A program that is run and watched: its output drained within bounds, its end certain."""

import asyncio
import os
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from canvas.actions import keeper
from canvas.actions.folder import Folder
from canvas.settings import Settings

MAX_OUTPUT_BYTES = 1024 * 1024
GRACE_SECONDS = 2.0
"Between asking a command to stop and killing it; the engine gives up on a cancelled attempt after 5 s."
_CHUNK = 64 * 1024
_TAIL = 4_096
_KEPT_VARIABLES = ("PATH", "HOME", "USER", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Program:
    """What to run."""

    path: Path
    arguments: Sequence[str]
    environment: dict[str, str]
    "On top of the few variables of our own that are no secrets."
    folder: str
    stdin: bytes


@dataclass(slots=True)
class Output:
    """What a stream gave: its beginning up to the limit, and its very end."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytes = b""
    size: int = 0

    def add(self, chunk: bytes) -> None:
        """Take what came."""
        self.size += len(chunk)
        self.head += chunk[: MAX_OUTPUT_BYTES - len(self.head)]
        self.tail = (self.tail + chunk)[-_TAIL:]

    @property
    def text(self) -> str:
        """The beginning; what is no UTF-8 is replaced."""
        return self.head.decode(errors="replace")

    @property
    def end(self) -> str:
        """The end; what is no UTF-8 is replaced."""
        return self.tail.decode(errors="replace")

    @property
    def is_truncated(self) -> bool:
        """Whether there was more than was kept."""
        return self.size > len(self.head)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    exit_code: int
    "Negative: the signal that ended it."
    timed_out: bool
    stdout: Output
    stderr: Output


@asynccontextmanager
async def working_folder(settings: Settings, path: str) -> AsyncIterator[str]:
    """Give the folder a program runs in, by a name that holds while the block lasts.

    Raises:
        FileFailed: The path leads nowhere or out of the configured folder, or files are off and one is asked for.
    """
    if path or settings.files_dir:
        with Folder.of(settings).inside(path) as descriptor:
            yield f"/proc/self/fd/{descriptor}"
        return
    temporary = await asyncio.to_thread(tempfile.mkdtemp, prefix="canvas-command-")
    try:
        yield temporary
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, temporary, ignore_errors=True))


async def run_program(program: Program, timeout_seconds: float) -> Ended:
    """Run a program to its end, or until its time is up; nothing it started is left either way.

    When this is cancelled the program is ended first.
    """
    process = await _started(program)
    stdout, stderr = Output(), Output()
    watching = asyncio.gather(
        _feed(process, program.stdin), _drain(process.stdout, stdout), _drain(process.stderr, stderr)
    )
    timed_out = False
    try:
        async with asyncio.timeout(timeout_seconds):
            await asyncio.shield(watching)
            await process.wait()
    except TimeoutError:
        timed_out = True
    finally:
        await asyncio.shield(_end(process, watching))
    return Ended(process.returncode or 0, timed_out, stdout, stderr)


async def _started(program: Program) -> Process:
    """Start the keeper; one that was started while this is cancelled is seen out."""
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            keeper.__file__,
            str(os.getpid()),
            str(GRACE_SECONDS),
            str(program.path),
            *program.arguments,
            stdin=PIPE if program.stdin else DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            cwd=program.folder,
            env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ} | program.environment,
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(OSError):
            process = await starting
            with suppress(ProcessLookupError):
                process.terminate()
            await process.communicate()
        raise


async def _end(process: Process, watching: "asyncio.Future[tuple[None, None, None]]") -> None:
    """See the keeper out, which ends everything it keeps when it is asked to; then there is nothing left to read."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
    await process.wait()
    await watching


async def _feed(process: Process, content: bytes) -> None:
    if process.stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):  # it need not read what it is given
        process.stdin.write(content)
        await process.stdin.drain()
    process.stdin.close()
    with suppress(BrokenPipeError, ConnectionResetError):
        await process.stdin.wait_closed()


async def _drain(stream: asyncio.StreamReader | None, output: Output) -> None:
    assert stream is not None
    while chunk := await stream.read(_CHUNK):
        output.add(chunk)
