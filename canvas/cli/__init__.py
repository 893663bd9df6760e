"""The `canvas` command. Each command is loaded when it is used, so that none waits for what it does not need."""

import sys
from importlib import import_module

import click

from canvas.domain.errors import CanvasError

_COMMANDS = {
    "actions": "canvas.cli.catalogue:actions",
    "connections": "canvas.cli.connections:group",
    "db": "canvas.cli.database:database",
    "export": "canvas.cli.documents:export",
    "import": "canvas.cli.documents:import_files",
    "run": "canvas.cli.running:run",
    "schema": "canvas.cli.catalogue:schema",
    "serve": "canvas.cli.serving:serve",
    "token": "canvas.cli.tokens:token",
    "triggers": "canvas.cli.triggers:group",
    "validate": "canvas.cli.documents:validate",
    "worker": "canvas.cli.serving:worker",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def canvas() -> None:
    """Draw workflows, publish them, let them run durably, watch them live.

    Exit codes: 0 done, 1 the run or the check failed, 2 wrong use.
    """


def main() -> None:
    """Run the command line; errors made on purpose are one sentence with their code, never a traceback."""
    try:
        canvas(standalone_mode=True)
    except CanvasError as error:
        click.echo(f"error: {error} [{error.code}]", err=True)
        sys.exit(2)
