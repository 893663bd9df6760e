"""`canvas actions` and `canvas schema`."""

from collections.abc import Iterable

import click

from canvas.actions.registry import plugins
from canvas.cli.neighbours import stored_catalog
from canvas.cli.printing import print_json
from canvas.domain.catalog import ActionSpec
from canvas.domain.catalog_search import search
from canvas.domain.control_flow import control_flow
from canvas.domain.schema import definition_schema
from canvas.domain.schema_fields import SchemaField
from canvas.services.catalog import ActionNotFound
from canvas.services.views import described
from canvas.settings import Settings


@click.command()
@click.argument("name", required=False)
@click.option("-s", "--search", "words", default="", help="Only what has all of these words.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def actions(name: str | None, words: str, as_json: bool) -> None:
    """List the actions, those that users defined too, or describe the one called NAME.

    NAME may also be what other systems call it, such as SEND_EMAIL. Plug-ins that could not be loaded are told on
    standard error.
    """
    known = [*stored_catalog(Settings.from_environment()).actions.values(), *control_flow().values()]
    if name is not None:
        spec = _named(known, name)
        print_json(spec) if as_json else _describe(spec)
        return
    found = search(known, words)
    print_json(found) if as_json else _list(found)
    for plugin in plugins():
        if plugin.failure:
            click.echo(f"{click.style('warning', fg='yellow')}: plug-in {plugin.package}: {plugin.failure}", err=True)


@click.command()
def schema() -> None:
    """Print the JSON Schema of workflow files, for editors that complete and check them."""
    print_json(definition_schema())


def _named(known: Iterable[ActionSpec], name: str) -> ActionSpec:
    for spec in known:
        if name == spec.name or name in spec.aliases:
            return spec
    raise ActionNotFound(f"There is no action {name!r}.", action=name)


def _list(specs: Iterable[ActionSpec]) -> None:
    for spec in specs:
        archived = " (archived)" if spec.is_archived else ""
        click.echo(f"{spec.name:<20} {spec.title:<22} {spec.description.partition(chr(10))[0]}{archived}")


def _describe(spec: ActionSpec) -> None:
    detail = described(spec)
    click.echo(f"{detail.name}  {detail.title}\n\n{detail.description}\n")
    facts = {
        "category": detail.category,
        "from": f"{detail.origin} {detail.origin_detail}".strip(),
        "also called": ", ".join(detail.aliases),
        "may touch": ", ".join(detail.permissions) or "nothing",
        "connections": ", ".join(detail.connections),
        "security": detail.security,
    }
    for word, text in facts.items():
        if text:
            click.echo(f"{word}: {text}")
    click.echo(f"version {detail.version}. {detail.repetition} {detail.dry_run}")
    _table("arguments", detail.arguments)
    _table("result", detail.result)
    click.echo(f"\nexample:\n{detail.example.rstrip()}")


def _table(title: str, fields: Iterable[SchemaField]) -> None:
    click.echo(f"\n{title}:")
    for field in fields:
        needed = " (required)" if field.is_required else ""
        click.echo(f"  {field.path}: {field.type}{needed}  {field.description}")
