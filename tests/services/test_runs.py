"""Runs: accepted with what they need, once per key, and wished to stop, pause or go on."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from canvas import db
from canvas.domain.errors import Invalid
from canvas.domain.states import RunStatus, TriggerType
from canvas.services import runs, views, workflows
from canvas.services.definitions import NotPublished, VersionNotFound, WorkflowNotFound
from models import WorkflowRun
from tests.services.conftest import HELLO


def start(session, **options):
    return runs.start_run(session, "hello", {"who": "you"}, **options)


def test_a_run_is_a_pending_row(session, hello):
    """It carries its version, its parameters with defaults, and who wanted it."""
    at = datetime(2030, 1, 1, tzinfo=UTC)
    run_id = start(session, triggered_by="me", priority=5, scheduled_at=at, dry_run=True, fixtures={"greet": 1})

    run = session.get(WorkflowRun, run_id)
    assert (RunStatus.PENDING, "hello", 1, "me", 5, at, True) == (
        run.status,
        run.workflow_name,
        run.version_number,
        run.triggered_by,
        run.priority,
        run.scheduled_at,
        run.dry_run,
    )
    assert ({"who": "you", "times": 1}, {"greet": 1}) == (run.parameters, run.fixtures)


@pytest.mark.parametrize(
    ("given", "code"),
    [({}, "missing_parameter"), ({"who": 1}, "wrong_type"), ({"who": "a", "wo": 1}, "unknown_parameter")],
)
def test_parameters_are_checked(session, hello, given, code):
    """What is missing, wrong or unknown is told by name, and nothing is written."""
    with pytest.raises(runs.InvalidParameters) as caught:
        runs.start_run(session, hello, given)

    assert [code] == [problem["code"] for problem in caught.value.details["problems"]]
    assert [] == session.exec(select(WorkflowRun)).all()


def test_a_run_needs_a_published_version(session):
    """Unless one is named."""
    workflows.import_workflow(session, HELLO)

    with pytest.raises(NotPublished):
        start(session)
    assert start(session, version=1)
    with pytest.raises(VersionNotFound):
        start(session, version=2)
    with pytest.raises(WorkflowNotFound):
        runs.start_run(session, "nobody")


def test_an_archived_workflow_takes_no_runs(session, hello):
    """Not even by hand."""
    workflows.archive_workflow(session, hello)
    with pytest.raises(runs.WorkflowArchived):
        start(session)


def test_the_same_key_is_the_same_run(session, hello):
    """A call that is repeated because its answer was lost starts nothing new."""
    first, second = start(session, idempotency_key="k"), start(session, idempotency_key="k")

    assert first == second
    assert start(session, idempotency_key="other") != first
    assert start(session) != start(session)


def test_a_key_belongs_to_one_request(session, hello):
    """Another request with the same key is a mistake, and told."""
    start(session, idempotency_key="k")
    with pytest.raises(runs.IdempotencyKeyReused):
        runs.start_run(session, hello, {"who": "somebody else"}, idempotency_key="k")


@pytest.mark.parametrize(
    "options", [{"priority": 1_001}, {"priority": -1_001}, {"idempotency_key": ""}, {"idempotency_key": "k" * 256}]
)
def test_options_are_bounded(session, hello, options):
    """What would not fit is refused."""
    with pytest.raises(Invalid):
        start(session, **options)


def test_wishes_are_written_and_nothing_else(session, hello):
    """The engine draws the consequences; it notices by the revision."""
    run_id = start(session)
    seen = []
    for wish in (runs.pause_run, runs.resume_run, runs.cancel_run):
        wish(session, run_id)
        session.expire_all()
        run = session.get(WorkflowRun, run_id)
        seen.append((run.pause_requested, run.cancel_requested, run.revision, run.status))

    pending = RunStatus.PENDING
    assert [(True, False, 1, pending), (False, False, 2, pending), (False, True, 3, pending)] == seen


@pytest.mark.parametrize("wish", [runs.cancel_run, runs.pause_run, runs.resume_run])
def test_an_ended_run_takes_no_wishes(session, hello, wish):
    """History does not change."""
    run_id = start(session)
    session.get(WorkflowRun, run_id).status = RunStatus.COMPLETED
    session.flush()

    with pytest.raises(runs.RunAlreadyFinished, match="already completed"):
        wish(session, run_id)
    with pytest.raises(runs.RunNotFound):
        wish(session, "nobody")


def test_the_engine_is_rung_once_it_is_committed(database, hello, session, monkeypatch):
    """Not before, for then there is nothing to see; not at all when the transaction is rolled back."""
    session.commit()
    rings = []
    monkeypatch.setattr("canvas.services.doorbell.ring", lambda _: rings.append(len(rings)))
    with db.transaction(database) as other:
        runs.start_run(other, hello, {"who": "a"}, idempotency_key="a")
        runs.start_run(other, hello, {"who": "b"}, idempotency_key="b")
        before = list(rings)
    with pytest.raises(ZeroDivisionError), db.transaction(database) as other:
        runs.start_run(other, hello, {"who": "c"})
        raise ZeroDivisionError

    assert ([], [0]) == (before, rings)


def test_a_run_in_detail(session, hello):
    """Everything a page shows of a run that has not begun."""
    run_id = runs.start_run(session, hello, {"who": "you"}, trigger_type=TriggerType.API, trigger_data={"a": 1})
    session.flush()
    detail = views.run_detail(session, run_id)

    assert ("pending", "api", {"a": 1}) == (detail.row.status, detail.row.trigger_type, detail.trigger_data)
    assert [] == views.step_run_rows(session, run_id)
    assert [] == views.run_logs(session, run_id)
    with pytest.raises(runs.RunNotFound):
        views.run_detail(session, "nobody")
