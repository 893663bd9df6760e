"""The clock: with real time and a real database, due times start runs promptly, and once."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlmodel import col, select

from canvas import db
from canvas.scheduler import DueTimes, Scheduler
from canvas.services import migrations, schedules, workflows
from canvas.services.schedules import ScheduleWish
from canvas.settings import Settings
from models import Schedule, ScheduleFire, WorkflowRun
from tests.serving import wait_for

TICK = "{dsl: canvas/v1, name: tick, steps: [{name: note, type: action, action: log/event, parameters: {message: hi}}]}"


@pytest.fixture
def make(database: Settings) -> Callable[..., str]:
    """Keep a schedule of a published workflow; gives its id."""
    with db.transaction(database) as session:
        workflows.import_workflow(session, TICK, publish=True)

    def make(now: datetime | None = None, **wish) -> str:
        with db.transaction(database) as session:
            wanted = ScheduleWish(**(wish if "cron" in wish else {"interval_seconds": 1, **wish}))
            return schedules.create_schedule(session, "tick", wanted, now=now or datetime.now(UTC))

    return make


@contextmanager
def running(*settings: Settings) -> Iterator[None]:
    clocks = [Scheduler(each) for each in settings]
    for clock in clocks:
        clock.start()
    try:
        yield
    finally:
        for clock in clocks:
            clock.stop()


def fires(settings: Settings) -> list[ScheduleFire]:
    with db.reading(settings) as session:
        return list(session.exec(select(ScheduleFire).order_by(col(ScheduleFire.fire_at))).all())


def test_due_times_start_runs_promptly(database: Settings, make):
    """Within a tenth of a second, on the second."""
    schedule_id = make()
    with running(database):
        wait_for(lambda: len(fires(database)) >= 3)
        seen = fires(database)

    anchor = seen[0].fire_at - timedelta(seconds=1)
    assert [anchor + timedelta(seconds=n + 1) for n in range(len(seen))] == [row.fire_at for row in seen]
    late = sorted((row.created_at - row.fire_at).total_seconds() for row in seen[1:])
    assert late[0] < 0.1
    with db.reading(database) as session:
        assert {schedule_id} == set(session.exec(select(WorkflowRun.schedule_id)).all())


def test_several_clocks_fire_once(database: Settings, make):
    """Three schedulers on one database: no due time twice, none lost."""
    make()
    with running(database, database, database):
        wait_for(lambda: len(fires(database)) >= 3)

    moments = [row.fire_at for row in fires(database)]
    assert {timedelta(seconds=1)} == {b - a for a, b in pairwise(moments)}
    with db.reading(database) as session:
        assert len(moments) == len(session.exec(select(WorkflowRun)).all())


def test_changes_are_noticed(database: Settings, make):
    """A schedule that comes while the clock runs is fired; one that goes is not fired any more."""
    with running(database):
        schedule_id = make()
        wait_for(lambda: fires(database))
        with db.transaction(database) as session:
            schedules.switch_schedule(session, schedule_id, enabled=False, now=datetime.now(UTC))
        count = len(fires(database))
        other = make()
        wait_for(lambda: {row.schedule_id for row in fires(database)} == {schedule_id, other})

    assert count == sum(row.schedule_id == schedule_id for row in fires(database))


@pytest.mark.parametrize(("catch_up", "count"), [("none", 0), ("last", 1), ("all", 10)])
def test_a_start_makes_up_for_what_was_missed(database: Settings, make, catch_up: str, count: int):
    """Ten due times passed while nothing was running."""
    make(now=datetime.now(UTC) - timedelta(minutes=101), interval_seconds=600, catch_up=catch_up)
    with running(database):
        wait_for(lambda: _next_fire(database) > datetime.now(UTC))

    assert count == len(fires(database))


def test_a_queued_due_time_starts_when_the_run_before_it_has_ended(database: Settings, make):
    """The clock looks for it by itself."""
    make(overlap="queue")
    with running(database):
        wait_for(lambda: [row.outcome for row in fires(database)][:2] == ["started", "queued"])
        with db.transaction(database) as session:
            session.exec(select(WorkflowRun)).one().status = "completed"
        wait_for(lambda: [row.outcome for row in fires(database)][:2] == ["started", "started"])


def test_the_clock_survives_errors(database: Settings, make, monkeypatch, caplog):
    """A database that is not there for a moment is asked again."""
    make()
    real, failures = schedules.enabled_timings, []

    def fail_twice(session):
        if len(failures) < 2:
            failures.append(1)
            raise OSError("gone for a moment")
        return real(session)

    monkeypatch.setattr(schedules, "enabled_timings", fail_twice)
    with running(database):
        wait_for(lambda: fires(database))

    assert "gone for a moment" in caplog.text


def test_the_trigger_goes_on_from_the_last_due_time():
    """APScheduler asks for the next one after the one before, or after now."""
    timing = ScheduleWish(cron="0 * * * *").timing(datetime(2030, 1, 1, tzinfo=UTC))
    now = datetime(2030, 1, 1, 12, 30, tzinfo=UTC)
    trigger = DueTimes(timing)

    assert datetime(2030, 1, 1, 13, tzinfo=UTC) == trigger.get_next_fire_time(None, now)
    assert datetime(2030, 1, 1, 11, tzinfo=UTC) == trigger.get_next_fire_time(datetime(2030, 1, 1, 10, tzinfo=UTC), now)


@pytest.mark.crash
def test_a_worker_that_is_killed_loses_and_doubles_nothing(tmp_path):
    """Two worker processes, one of them killed again and again: one run per due time."""
    settings = Settings(data_dir=tmp_path)
    migrations.upgrade(settings)
    with db.transaction(settings) as session:
        workflows.import_workflow(session, TICK, publish=True)
        wish = ScheduleWish(interval_seconds=1, catch_up="all")
        schedules.create_schedule(session, "tick", wish, now=datetime.now(UTC))
    steady, victim = _worker(settings), _worker(settings)
    try:
        for count in (2, 4, 6):
            wait_for(lambda count=count: len(fires(settings)) >= count, seconds=60)
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            victim = _worker(settings)
        wait_for(lambda: len(fires(settings)) >= 8, seconds=60)
    finally:
        for process in (steady, victim):
            process.terminate()
        codes = [process.wait(20) for process in (steady, victim)]

    moments = [row.fire_at for row in fires(settings)]
    assert set(codes) <= {0, -signal.SIGTERM}  # one that is asked to stop while it starts just ends
    assert {timedelta(seconds=1)} == {b - a for a, b in pairwise(moments)}
    with db.reading(settings) as session:
        assert len(moments) == len(session.exec(select(WorkflowRun)).all())
    db.connect(settings).dispose()


def _worker(settings: Settings) -> subprocess.Popen:
    environment = {**os.environ, "CANVAS_DATA_DIR": str(settings.data_dir), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-m", "canvas.cli", "worker"], env=environment, stdin=subprocess.DEVNULL)


def _next_fire(settings: Settings) -> datetime:
    with db.reading(settings) as session:
        return session.exec(select(Schedule.next_fire_at)).one()
