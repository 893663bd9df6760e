"""`canvas run`: one run from the command line, with an engine of its own."""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import orjson

from canvas.actions.connections import Connections
from canvas.cli.neighbours import linked_files
from canvas.cli.parameters import given_parameters
from canvas.cli.printing import print_json, print_problems
from canvas.cli.watching import watch
from canvas.db import connect, reading, transaction
from canvas.domain.definition import Definition
from canvas.domain.errors import CanvasError, Invalid, UserError
from canvas.domain.problems import Problem
from canvas.domain.states import RunStatus
from canvas.engine.connections import StoredConnections
from canvas.engine.worker import Engine
from canvas.services import health, migrations, runs, views, workflows
from canvas.services.definitions import definition_of, find_version, find_workflow
from canvas.settings import Settings


@click.command()
@click.argument("source", metavar="FILE|NAME")
@click.option("-p", "parameters", multiple=True, metavar="KEY=VALUE", help="A parameter, read as its type says.")
@click.option(
    "--params",
    "parameter_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON or YAML file of parameters; -p goes before it.",
)
@click.option("--dry-run", is_flag=True, help="Actions that touch the world answer from examples or fixtures.")
@click.option(
    "--fixtures",
    "fixture_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON or YAML file of answers by step name, for --dry-run.",
)
@click.option(
    "--trigger-data",
    "trigger_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON or YAML file to be seen as `trigger.data`, as if a webhook or an event had started the run.",
)
@click.option("--version", type=click.IntRange(1), help="A version of NAME; the published one by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
def run(
    source: str,
    parameters: tuple[str, ...],
    parameter_file: Path | None,
    dry_run: bool,
    fixture_file: Path | None,
    trigger_file: Path | None,
    version: int | None,
    as_json: bool,
) -> None:
    """Run a workflow to its end: one in a FILE, in a database thrown away afterwards, or the one called NAME.

    Progress goes to standard error. Exits 0 when the run completed, 1 when it did not.
    """
    fixtures = read_mapping(fixture_file) if fixture_file else {}
    with _place(source, fixtures if dry_run else None, version) as (settings, name, number, definition):
        values = given_parameters(definition, parameters, read_mapping(parameter_file) if parameter_file else {})
        with transaction(settings) as session:
            run_id = runs.start_run(
                session,
                name,
                values,
                version=number,
                dry_run=dry_run,
                fixtures=fixtures,
                trigger_data=read_mapping(trigger_file) if trigger_file else None,
                triggered_by="command line",
            )
        status = _execute(settings, run_id)
        report = run_report(settings, run_id)
    if as_json:
        print_json(report)
    else:
        _print_end(report)
    sys.exit(0 if status is RunStatus.COMPLETED else 1)


def read_mapping(file: Path) -> dict[str, Any]:
    """Read a file that holds a JSON or YAML object.

    Raises:
        Invalid: it holds anything else.
    """
    from canvas.domain.dsl import load_document

    document = load_document(file.read_bytes())
    if not isinstance(document.data, dict):
        reason = document.problems[0].text if document.problems else "it holds no object."
        raise Invalid(f"{file} cannot be used: {reason}")
    return document.data


def run_report(settings: Settings, run_id: str) -> dict[str, Any]:
    """Give a run as `canvas run --json` prints it; each step with its last attempt."""
    with reading(settings) as session:
        detail = views.run_detail(session, run_id)
        steps = views.step_run_rows(session, run_id, with_values=True)
    fields = ("path", "name", "type", "status", "attempt", "output", "error", "started_at", "ended_at")
    latest = {step.path: step for step in steps}
    return {
        "run_id": run_id,
        "status": detail.row.status,
        "output": detail.output,
        "error": detail.error,
        "steps": [{field: getattr(step, field) for field in fields} for step in latest.values()],
    }


@contextmanager
def _place(
    source: str, fixtures: Mapping[str, Any] | None, version: int | None
) -> Iterator[tuple[Settings, str, int, Definition]]:
    """Find the version to run: in the configured database, or in one made for this file.

    Args:
        fixtures: For a dry run; None for a real one.
    """
    settings = Settings.from_environment()
    file = Path(source)
    if file.suffix not in (".yaml", ".yml", ".json") and not file.is_file():
        migrations.require_current(settings)
        with reading(settings) as session:
            saved = find_version(session, find_workflow(session, source), version)
            yield settings, source, saved.number, definition_of(saved)
        return
    if not file.is_file():
        raise click.BadParameter(f"There is no file {source}.", param_hint="FILE|NAME")
    with tempfile.TemporaryDirectory(prefix="canvas-run-") as folder:
        own = replace(settings, data_dir=Path(folder), database_url="", durability="process")
        migrations.upgrade(own)
        try:
            yield own, *_import(own, file, fixtures)
        finally:
            connect(own).dispose()


def _import(settings: Settings, file: Path, fixtures: Mapping[str, Any] | None) -> tuple[str, int, Definition]:
    texts = [neighbour.read_bytes() for neighbour in reversed(linked_files([file]))]
    with transaction(settings) as session:
        try:
            for text in (*texts, file.read_bytes()):
                result = workflows.import_workflow(session, text, publish=True, dry_run=fixtures is not None)
        except UserError as error:
            found = error.details.get("problems")
            print_problems(str(file), [Problem(**fields) for fields in found] if isinstance(found, list) else [])
            click.echo(f"error: {error} [{error.code}]", err=True)
            raise click.exceptions.Exit(1) from error
        saved = find_version(session, find_workflow(session, result.name), result.version)
        return result.name, saved.number, definition_of(saved)


def _execute(settings: Settings, run_id: str) -> RunStatus:
    """Wait for the run, with an engine of our own unless one is at work on this database already."""
    if health.readiness(settings).engines:
        return watch(settings, run_id)
    engine = Engine(settings, connections=_connections(settings))
    engine.start()
    try:
        return watch(settings, run_id)
    finally:
        engine.stop()


def _connections(settings: Settings) -> Connections | None:
    """Let a file's run use the connections of this installation; one of the installation's own finds them anyway."""
    here = Settings.from_environment()
    if here.url == settings.url:
        return None
    try:
        migrations.require_current(here)
    except CanvasError:  # there is no installation here, or it is not up to date
        return None
    return StoredConnections(here)


def _print_end(report: Mapping[str, Any]) -> None:
    error = report["error"]
    click.echo(f"{report['status']}{': ' + str(error.get('message', '')) if error else ''}", err=True)
    if report["output"] is not None:
        click.echo(orjson.dumps(report["output"], option=orjson.OPT_INDENT_2).decode())
