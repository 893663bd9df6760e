"""Which node of the canvas a run was started by."""

from datetime import UTC, datetime

import pytest

from canvas import db
from canvas.services import views, workflows
from canvas.settings import Settings
from canvas.ui.editor.origin import START, origin_of

DEFINITION = """
dsl: canvas/v1
name: nightly
triggers:
  - {type: schedule, cron: "0 2 * * *", timezone: Europe/Paris}
  - {type: schedule, interval_seconds: 600}
  - {type: webhook, path: go}
  - {type: webhook, path: come}
  - {type: event, event: order.created}
steps:
  - {name: remember, type: set, values: {a: "1"}}
"""


@pytest.fixture
def session(database: Settings):
    """A session with a published workflow that starts in five ways."""
    with db.transaction(database) as session:
        workflows.import_workflow(session, DEFINITION, publish=True)
        session.flush()
        yield session


@pytest.mark.parametrize(
    ("trigger_type", "data", "expected"),
    [
        ("webhook", {"path": "come"}, "trigger:3"),
        ("event", {"type": "order.created"}, "trigger:4"),
        ("event", {"type": "order.deleted"}, START),
        ("manual", None, START),
        ("workflow", {"path": "go"}, START),
        ("schedule", {"schedule_id": "gone"}, "trigger:0"),
    ],
)
def test_the_trigger_of_a_run_is_found_by_what_it_brought(session, trigger_type, data, expected):
    """By path or type of event; what no trigger of the version says was started at the start."""
    document, _ = views.version_document(session, "nightly", 1)

    assert expected == origin_of(session, document, trigger_type, data)


def test_each_schedule_is_told_from_the_others(session):
    """By its timing, which its row still says."""
    document, _ = views.version_document(session, "nightly", 1)
    rows = {row.cron: row.id for row in views.schedule_rows(session, now=datetime.now(UTC))}

    found = {cron: origin_of(session, document, "schedule", {"schedule_id": id}) for cron, id in rows.items()}

    assert {"0 2 * * *": "trigger:0", "": "trigger:1"} == found
