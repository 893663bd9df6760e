"""`canvas serve` and `canvas worker`."""

from dataclasses import replace

import click

from canvas.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 unless CANVAS_HOST says otherwise.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port; 8000 unless CANVAS_PORT says otherwise.")
def serve(host: str | None, port: int | None) -> None:
    """Serve pages and API and run workflows, until stopped; brings the database up to date first."""
    from canvas.serve import serve as serve_all
    from canvas.services.migrations import upgrade

    settings = Settings.from_environment()
    upgrade(settings)
    serve_all(replace(settings, host=host or settings.host, port=port or settings.port))


@click.command()
def worker() -> None:
    """Run workflows and fire schedules in this process, until stopped; any number of workers may run."""
    from canvas.db import transaction
    from canvas.engine.worker import run_engine
    from canvas.scheduler import Scheduler
    from canvas.services.catalog import mirror_actions
    from canvas.services.migrations import require_current

    settings = Settings.from_environment()
    settings.start_logging()
    require_current(settings)
    with transaction(settings) as session:
        mirror_actions(session)
    scheduler = Scheduler(settings)
    scheduler.start()
    try:
        run_engine(settings)
    finally:
        scheduler.stop()
