"""The clock of the machine is set while schedules are watched: nothing is fired twice, nothing is lost."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from canvas import db
from canvas.scheduler import Clock, Scheduler
from canvas.services import schedules, workflows
from canvas.services.schedules import ScheduleWish
from models import ScheduleFire, WorkflowRun

TICK = "{dsl: canvas/v1, name: tick, steps: [{name: note, type: action, action: log/event, parameters: {message: hi}}]}"
START = datetime(2030, 1, 1, 12, 0, 30, tzinfo=UTC)
HOUR = 3_600


class FakeClock:
    """A clock on the wall that can be set, beside time that passes."""

    def __init__(self) -> None:
        self.wall, self.seconds = START, 1_000.0
        self.highest = START

    def clock(self) -> Clock:
        return Clock(now=lambda: self.wall, passed=lambda: self.seconds)

    def go_on(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds
        self.highest = max(self.highest, self.wall)

    def set(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.highest = max(self.highest, self.wall)


@pytest.fixture
def watch(database, monkeypatch):
    """Watch a fresh schedule with a fake clock; gives the clock, the scheduler and a look at what was fired."""
    monkeypatch.setattr("canvas.scheduler.refresh_outdated", lambda settings: 0)
    with db.transaction(database) as session:
        workflows.import_workflow(session, TICK, publish=True)

    def make(**wish):
        fake = FakeClock()
        with db.transaction(database) as session:
            for row in session.exec(select(schedules.Schedule)).all():
                session.delete(row)
            session.flush()
            schedule_id = schedules.create_schedule(session, "tick", ScheduleWish(**wish), now=fake.wall)

        def fired() -> list[datetime]:
            with db.reading(database) as session:
                rows = session.exec(select(ScheduleFire).order_by(col(ScheduleFire.fire_at))).all()
                runs = session.exec(select(WorkflowRun.id).where(WorkflowRun.schedule_id == schedule_id)).all()
            assert len(rows) == len(runs) == len({row.run_id for row in rows})
            return [row.fire_at for row in rows]

        return fake, Scheduler(database, fake.clock()), fired

    return make


def quarters(until: datetime) -> list[datetime]:
    first = START.replace(minute=15, second=0)
    count = int((until - first) / timedelta(minutes=15)) + 1 if until >= first else 0
    return [first + n * timedelta(minutes=15) for n in range(count)]


@pytest.mark.parametrize("catch_up", ["none", "last", "all"])
def test_an_hour_forth_loses_nothing(watch, catch_up):
    """The process was there: what the clock skipped is not missed, whatever the policy for what is."""
    fake, scheduler, fired = watch(cron="*/15 * * * *", catch_up=catch_up)
    scheduler.look()
    fake.set(HOUR)
    scheduler.look()

    assert 4 == len(fired())
    assert quarters(fake.wall) == fired()


def test_an_hour_back_doubles_nothing(watch):
    """The hour comes twice; the second time nothing is fired, and after it all goes on."""
    fake, scheduler, fired = watch(cron="*/15 * * * *", catch_up="all")
    for _ in range(12):
        fake.go_on(300)
        scheduler.look()
    before = fired()
    fake.set(-HOUR)
    for _ in range(11):
        fake.go_on(300)
        scheduler.look()
    assert (4, before) == (len(before), fired())

    for _ in range(4):
        fake.go_on(300)
        scheduler.look()
    assert quarters(fake.wall) == fired()


@pytest.mark.parametrize("catch_up", ["none", "last", "all"])
def test_an_interval_goes_by_time_that_passes(watch, catch_up):
    """Set back, it does not stay silent until the clock is there again, but counts from when that is noticed."""
    fake, scheduler, fired = watch(interval_seconds=60, catch_up=catch_up)
    for _ in range(90):
        fake.go_on(10)
        scheduler.look()
    assert 15 == len(fired())
    fake.set(-HOUR)
    scheduler.look()
    for _ in range(90):
        fake.go_on(10)
        scheduler.look()

    assert 30 == len(fired())


def test_an_interval_does_not_burst_when_the_clock_is_set_forth(watch):
    """No time has passed, so at most one firing makes up."""
    fake, scheduler, fired = watch(interval_seconds=60, catch_up="last")
    scheduler.look()
    fake.set(HOUR)
    scheduler.look()

    assert len(fired()) <= 2


def test_sleep_is_no_step_of_the_clock(watch):
    """A laptop that was closed for an hour has missed its due times: the policy decides."""
    fake, scheduler, fired = watch(cron="*/15 * * * *", catch_up="none")
    scheduler.look()
    fake.go_on(HOUR + 300)
    scheduler.look()

    assert [] == fired()


def test_alarms_are_set_anew_after_a_step(watch):
    """Each was set by the clock as it was before."""
    fake, scheduler, _ = watch(cron="*/15 * * * *")
    scheduler.look()
    before = {id(job) for job in scheduler._alarms.get_jobs()}
    scheduler.look()
    assert before == {id(job) for job in scheduler._alarms.get_jobs()}
    fake.set(-HOUR)
    scheduler.look()

    assert before != {id(job) for job in scheduler._alarms.get_jobs()}


MOVES = st.lists(
    st.one_of(
        st.integers(1, 900).map(lambda seconds: ("go_on", seconds)),
        st.sampled_from([HOUR, -HOUR, 1_800, -1_800, 61, -61]).map(lambda seconds: ("set", seconds)),
    ),
    max_size=25,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES, catch_up=st.sampled_from(["none", "last", "all"]), jitter=st.sampled_from([0, 0, 600]))
@example(moves=[("set", HOUR), ("set", -HOUR), ("set", HOUR)], catch_up="none", jitter=0)
def test_whatever_the_clock_does_each_due_time_is_fired_once(watch, moves, catch_up, jitter):
    """Somebody looks every minute at least; every due time the clock has come to was fired, once, and no other."""
    fake, scheduler, fired = watch(cron="*/15 * * * *", catch_up=catch_up, jitter_seconds=jitter)
    scheduler.look()
    for move, seconds in moves:
        if move == "set":
            fake.set(seconds)
            scheduler.look()
        for _ in range(seconds // 30 if move == "go_on" else 0):
            fake.go_on(30)
            scheduler.look()

    certain, possible, seen = quarters(fake.highest - timedelta(seconds=jitter)), quarters(fake.highest), fired()
    assert possible[: len(seen)] == seen
    assert certain == seen[: len(certain)]
    assert all(a < b for a, b in pairwise(seen))
