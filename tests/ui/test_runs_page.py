"""The dashboard."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from canvas import db
from canvas.domain.states import RunStatus, TriggerType
from canvas.settings import Settings
from canvas.ui.pages.runs import PAGE_SIZE, RunsState
from models import Workflow, WorkflowRun, WorkflowVersion


@pytest.fixture
def runs(database: Settings) -> list[str]:
    """Ids of two and a half pages of runs, newest first: the failed ones were started by a schedule."""
    with db.transaction(database) as session:
        origin = _origin(session)
        made = [WorkflowRun(**origin, **_kind(number)) for number in range(PAGE_SIZE * 5 // 2)]
        session.add_all(made)
        return sorted((run.id for run in made), reverse=True)


def _origin(session: Session) -> dict[str, object]:
    workflow = Workflow(name="deploy")
    session.add(workflow)
    session.flush()
    version = WorkflowVersion(workflow_id=workflow.id, number=1, definition={}, content_hash="0")
    session.add(version)
    session.flush()
    return {"workflow_id": workflow.id, "version_id": version.id, "workflow_name": "deploy", "version_number": 1}


def _kind(number: int) -> dict[str, object]:
    if number % 5:
        return {"status": RunStatus.COMPLETED, "created_at": datetime.now(UTC) - timedelta(days=2)}
    return {"status": RunStatus.FAILED, "trigger_type": TriggerType.SCHEDULE}


def test_pages_turn_both_ways(tab, runs):
    """Older and newer show each run once, and the ends know that they are ends."""
    first, _ = tab((RunsState.load, {}))
    last, _ = tab((RunsState.load, {}), *[(RunsState.older, {})] * 3)
    back, _ = tab((RunsState.load, {}), *[(RunsState.older, {})] * 3, (RunsState.newer, {}))
    start, _ = tab((RunsState.load, {}), (RunsState.older, {}), *[(RunsState.newer, {})] * 3)

    assert runs[:PAGE_SIZE] == [row.id for row in first.rows]
    assert runs[PAGE_SIZE * 2 :] == [row.id for row in last.rows]
    assert ("", 3) == (last.next_cursor, last.page)
    assert (2, runs[PAGE_SIZE : PAGE_SIZE * 2]) == (back.page, [row.id for row in back.rows])
    assert (1, runs[0]) == (start.page, start.rows[0].id)


@pytest.mark.parametrize(
    ("name", "value", "share"),
    [("status", "failed", 25), ("status", "live", 0), ("trigger", "schedule", 25), ("period", "day", 25)],
)
def test_filters_narrow_and_clear_takes_them_back(tab, runs, name, value, share):
    """Each filter leaves what it says; clearing lists everything again."""
    narrowed, _ = tab((RunsState.load, {}), (RunsState.narrow, {"name": name, "value": value}))
    cleared, _ = tab((RunsState.load, {}), (RunsState.narrow, {"name": name, "value": value}), (RunsState.clear, {}))

    assert (share, True) == (len(narrowed.rows), narrowed.is_filtered)
    assert (PAGE_SIZE, False) == (len(cleared.rows), cleared.is_filtered)


def test_the_address_can_name_a_workflow_and_a_status(tab, runs):
    """Links from other pages lead to the right part of the list; nonsense in them is ignored."""
    failed, _ = tab((RunsState.load, {}), path="/runs?workflow=deploy&status=failed")
    nonsense, _ = tab((RunsState.load, {}), path="/runs?workflow=x'--&status=%00")

    assert ("deploy", "failed", 25) == (failed.workflow, failed.status, len(failed.rows))
    assert ("any", "any", PAGE_SIZE) == (nonsense.workflow, nonsense.status, len(nonsense.rows))


@pytest.mark.parametrize(
    "arguments",
    [{"name": "status", "value": "x"}, {"name": "rows", "value": "any"}, {"name": "_cursors", "value": "x"}],
)
def test_a_filter_that_does_not_exist_is_refused(tab, runs, arguments):
    """The event cannot be used to set anything else."""
    state, browser = tab((RunsState.load, {}), (RunsState.narrow, arguments))

    assert PAGE_SIZE == len(state.rows)
    assert "to filter by" in browser.was_told()


def test_searching_looks_at_name_and_id(tab, runs):
    """A pasted id finds its run."""
    by_id, _ = tab((RunsState.search, {"text": runs[3]}))
    nothing, _ = tab((RunsState.search, {"text": "nope"}))

    assert [runs[3]] == [row.id for row in by_id.rows]
    assert [] == nothing.rows
