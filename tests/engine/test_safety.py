"""Fencing, mistakes of our own, recovery, and what an idle engine costs."""

import logging
import os
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from canvas.db import connect, transaction
from canvas.domain.errors import DefectError
from canvas.domain.states import RunStatus
from canvas.engine import conductor as conducting
from canvas.engine import statements as sql
from canvas.engine.crashpoints import POINTS, arm
from canvas.engine.identity import Identity, boot_id, is_gone, this_process
from canvas.engine.notify import Doorbell, ring_ports
from canvas.engine.text import moment_text, new_key
from canvas.engine.worker import Engine, UnsupportedDatabase
from canvas.engine.writer import Result, Unit, Writer
from canvas.settings import Settings
from models import Worker, WorkflowRun
from models.columns import new_id
from tests.engine.test_runs import act, define
from tests.engine.test_wishes import started, until


def test_what_a_worker_does_after_it_lost_a_run_is_dropped(house):
    """The run goes on where it now belongs; the late result is not written."""
    engine, run_id = started(house, define(act("nap", action="sleep", parameters={"seconds": 0.3})))
    until(lambda: house.spy.calls)
    with transaction(house.settings) as session:
        session.get(WorkflowRun, run_id).worker_id = "01000000000000000000000000"

    until(lambda: run_id not in engine._conductor.runs)

    assert {"nap": "running"} == house.statuses(run_id) or "lost" == house.steps(run_id)[0].error["code"]
    assert RunStatus.COMPLETED == engine.wait(run_id)


def test_the_runs_of_a_dead_process_are_taken_over(house):
    """Its attempts are lost; idempotent ones are tried again, and its row goes."""
    definition = define(act("work"))
    house.publish(definition)
    run_id = house.accept("flow")
    now = datetime.now(UTC)
    with transaction(house.settings) as session:
        dead = Worker(
            id=new_id(),
            host=os.uname().nodename,
            boot_id=boot_id(),
            pid=2**22 + 1,
            process_started=1.0,
            lease_until=now + timedelta(hours=1),
        )
        session.add(dead)
        run = session.get(WorkflowRun, run_id)
        run.status, run.worker_id, run.started_at = RunStatus.RUNNING, dead.id, now
        run.total_steps = 1

    engine = house.engine()

    assert RunStatus.COMPLETED == engine.wait(run_id)
    until(lambda: [engine.id] == house.query(lambda session: list(session.exec(select(Worker.id)))))


def test_a_mistake_of_ours_costs_one_run_and_tells(house, monkeypatch, caplog):
    """The run ends as failed with what went wrong; others go on."""
    decide = conducting.decide

    def broken(state, now, **more):
        if state.info.parameters.get("unlucky"):
            raise ZeroDivisionError("a mistake")
        return decide(state, now, **more)

    monkeypatch.setattr(conducting, "decide", broken)
    with caplog.at_level(logging.CRITICAL):
        unlucky = house.run(define(act("one")), parameters={"unlucky": True})
        lucky = house.accept("flow")

    assert (RunStatus.FAILED, "engine_defect") == (unlucky.status, unlucky.error["code"])
    assert RunStatus.COMPLETED == house.engines[-1].wait(lucky)


def unreadable(document):
    raise DefectError("A saved version cannot be read any more.")


def test_a_version_that_cannot_be_read_fails_its_run(house, caplog):
    """It does not stay pending for ever."""
    house.publish(define(act("one")))
    run_id = house.accept("flow")
    with caplog.at_level(logging.CRITICAL):
        engine = Engine(house.settings, house.actions, compile_document=unreadable)
        engine.start()
        try:
            assert RunStatus.FAILED == engine.wait(run_id)
        finally:
            engine.stop(0)


def test_the_engine_refuses_another_database(tmp_path):
    """It says which one it needs."""
    with pytest.raises(UnsupportedDatabase):
        Engine(Settings(data_dir=tmp_path, database_url="postgresql://localhost/x"))


def test_a_stopped_engine_leaves_its_runs_to_the_next_one(house):
    """A clean stop writes what is known; the next engine goes on."""
    first, run_id = started(house, define(act("nap", action="sleep", parameters={"seconds": 0.5}), act("next", "nap")))
    until(lambda: house.spy.calls)
    first.stop(5)
    assert {"nap": "completed"} == house.statuses(run_id)

    assert RunStatus.COMPLETED == house.engine().wait(run_id)
    assert ["nap", "next"] == house.spy.paths()


