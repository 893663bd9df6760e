"""Running programs of this machine that an administrator has allowed."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from canvas.actions.context import ActionContext
from canvas.actions.failures import ActionFailed
from canvas.actions.process import Ended, Program, run_program, working_folder
from canvas.actions.registry import Arguments, Text, action
from canvas.domain.states import ActionPermission
from canvas.settings import Settings

EXCERPT = 500


def _without_null(text: str) -> str:
    if "\0" in text:
        raise ValueError("it has a null character, which no program can be given")
    return text


Argument = Annotated[Text, Field(max_length=32_000), AfterValidator(_without_null)]


class Command(Arguments):
    """Which of the allowed commands, and what it is given."""

    command: str = Field(
        min_length=1, max_length=100, description="The name of an allowed command, as in the setting CANVAS_COMMANDS."
    )
    arguments: list[Argument] = Field(
        default_factory=list,
        max_length=500,
        description="Each is passed on as it stands: no shell reads it, so quotes and spaces need no care.",
    )
    stdin: Text = Field(default="", max_length=10_000_000, description="Text the command reads from its input.")
    environment: dict[str, Argument] = Field(
        default_factory=dict, description="Variables to set; only those that CANVAS_COMMAND_VARIABLES names."
    )
    folder: str = Field(
        default="",
        max_length=1_000,
        description="Where it runs: a folder inside the configured one of files. Empty: that one itself, or an empty "
        "temporary folder when files are off.",
    )
    timeout_seconds: float = Field(
        default=60, gt=0, le=86_400, description="After that long the command and all that it started are ended."
    )
    expect_exit: list[int] = Field(
        default_factory=lambda: [0],
        description="Exit codes that count as success. Empty: any; a negative one is the signal that ended it.",
    )


class Ran(BaseModel):
    """How it went."""

    exit_code: int = Field(description="What the command ended with; negative: the signal that ended it.")
    stdout: str = Field(description="What it wrote to its output, up to 1 MB.")
    stderr: str = Field(description="What it wrote to its error output, up to 1 MB.")
    is_truncated: bool = Field(description="Whether it wrote more than was kept.")
    elapsed_ms: float = Field(description="How long it took, in milliseconds.")


class CommandFailed(ActionFailed):
    """The command cannot be run, took too long, or ended with an exit code that was not expected."""

    code = "command_failed"


@action(
    "command/run",
    title="Run a command",
    category="Files and commands",
    icon="terminal",
    idempotent=False,
    permissions=(ActionPermission.COMMANDS, ActionPermission.FILES),
    security="Off until an administrator allows commands by name in CANVAS_COMMANDS. They run as Canvas's own user, "
    "with any arguments a workflow gives: allow no shells, interpreters or programs that start others. No shell is "
    "involved and none of Canvas's own settings are in the environment.",
    example=Command(command="convert", arguments=["in.png", "-resize", "50%", "out.png"]),
    example_result=Ran(exit_code=0, stdout="", stderr="", is_truncated=False, elapsed_ms=180.0),
)
async def run(args: Command, context: ActionContext) -> Ran:
    """Run one of the commands that are allowed here and give what it wrote and its exit code.

    Whatever it started ends with it: on success, when its time is up, when the run is cancelled, and when Canvas stops.
    """
    allowed = allowed_commands(context.settings)
    path = allowed.get(args.command)
    if path is None:
        raise CommandFailed(_not_allowed(args.command, allowed))
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise CommandFailed(f"{args.command} cannot be run: {path} is no program on this machine.")
    environment = _environment(args, context.settings)
    started = time.monotonic()
    async with working_folder(context.settings, args.folder) as place:
        ended = await _run(Program(path, args.arguments, environment, place, args.stdin.encode()), args)
    elapsed = round((time.monotonic() - started) * 1000, 3)
    _judge(args, ended)
    stdout, stderr = ended.stdout, ended.stderr
    return Ran(
        exit_code=ended.exit_code,
        stdout=stdout.text,
        stderr=stderr.text,
        is_truncated=stdout.is_truncated or stderr.is_truncated,
        elapsed_ms=elapsed,
    )


def allowed_commands(settings: Settings) -> Mapping[str, Path]:
    """Read the allow-list: names and the absolute paths of programs.

    Raises:
        CommandFailed: An entry cannot be read.
    """
    found = {}
    for entry in filter(None, map(str.strip, settings.commands.split(","))):
        name, sign, path = entry.partition("=")
        if not (sign and name.strip() and Path(path.strip()).is_absolute()):
            raise CommandFailed(f"CANVAS_COMMANDS: {entry!r} is no `name=/absolute/path`.")
        found[name.strip()] = Path(path.strip())
    return found


async def _run(program: Program, args: Command) -> Ended:
    try:
        return await run_program(program, args.timeout_seconds)
    except OSError as error:
        raise CommandFailed(f"{args.command} cannot be started: {error.strerror}.") from error


def _not_allowed(name: str, allowed: Mapping[str, Path]) -> str:
    if not allowed:
        return "Commands are switched off here: set CANVAS_COMMANDS to those that are allowed, as name=/absolute/path."
    return f"The command {name!r} is not allowed here; CANVAS_COMMANDS allows {', '.join(sorted(allowed))}."


def _environment(args: Command, settings: Settings) -> dict[str, str]:
    allowed = {name.strip() for name in settings.command_variables.split(",")} - {""}
    if refused := sorted(args.environment.keys() - allowed):
        raise CommandFailed(
            f"The variable {refused[0]} may not be set here; CANVAS_COMMAND_VARIABLES does not name it."
        )
    return dict(args.environment)


def _judge(args: Command, ended: Ended) -> None:
    if ended.timed_out:
        raise CommandFailed(
            f"{args.command} took longer than {args.timeout_seconds:g} s and was ended{_excerpt(ended)}", retryable=True
        )
    if args.expect_exit and ended.exit_code not in args.expect_exit:
        how = f"exit code {ended.exit_code}" if ended.exit_code >= 0 else f"signal {-ended.exit_code}"
        raise CommandFailed(
            f"{args.command} ended with {how}{_excerpt(ended)}", retryable=True, exit_code=ended.exit_code
        )


def _excerpt(ended: Ended) -> str:
    last = (ended.stderr.end or ended.stdout.end).strip()[-EXCERPT:]
    return f": {last}" if last else "."
