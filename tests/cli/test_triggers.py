"""`canvas triggers`: listing, backfill, deliveries and replay from the command line."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from canvas.cli import canvas
from canvas.db import reading, transaction
from canvas.domain.errors import CanvasError
from canvas.services import deliveries, schedules
from canvas.settings import Settings
from canvas.vault import Vault

TICK = """
dsl: canvas/v1
name: tick
triggers:
  - {type: schedule, cron: "0 * * * *"}
  - {type: webhook, path: go}
  - {type: event, event: order.created}
steps: [{name: note, type: action, action: log/event, parameters: {message: hi}}]
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command over a database with one published workflow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANVAS_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "tick.yaml").write_text(TICK)

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(canvas, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit | CanvasError), result.exception
        return result

    invoke("db", "upgrade")
    assert 0 == invoke("import", "tick.yaml", "--publish").exit_code
    return invoke


def test_triggers_are_listed(run):
    """In a line each, and as JSON."""
    text = run("triggers", "list").output
    assert all(part in text for part in ("tick", "next ", "POST /api/hooks/go", "event order.created"))
    listed = orjson.loads(run("triggers", "list", "--json").output)

    assert {"schedules": 1, "webhooks": 1, "subscriptions": 1} == {kind: len(rows) for kind, rows in listed.items()}


def test_a_window_is_made_up_for(run):
    """Once; the second time nothing is left."""
    (schedule,) = orjson.loads(run("triggers", "list", "--json").output)["schedules"]
    start = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    assert "3 started" in run("triggers", "backfill", schedule["id"], "--from", start).output
    assert "3 had been fired" in run("triggers", "backfill", schedule["id"], "--from", start).output
    for moment in ("yesterday", "2030-01-01T00:00:00"):
        refused = run("triggers", "backfill", schedule["id"], "--from", moment)
        assert "invalid" == refused.exception.code
    gone = run("triggers", "backfill", "nothing", "--from", start)
    assert isinstance(gone.exception, schedules.ScheduleNotFound)


def test_a_delivery_is_taken_again(run):
    """By its id, as the list of deliveries gives it."""
    settings = Settings.from_environment()
    call = deliveries.Call(method="POST", path="go", query={}, headers={}, content=b'{"n": 1}')
    with transaction(settings) as session:
        first = deliveries.receive_webhook(session, call, vault=Vault(settings), now=datetime.now(UTC))
    (webhook,) = orjson.loads(run("triggers", "list", "--json").output)["webhooks"]
    (delivery,) = orjson.loads(run("triggers", "deliveries", webhook["id"], "--json").output)
    assert first.run_id == delivery["run_id"]
    again = run("triggers", "replay", delivery["id"]).output.strip()

    assert again in run("triggers", "deliveries", webhook["id"]).output
    with reading(settings) as session:
        assert again != first.run_id
        assert deliveries.find_delivery(session, delivery["id"]).run_id == first.run_id
