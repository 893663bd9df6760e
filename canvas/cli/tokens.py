"""`canvas token`."""

from datetime import UTC, datetime, timedelta

import click

from canvas.cli.printing import print_json
from canvas.db import reading, transaction
from canvas.services import tokens, views
from canvas.services.access import Role, local_actor
from canvas.settings import Settings


@click.group("token")
def token() -> None:
    """Look after the tokens that programs call the API with."""


@token.command()
@click.argument("name")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), default=Role.OPERATOR.value, show_default=True
)
@click.option("--days", type=click.IntRange(1, 36_500), help="Ends after so many days; never, if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def create(name: str, role: str, days: int | None, as_json: bool) -> None:
    """Make a token called NAME and print its secret, this once."""
    now = datetime.now(UTC)
    ends = None if days is None else now + timedelta(days=days)
    with transaction(Settings.from_environment()) as session:
        made = tokens.create_token(session, name, Role(role), now=now, expires_at=ends, created_by=local_actor().name)
    if as_json:
        print_json({"id": made.id, "name": name, "role": role, "expires_at": ends, "secret": made.secret})
        return
    click.echo(made.secret)
    click.echo("Keep it now: it is not shown again.", err=True)


@token.command("list")
@click.option("--revoked", is_flag=True, help="Also those that were revoked.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_tokens(revoked: bool, as_json: bool) -> None:
    """List the tokens, without their secrets."""
    with reading(Settings.from_environment()) as session:
        rows = views.token_rows(session, now=datetime.now(UTC), with_revoked=revoked)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        state = "revoked" if row.revoked_at else "expired" if row.is_expired else f"until {_day(row.expires_at)}"
        click.echo(f"{row.name:<24} {row.prefix}…  {row.role:<9} used {_day(row.last_used_at)}, {state}")


@token.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Take the token called NAME back, by its name or its id."""
    with transaction(Settings.from_environment()) as session:
        tokens.revoke_token(session, name, now=datetime.now(UTC))
    click.echo(f"{name} is worth nothing any more.")


def _day(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d}"
