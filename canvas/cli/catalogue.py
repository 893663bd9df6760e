"""`canvas actions` and `canvas schema`."""

import click

from canvas.cli.neighbours import stored_catalog
from canvas.cli.printing import print_json
from canvas.domain.schema import definition_schema
from canvas.services.catalog import ActionNotFound
from canvas.settings import Settings


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def actions(name: str | None, as_json: bool) -> None:
    """List the actions, those that users defined too, or describe the one called NAME."""
    known = stored_catalog(Settings.from_environment()).actions
    if name is not None:
        if name not in known:
            raise ActionNotFound(f"There is no action {name!r}.", action=name)
        spec = known[name]
        if as_json:
            print_json(spec)
            return
        click.echo(f"{spec.name}  {spec.title}\n\n{spec.description}\n")
        for argument, schema in spec.arguments_schema.get("properties", {}).items():
            needed = " (required)" if argument in spec.arguments_schema.get("required", ()) else ""
            click.echo(f"  {argument}: {schema.get('type', 'any')}{needed}  {schema.get('description', '')}")
        return
    specs = list(known.values())
    if as_json:
        print_json(specs)
        return
    for spec in specs:
        archived = " (archived)" if spec.is_archived else ""
        click.echo(f"{spec.name:<20} {spec.title:<20} {spec.description.partition(chr(10))[0]}{archived}")


@click.command()
def schema() -> None:
    """Print the JSON Schema of workflow files, for editors that complete and check them."""
    print_json(definition_schema())
