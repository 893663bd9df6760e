"""`canvas triggers`: what starts runs, and making up for what did not start."""

from datetime import UTC, datetime

import click

from canvas.cli.printing import print_json
from canvas.db import reading, transaction
from canvas.domain.errors import Invalid
from canvas.services import backfill, deliveries, views
from canvas.services.access import local_actor
from canvas.services.migrations import require_current
from canvas.settings import Settings

AsJson = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("triggers")
def group() -> None:
    """Look after schedules, webhooks and event subscriptions."""


@group.command("list")
@AsJson
def list_triggers(as_json: bool) -> None:
    """List everything that starts runs, with its id."""
    with reading(_settings()) as session:
        schedules = views.schedule_rows(session, now=datetime.now(UTC))
        webhooks = views.webhook_rows(session)
        subscriptions = views.subscription_rows(session)
    if as_json:
        print_json({"schedules": schedules, "webhooks": webhooks, "subscriptions": subscriptions})
        return
    for schedule in schedules:
        next_at = schedule.next_fire_times[0].isoformat(timespec="seconds") if schedule.next_fire_times else "off"
        _line(schedule.id, schedule.workflow_name, f"{schedule.words}; next {next_at}")
    for webhook in webhooks:
        state = "" if webhook.enabled else "; off"
        _line(webhook.id, webhook.workflow_name, f"{' '.join(webhook.methods)} /api/hooks/{webhook.path}{state}")
    for subscription in subscriptions:
        state = "" if subscription.enabled else "; off"
        _line(subscription.id, subscription.workflow, f"event {subscription.event}{state}")


@group.command("backfill")
@click.argument("schedule_id")
@click.option("--from", "start", required=True, help="Begin of the window, such as 2030-01-31T00:00:00Z.")
@click.option("--until", "end", help="Its end; now when left out.")
@AsJson
def backfill_schedule(schedule_id: str, start: str, end: str | None, as_json: bool) -> None:
    """Fire what the schedule SCHEDULE_ID had due in a window of the past and did not fire."""
    now = datetime.now(UTC)
    window = {"start": _moment(start), "end": _moment(end) if end else now}
    with transaction(_settings()) as session:
        done = backfill.backfill(session, schedule_id, now=now, **window)
    if as_json:
        print_json(done)
        return
    click.echo(
        f"{done.due} due: {done.started} started, {done.queued} wait for each other, {done.already} had been fired"
        + (f", {done.refused} could not start" if done.refused else "")
    )


@group.command("deliveries")
@click.argument("webhook_id")
@click.option("--limit", type=click.IntRange(1, deliveries.KEPT_PER_WEBHOOK), default=20, show_default=True)
@AsJson
def list_deliveries(webhook_id: str, limit: int, as_json: bool) -> None:
    """List the latest requests to the webhook WEBHOOK_ID, taken and refused."""
    with reading(_settings()) as session:
        rows = views.delivery_rows(session, webhook_id, limit=limit)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        what = f"{row.reason} {row.detail}".strip() if not row.run_id else f"run {row.run_id} {row.run_status}"
        click.echo(f"{row.id}  {row.received_at.isoformat(timespec='seconds')}  {row.status}  {what}")


@group.command("replay")
@click.argument("delivery_id")
def replay(delivery_id: str) -> None:
    """Take the delivery DELIVERY_ID again, as its webhook is now; prints the new run's id."""
    with transaction(_settings()) as session:
        run_id = deliveries.replay_delivery(
            session, delivery_id, now=datetime.now(UTC), triggered_by=f"replay by {local_actor().name}"
        )
    click.echo(run_id)


def _line(key: str, workflow: str, what: str) -> None:
    click.echo(f"{key}  {workflow:<24} {what}")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no moment; write it like 2030-01-31T08:00:00+01:00.") from None
    if moment.tzinfo is None:
        raise Invalid(f"{text!r} does not say in which timezone; add Z or an offset such as +01:00.")
    return moment


def _settings() -> Settings:
    settings = Settings.from_environment()
    require_current(settings)
    return settings
