"""Following a run on standard error."""

import time

import click

from canvas.db import reading
from canvas.domain.states import LogKind, LogLevel, RunStatus
from canvas.services import runs, views
from canvas.settings import Settings

_LOOK_SECONDS = 0.05
_BATCH = 1_000
_COLOURS = {"completed": "green", "failed": "red", "cancelled": "yellow", "retrying": "yellow", "skipped": "blue"}


def watch(settings: Settings, run_id: str) -> RunStatus:
    """Print what happens in a run as it happens, until it has ended; gives how."""
    after = 0
    while True:
        with reading(settings) as session:
            status = runs.run_status(session, run_id)  # first: what was written before the end is then seen
            rows = views.run_logs(session, run_id, after=after, limit=_BATCH)
        for row in rows:
            _print(row)
            after = row.seq
        if status.is_terminal and not rows:
            return status
        if not rows:
            time.sleep(_LOOK_SECONDS)


def _print(row: views.LogRow) -> None:
    data = row.data or {}
    if row.kind is LogKind.LINE:
        colour = "red" if row.level is LogLevel.ERROR else "yellow" if row.level is LogLevel.WARNING else None
        click.echo(f"  {row.path or ''}: {click.style(row.message, fg=colour)}", err=True)
    elif row.kind is LogKind.STEP and "status" in data:
        status = str(data["status"])
        branch = f" → {data['branch']}" if data.get("branch") not in (None, "SUCCESS") else ""
        attempt = f" (attempt {row.attempt})" if row.attempt and row.attempt > 1 else ""
        click.echo(f"{click.style(f'{status:<10}', fg=_COLOURS.get(status))} {row.path}{attempt}{branch}", err=True)
