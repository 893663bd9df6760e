"""Values survive the trip to the database and back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from canvas import db
from canvas.domain.states import RunStatus
from models import Workflow, WorkflowRun, WorkflowVersion
from models.columns import new_id

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


@pytest.fixture
def run(session: Session) -> WorkflowRun:
    """A pending run of a workflow with one version."""
    workflow = Workflow(name="greet")
    session.add(workflow)
    session.flush()
    version = WorkflowVersion(workflow_id=workflow.id, number=1, definition={}, content_hash="0" * 64)
    session.add(version)
    session.flush()
    run = WorkflowRun(workflow_id=workflow.id, version_id=version.id, workflow_name="greet", version_number=1)
    session.add(run)
    session.flush()
    return run


def test_a_moment_comes_back_aware_and_in_utc(session: Session, run: WorkflowRun) -> None:
    """Whatever zone a moment was given in, it is the same moment afterwards, in UTC."""
    run.started_at = NOON.astimezone(timezone(timedelta(hours=2)))
    session.flush()
    session.expire(run)

    assert run.started_at == NOON
    assert run.started_at.utcoffset() == timedelta(0)


def test_a_moment_without_a_zone_is_refused(session: Session, run: WorkflowRun) -> None:
    """A naive moment would mean something else on another machine."""
    run.started_at = NOON.replace(tzinfo=None)

    with pytest.raises(sa.exc.StatementError, match="timezone"):
        session.flush()


def test_a_word_is_stored_as_people_write_it(session: Session, run: WorkflowRun) -> None:
    """Enums are lower-case words in the database, not the names of Python members."""
    assert "pending" == session.connection().execute(sa.text("SELECT status FROM workflow_run")).scalar()


def test_an_unknown_word_is_refused_by_the_database(session: Session, run: WorkflowRun) -> None:
    """Even code that goes around the models cannot store a status that does not exist."""
    with pytest.raises(sa.exc.IntegrityError, match="ck_workflow_run_runstatus"):
        session.connection().execute(sa.text("UPDATE workflow_run SET status = 'nonsense'"))


def test_no_json_is_null(session: Session, run: WorkflowRun) -> None:
    """An absent value is SQL NULL, so that `IS NULL` finds it."""
    assert 1 == session.connection().execute(sa.text("SELECT count(*) FROM workflow_run WHERE output IS NULL")).scalar()


def test_progress_cannot_exceed_what_is_known(session: Session, run: WorkflowRun) -> None:
    """More settled steps than steps is a defect, not a number to show."""
    run.settled_steps = 1

    with pytest.raises(sa.exc.IntegrityError, match="progress_in_range"):
        session.flush()


def test_deleting_a_workflow_takes_its_runs_along(session: Session, run: WorkflowRun) -> None:
    """No run is left behind without its workflow."""
    session.connection().execute(sa.text("DELETE FROM workflow"))

    assert [] == session.exec(select(WorkflowRun.id)).all()


def test_ids_sort_by_birth() -> None:
    """A list ordered by id is ordered by time."""
    ids = [new_id() for _ in range(1_000)]

    assert sorted(ids) == ids
    assert {26} == {len(i) for i in ids}


def test_a_failing_transaction_leaves_nothing(database: object, settings) -> None:
    """An error rolls everything back."""
    with pytest.raises(RuntimeError), db.transaction(settings) as session:
        session.add(Workflow(name="half"))
        session.flush()
        raise RuntimeError

    with db.reading(settings) as session:
        assert [] == session.exec(select(Workflow)).all()


def test_readers_do_not_wait_for_a_writer(database: object, settings) -> None:
    """A page is served while a transaction is open."""
    with db.transaction(settings) as writer:
        writer.add(Workflow(name="slow"))
        writer.flush()
        with db.reading(settings) as reader:
            assert [] == reader.exec(select(Workflow)).all()


def test_statuses_that_end_a_run() -> None:
    """Three words are for ever."""
    assert {"completed", "failed", "cancelled"} == {status for status in RunStatus if status.is_terminal}
