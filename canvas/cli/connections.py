"""`canvas connections`. Secrets come from standard input or the environment, never from the command line itself."""

import os
import sys
from typing import Any

import click
import orjson

from canvas.cli.printing import print_json
from canvas.db import reading, transaction
from canvas.services import connection_tests, connections, views
from canvas.services.access import local_actor
from canvas.services.migrations import require_current
from canvas.settings import Settings
from canvas.vault import Vault

AsJson = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("connections")
def group() -> None:
    """Look after the credentials that actions use by name."""


@group.command("list")
@AsJson
def list_connections(as_json: bool) -> None:
    """List the connections, without their secrets."""
    with reading(_settings()) as session:
        rows = views.connection_rows(session)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        state = {None: "not tested", True: "works", False: "failed"}[row.is_test_passed]
        users = ", ".join(use.workflow for use in row.used_by) or "nothing"
        click.echo(f"{row.name:<24} {row.kind:<10} {state:<10} used by {users}")


@group.command()
@click.argument("name", required=False)
@AsJson
def kinds(name: str | None, as_json: bool) -> None:
    """List the kinds of connections, or the values that the kind NAME takes."""
    rows = views.connection_kind_rows()
    if name is not None:
        connections.find_kind(name)
        rows = [row for row in rows if row.name == name]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row.name:<12} {row.title:<24} {row.description.partition(chr(10))[0]}")
        if name is not None:
            _describe(row)


@group.command()
@click.argument("name")
@click.option("--kind", help="What it is, such as smtp; `canvas connections kinds` lists them.")
@click.option(
    "--file", type=click.File("rb"), default="-", help="A JSON object of its values, standard input by default."
)
@click.option(
    "--secret-env",
    "secrets",
    multiple=True,
    metavar="FIELD=VARIABLE",
    help="Take a value from an environment variable.",
)
@click.option("--description", help="What it is for.")
@click.option("--replace", is_flag=True, help="Change one that is there; secrets that are left out are kept.")
def add(
    name: str, kind: str | None, file: Any, secrets: tuple[str, ...], description: str | None, replace: bool
) -> None:
    """Keep the connection NAME. Its values are read as JSON, so that no secret stands on the command line.

    For example: echo '{"host": "mail.example"}' | canvas connections add office --kind smtp --secret-env password=PW
    """
    config = _values(file) | dict(_from_environment(pair) for pair in secrets)
    settings = _settings()
    vault = Vault(settings)
    with transaction(settings) as session:
        known = {row.name for row in views.connection_rows(session)} if replace else set()
        if name in known:
            connections.change_connection(session, name, config=config, vault=vault, description=description)
        elif kind is None:
            raise click.UsageError("A new connection needs --kind.")
        else:
            connections.create_connection(
                session,
                name,
                kind=kind,
                config=config,
                vault=vault,
                description=description or "",
                created_by=local_actor().name,
            )
    click.echo(f"{name} is {'changed' if name in known else 'kept'}; `canvas connections test {name}` tries it.")


@group.command()
@click.argument("name")
@AsJson
def test(name: str, as_json: bool) -> None:
    """Really reach what the connection NAME leads to; exit 1 if that fails."""
    result = connection_tests.check_connection(_settings(), name)
    if as_json:
        print_json(result)
    else:
        click.echo(f"{name}: {result.message}" + ("" if result.passed else f" [{result.code}]"), err=not result.passed)
    sys.exit(0 if result.passed else 1)


@group.command()
@click.argument("name")
@click.option("--even-if-used", is_flag=True, help="Although workflows name it, whose steps will then fail.")
def delete(name: str, even_if_used: bool) -> None:
    """Forget the connection NAME and its secrets."""
    with transaction(_settings()) as session:
        connections.delete_connection(session, name, even_if_used=even_if_used)
    click.echo(f"{name} is forgotten.")


def _describe(kind: views.KindRow) -> None:
    for field, schema in kind.schema["properties"].items():
        words = [
            word
            for word, holds in (
                ("required", field in kind.schema.get("required", ())),
                ("secret", field in kind.secret_fields),
            )
            if holds
        ]
        noted = f" ({', '.join(words)})" if words else ""
        click.echo(f"  {field}{noted}: {schema.get('description', '')}")


def _settings() -> Settings:
    settings = Settings.from_environment()
    require_current(settings)
    return settings


def _values(file: Any) -> dict[str, Any]:
    if file.isatty():
        click.echo("Its values as a JSON object, then Ctrl+D:", err=True)
    text = file.read()
    try:
        values = orjson.loads(text) if text.strip() else {}
    except orjson.JSONDecodeError as error:
        raise click.BadParameter(f"The values are no JSON: {error}.") from None
    if not isinstance(values, dict):
        raise click.BadParameter('The values are a JSON object, such as {"host": "mail.example"}.')
    return values


def _from_environment(pair: str) -> tuple[str, str]:
    field, _, variable = pair.partition("=")
    if variable not in os.environ:
        told = f"For {field[:40]!r}, name an environment variable that is set: FIELD=VARIABLE."
        raise click.BadParameter(told, param_hint="--secret-env")
    return field, os.environ[variable]
