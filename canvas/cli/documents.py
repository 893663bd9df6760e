"""`canvas validate`, `canvas import` and `canvas export`."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from canvas.cli.neighbours import known_here
from canvas.cli.printing import print_json, print_problems
from canvas.db import reading, transaction
from canvas.domain.errors import UserError
from canvas.domain.problems import Problem
from canvas.services import views, workflows
from canvas.services.judging import FORMATS, read_text
from canvas.services.migrations import require_current
from canvas.settings import Settings

Files = click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE…"
)
Format = click.option("--format", type=click.Choice(FORMATS), default="auto", help="The shape; found by itself.")


@click.command()
@Files
@Format
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def validate(files: tuple[Path, ...], format: str, as_json: bool) -> None:
    """Say everything that is wrong with workflow files; exit 1 if there are errors.

    Workflows they link to are looked for in the database and beside them.
    """
    readings = []
    known = known_here(Settings.from_environment(), files)
    for file in files:
        reading = read_text(file.read_bytes(), known, format=format)
        readings.append({"file": str(file), "valid": not reading.errors, "problems": reading.problems})
        if as_json:
            continue
        print_problems(str(file), reading.problems)
        for note in reading.notes:
            click.echo(f"{file}: note: {note}", err=True)
        if not reading.errors:
            click.echo(f"{file}: valid")
    if as_json:
        print_json(readings)
    sys.exit(0 if all(reading["valid"] for reading in readings) else 1)


@click.command("import")
@Files
@Format
@click.option("--name", help="Takes the place of the name in the file; for one file.")
@click.option("--publish", is_flag=True, help="Publish the versions: triggers start them from then on.")
@click.option(
    "--if-exists",
    type=click.Choice(["update", "skip", "fail"]),
    default="update",
    show_default=True,
    help="What to do with a name that is taken; update saves a new version if anything changed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_files(
    files: tuple[Path, ...], format: str, name: str | None, publish: bool, if_exists: str, as_json: bool
) -> None:
    """Import workflows from FILE…, all of them or none."""
    if name is not None and len(files) > 1:
        raise click.UsageError("--name is for one file.")
    results: dict[Path, workflows.ImportResult] = {}
    settings = Settings.from_environment()
    require_current(settings)
    with transaction(settings) as session:
        for file, last in [(file, last) for last in (False, True) for file in files]:
            # twice: drafts first, so that files may link to each other whatever their order
            known = results.get(file)
            if known is not None and known.outcome == "skipped":
                continue
            try:
                result = workflows.import_workflow(
                    session,
                    file.read_bytes(),
                    format=format,
                    name=name,
                    publish=publish and last,
                    if_exists=if_exists if known is None else "update",
                    created_by="command line",
                )
            except UserError as error:
                _tell(file, error)
                raise click.exceptions.Exit(1) from error
            results[file] = _merged(known, result)
    if as_json:
        print_json([{**views.as_plain(r), "needs": {"connections": r.needs}} for r in results.values()])
        return
    for file, result in results.items():
        print_problems(str(file), result.problems)
        for note in result.notes:
            click.echo(f"{file}: note: {note}", err=True)
        state = ", published" if result.is_published else "" if result.version else ", a draft with errors"
        click.echo(f"{result.name}: {result.outcome}{state}")
        for need in result.needs:
            if need.missing:
                steps = ", ".join(need.steps)
                click.echo(
                    f"{result.name}: needs a connection {need.name!r} of kind {need.kind}, for {steps}", err=True
                )


@click.command()
@click.argument("name")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; else it is printed.")
@click.option("--format", type=click.Choice(["yaml", "json"]), help="By default what the file's name says, or YAML.")
@click.option("--version", type=click.IntRange(1), help="A version's number; the draft by default.")
def export(name: str, output: Path | None, format: str | None, version: int | None) -> None:
    """Write the workflow NAME as canonical text."""
    by_name = "json" if output is not None and output.suffix == ".json" else "yaml"
    settings = Settings.from_environment()
    require_current(settings)
    with reading(settings) as session:
        text = workflows.export_workflow(session, name, format=format or by_name, version=version)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def _merged(first: workflows.ImportResult | None, second: workflows.ImportResult) -> workflows.ImportResult:
    """Keep from the first pass what happened to the workflow."""
    if first is None or first.outcome == "unchanged":
        return second
    return replace(second, outcome=first.outcome)


def _tell(file: Path, error: UserError) -> None:
    found = error.details.get("problems")
    if isinstance(found, list):
        print_problems(str(file), [Problem(**fields) for fields in found])
    click.echo(f"{file}: {error} [{error.code}]; nothing was imported", err=True)
