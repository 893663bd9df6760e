"""What the end of a run tells: events for whoever listens, a start for its error workflow, a word to who waits."""

import socket

import pytest
from sqlmodel import select

from canvas.db import reading, transaction
from canvas.domain.decider import decide
from canvas.domain.states import TriggerType
from canvas.engine import conductor
from canvas.engine.worker import Engine
from canvas.scheduler import Scheduler
from canvas.services import runs, workflows
from models import Event, Notification, WorkflowRun

WORK = """{dsl: canvas/v1, name: %s, settings: {%s}, triggers: [%s],
  steps: [{name: note, type: %s}]}"""
NOTE = "action, action: log/event, parameters: {message: hi}"
FAIL = "stop, status: failed, message: no"


@pytest.fixture
def engine(database):
    """The engine, with the registered actions."""
    engine = Engine(database)
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
def make(database):
    """Publish a workflow of one step."""

    def publish(name, *, step=NOTE, settings="", triggers=""):
        with transaction(database) as session:
            workflows.import_workflow(session, WORK % (name, settings, triggers, step), publish=True)

    return publish


@pytest.fixture
def play(database, engine):
    """Start a run and everything that follows from it; gives all runs as (workflow, trigger, status)."""

    def run(name, **options):
        with transaction(database) as session:
            run_id = runs.start_run(session, name, **options)
        engine.wait(run_id)
        clock = Scheduler(database)
        seen = -1
        while seen != (seen := len(all_runs())):
            clock.look()
            for row in all_runs():
                engine.wait(row.id)
        return sorted((row.workflow_name, row.trigger_type.value, row.status.value) for row in all_runs())

    def all_runs():
        with reading(database) as session:
            return session.exec(select(WorkflowRun)).all()

    return run


def test_whoever_listens_hears_how_runs_end(database, make, play):
    """Completed, failed, cancelled; with what happened, and never of its own runs."""
    make("watcher", triggers="{type: event, event: run.completed}, {type: event, event: run.failed}")
    make("good")
    make("bad", step=FAIL)
    assert [("good", "manual", "completed"), ("watcher", "event", "completed")] == play("good")

    assert ("bad", "manual", "failed") in play("bad")
    with reading(database) as session:
        heard = session.exec(select(WorkflowRun).where(WorkflowRun.workflow_name == "watcher")).all()
        told = {row.trigger_data["type"]: row.trigger_data["data"] for row in heard}
        (failed,) = session.exec(select(WorkflowRun).where(WorkflowRun.workflow_name == "bad")).all()
    assert {"run.completed", "run.failed"} == set(told)
    assert ("bad", failed.id, failed.error, "manual") == tuple(
        told["run.failed"][key] for key in ("workflow", "run_id", "error", "trigger_type")
    )
    assert {1} == {row.depth for row in heard}


def test_nothing_is_written_when_nobody_listens(database, make, play):
    """The end of a run costs no row."""
    make("good")
    play("good")

    with reading(database) as session:
        assert [] == session.exec(select(Event)).all()


def test_a_dry_run_tells_nobody(database, make, play):
    """It is invented."""
    make("watcher", triggers="{type: event, event: run.completed}")
    make("good", settings="error_workflow: watcher")

    assert [("good", "manual", "completed")] == play("good", dry_run=True)


def test_a_circle_of_runs_ends(database, make, play):
    """Two workflows that hear of each other's ends: bounded, and told to people."""
    make("one", triggers="{type: event, event: run.completed}")
    make("two", triggers="{type: event, event: run.completed}")
    seen = play("one")

    assert 11 == len(seen)
    with reading(database) as session:
        assert "circle" in session.exec(select(Notification)).one().title


def test_a_failed_run_starts_its_error_workflow_once(database, make, play):
    """Which sees what failed; a run that ends well starts none."""
    make("nurse")
    make("bad", step=FAIL, settings="error_workflow: nurse")
    make("good", settings="error_workflow: nurse")
    play("good")
    seen = play("bad")

    assert [("bad", "manual", "failed"), ("good", "manual", "completed"), ("nurse", "error", "completed")] == seen
    with reading(database) as session:
        (nurse,) = session.exec(select(WorkflowRun).where(WorkflowRun.trigger_type == TriggerType.ERROR)).all()
        (failed,) = session.exec(select(WorkflowRun).where(WorkflowRun.workflow_name == "bad")).all()
    assert {
        "run_id": failed.id,
        "workflow": "bad",
        "error": failed.error,
        "step": failed.error.get("step"),
        "url": f"/runs/{failed.id}",
    } == nurse.trigger_data
    assert f"run:{failed.id}" == nurse.triggered_by


def test_an_error_workflow_that_fails_starts_no_other(database, make, play):
    """Neither itself nor the one that it names."""
    make("doctor")
    make("nurse", step=FAIL, settings="error_workflow: doctor")
    make("bad", step=FAIL, settings="error_workflow: nurse")

    assert [("bad", "manual", "failed"), ("nurse", "error", "failed")] == play("bad")


def test_an_error_workflow_that_cannot_start_is_told(database, make, play):
    """It was archived since."""
    make("nurse")
    make("bad", step=FAIL, settings="error_workflow: nurse")
    with transaction(database) as session:
        workflows.archive_workflow(session, "nurse")

    assert [("bad", "manual", "failed")] == play("bad")
    with reading(database) as session:
        assert "nurse" in session.exec(select(Notification)).one().title


def test_who_waits_is_told_by_a_datagram(database, make, engine):
    """With the run's id, once its end is committed."""
    make("good")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
        bell.bind(("127.0.0.1", 0))
        bell.settimeout(20)
        with transaction(database) as session:
            run_id = runs.start_run(session, "good", reply_port=bell.getsockname()[1])

        assert run_id == bell.recv(64).decode()
    with reading(database) as session:
        assert runs.run_result(session, run_id).status.is_terminal


def test_an_event_that_was_kept_is_dispatched_after_a_crash(database, make, play, engine):
    """Whoever dies between the end of a run and its listeners loses nothing: the next one takes it up, once."""
    make("nurse")
    make("bad", step=FAIL, settings="error_workflow: nurse")
    with transaction(database) as session:
        run_id = runs.start_run(session, "bad")
    engine.wait(run_id)
    clocks = [Scheduler(database) for _ in range(3)]
    for clock in clocks:
        clock.look()

    with reading(database) as session:
        assert 1 == len(session.exec(select(WorkflowRun).where(WorkflowRun.workflow_name == "nurse")).all())


def test_a_run_that_a_mistake_of_ours_ends_tells_it_too(database, make, play, monkeypatch):
    """Its error workflow and its listeners hear of it as of any other failure."""
    make("nurse")
    make("watcher", triggers="{type: event, event: run.failed}")
    make("unlucky", settings="error_workflow: nurse")

    def decide_badly(state, *arguments, **options):
        if state.info.workflow_name == "unlucky":
            raise ZeroDivisionError("a mistake")
        return decide(state, *arguments, **options)

    monkeypatch.setattr(conductor, "decide", decide_badly)
    expected = [("nurse", "error", "completed"), ("unlucky", "manual", "failed"), ("watcher", "event", "completed")]

    assert expected == play("unlucky")