def test_waiting_for_a_run_has_a_limit(house):
    """It says how far the run is."""
    engine, run_id = started(house, define(act("slow", action="sleep")))

    with pytest.raises(TimeoutError, match=r"running|pending"):
        engine.wait(run_id, 0.05)


# the parts


@pytest.fixture
def written(settings):
    """A writer on a database, and the results of what it was given."""
    done: list[Unit] = []

    def opened() -> sqlite3.Connection:
        pooled = connect(settings).raw_connection()
        raw = pooled.driver_connection
        pooled.detach()
        return raw

    writer = Writer(opened, done.extend, die=lambda code: None)
    writer.start()
    yield writer, done
    writer.close()


def payload(key):
    return (sql.INSERT_PAYLOAD, [(key, b"{}")])


def notification(key):
    return (sql.INSERT_NOTIFICATION, [(key, moment_text(datetime.now(UTC)), "t", "", "info", "", None, True)])


def test_a_unit_that_breaks_a_constraint_takes_nobody_with_it(written, house, caplog):
    """The others of its group are written; of the broken one nothing is."""
    writer, done = written
    with caplog.at_level(logging.CRITICAL):
        for unit in (
            Unit([payload("a"), notification("n" * 26)]),
            Unit([payload("b"), notification("n" * 26)]),
            Unit([payload("c")]),
        ):
            writer.submit(unit)
        until(lambda: len(done) == 3)

    assert [Result.WRITTEN, Result.BROKEN, Result.WRITTEN] == [unit.result for unit in done]
    with connect(house.settings).connect() as connection:
        kept = connection.exec_driver_sql("SELECT hash FROM payload ORDER BY hash").scalars().all()
    assert ["a", "c"] == kept


def test_a_guard_that_meets_no_row_stops_its_unit(written, house):
    """Nothing of a fenced unit is written."""
    writer, done = written
    writer.submit(Unit([payload("a")], (sql.RUN_PROGRESS, (1, 1, "nobody", "nobody"))))
    until(lambda: done)

    assert Result.FENCED is done[0].result
    with connect(house.settings).connect() as connection:
        assert 0 == connection.exec_driver_sql("SELECT count(*) FROM payload").scalar()


def test_another_writer_is_waited_for(written, settings):
    """SQLITE_BUSY passes by itself."""
    writer, done = written
    with transaction(settings) as session:
        session.connection()
        writer.submit(Unit([payload("a")]))
        assert [] == done
    until(lambda: done)

    assert Result.WRITTEN is done[0].result


def test_a_process_is_known_by_more_than_its_number():
    """A later process with the same pid is not the same; another host cannot be asked."""
    me = this_process()

    assert is_gone(me) is False
    assert is_gone(Identity(me.host, me.boot_id, me.pid, me.process_started - 100)) is True
    assert is_gone(Identity(me.host, "another boot", me.pid, me.process_started)) is True
    assert is_gone(Identity("elsewhere", me.boot_id, me.pid, me.process_started)) is None


def test_a_bell_can_be_rung_and_hushed():
    """Many rings count as one; a port that nobody listens on is no error."""
    bell = Doorbell()
    try:
        ring_ports([bell.port, bell.port])
        until(lambda: bell.socket.recv(1, 2))  # MSG_PEEK
        bell.hush()
        with pytest.raises(BlockingIOError):
            bell.socket.recv(1)
    finally:
        bell.close()
    ring_ports([bell.port])


def test_crash_points_are_known_by_name():
    """A misspelled one is an error, not a test that proves nothing."""
    with pytest.raises(ValueError, match="names no crash point"):
        arm("nowhere")
    arm("")
    assert len(POINTS) == len(set(POINTS))


def test_keys_are_ulids_that_sort_by_time():
    """The same form as the models' own."""
    keys = [new_key() for _ in range(3)]

    assert [26, 26, 26] == [len(key) for key in keys]
    assert new_id()[:8] == keys[0][:8]
    assert set("".join(keys)) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
