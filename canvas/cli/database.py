"""`canvas db`."""

import sys

import click

from canvas.services import migrations
from canvas.services.sealing import rotate_keys
from canvas.settings import Settings


@click.group("db")
def database() -> None:
    """Look after the database."""


@database.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Migrate up to REVISION, the newest by default; makes the database first if there is none."""
    click.echo(f"The database is at revision {migrations.upgrade(Settings.from_environment(), revision)}.")


@database.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Migrate down to REVISION; `base` leaves nothing."""
    reached = migrations.downgrade(Settings.from_environment(), revision)
    click.echo(f"The database is at revision {reached or 'none'}.")


@database.command()
def check() -> None:
    """Tell whether the database is what this version of Canvas expects; exit 1 if not."""
    found = migrations.differences(Settings.from_environment())
    for sentence in found:
        click.echo(sentence, err=True)
    if found:
        sys.exit(1)
    click.echo("The database is up to date.")


@database.command("rotate-key")
def rotate_key() -> None:
    """Seal all secrets with a new key. With CANVAS_SECRET_KEYS: put the new key before the old one, then run this."""
    settings = Settings.from_environment()
    migrations.require_current(settings)
    count = rotate_keys(settings)
    click.echo(f"Sealed with the newest key: {count}. Older keys are not needed any more.")
