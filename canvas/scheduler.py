"""The clock: APScheduler wakes when a schedule is due; what to do then, and whether, is in the tables.

Its job store is memory, filled from the `schedule` table and brought up to date once a second. A job inserts rows and
rings; several processes may do so at once, because a due time is a row with a unique key.

The clock of the machine may be set, by hand or by a time server. So what happens once a second goes by time that has
passed, and a step of the clock is told from sleep by comparing both.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from canvas.db import reading, transaction
from canvas.domain.schedules import Timing, next_firings
from canvas.services import events, proposals, retention, schedules, tasks
from canvas.services.connection_tests import refresh_outdated
from canvas.settings import Settings

LOOK_SECONDS = 1.0
"How often changes to schedules, events, and ends of runs that queued due times wait for, are looked for."
PRUNE_SECONDS = 600.0
REFRESH_SECONDS = 60.0
"How often it is asked whether the tools of an MCP server have not been listed for long."
STEP = timedelta(seconds=2)
"The clock differs by more than this from the time that has passed: it was set."
_PASSING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"Goes on while the machine sleeps, where the system offers that."
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the time comes from."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    "What the clock on the wall says; it may be set."
    passed: Callable[[], float] = lambda: time.clock_gettime(_PASSING)
    "Seconds that have passed since some moment; never set."


class DueTimes(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Hands our own arithmetic to APScheduler, whose cron parser has weekday and clock-change faults."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Give when the next due time after the previous one, or after now, is fired."""
        after = now if previous_fire_time is None else previous_fire_time
        return next(iter(next_firings(self._timing, after=after, count=1)), None)


class Scheduler:
    """Fires schedules in this process from `start` to `stop`; any number of processes may do the same."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        # it warns of every firing that takes longer than a second, which only puts off the next one
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._settings = settings
        self._clock = clock or Clock()
        self._known: dict[str, Timing] = {}
        self._since = self._looked_at = self._clock.now()
        self._passed_at = self._clock.passed()
        self._prune_at = 0.0
        self._refresh_at = self._passed_at + REFRESH_SECONDS
        self._refreshing: threading.Thread | None = None
        self._firing = threading.Lock()
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look_again_and_again, name="canvas-scheduler", daemon=True)
        self._alarms = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def start(self) -> None:
        """Begin: first with what was due while nothing was running, then with the clock."""
        self._since = self._looked_at = self._clock.now()
        self._passed_at = self._clock.passed()
        self._alarms.start()
        self._watch.start()

    def stop(self) -> None:
        """Stop the clock; a firing that is going on is finished first."""
        self._done.set()
        self._watch.join()
        self._alarms.shutdown(wait=True)

    def _look_again_and_again(self) -> None:
        self._safely(self._restart_intervals)
        while True:
            self._safely(self.look)
            if self._done.wait(LOOK_SECONDS):
                return

    def look(self) -> None:
        """Catch up with the tables: schedules that came, went or changed, what is overdue or queued, and events."""
        self._fire_all()
        with reading(self._settings) as session:
            wanted = schedules.enabled_timings(session)
            queued = schedules.has_queued(session)
        self._arrange(wanted)
        if queued:
            with transaction(self._settings) as session:
                schedules.start_queued(session)
        self._tell_events()
        self._mind_people()
        self._keep_house()

    def _mind_people(self) -> None:
        """Bring back snoozed tasks, and close proposals that nobody decided on in time."""
        now = self._clock.now()
        with reading(self._settings) as session:
            if not tasks.has_tasks_to_wake(session, now=now) and not proposals.has_expired_proposals(session, now=now):
                return
        with transaction(self._settings) as session:
            tasks.wake_tasks(session, now=now)
            proposals.expire_proposals(session, now=now)

    def _keep_house(self) -> None:
        passed = self._clock.passed()
        if passed >= self._prune_at:
            self._prune_at = passed + PRUNE_SECONDS
            with transaction(self._settings) as session:
                retention.prune_triggers(session, now=self._clock.now())
        if passed >= self._refresh_at:
            self._refresh_at = passed + REFRESH_SECONDS
            self._refresh()

    def _refresh(self) -> None:
        """List tools anew beside the clock, which must not wait for servers; nor must whoever stops it."""
        if self._refreshing is None or not self._refreshing.is_alive():
            self._refreshing = threading.Thread(target=refresh_outdated, args=(self._settings,), daemon=True)
            self._refreshing.start()

    def _note_time(self) -> timedelta:
        """Tell how far the clock was set since somebody asked last: 0 when it only went on."""
        now, passed = self._clock.now(), self._clock.passed()
        between = timedelta(seconds=passed - self._passed_at)
        step = now - self._looked_at - between
        self._looked_at, self._passed_at = now, passed
        if abs(step) <= STEP:
            return timedelta(0)
        _logger.warning("the clock was set by %.0f s; nothing is fired twice or left out", step.total_seconds())
        self._since = min(self._since, now)
        self._known = {}  # every alarm was set by the clock as it was
        if step < -STEP:
            self._restart_intervals()
        return step

    def _restart_intervals(self) -> None:
        with transaction(self._settings) as session:
            schedules.restart_intervals(session, now=self._clock.now())

    def _arrange(self, wanted: dict[str, Timing]) -> None:
        jobs = {job.id for job in self._alarms.get_jobs()}
        for schedule_id in jobs - wanted.keys():
            self._alarms.remove_job(schedule_id)
        for schedule_id, timing in wanted.items():
            if self._known.get(schedule_id) != timing:
                self._alarms.add_job(self._ring, DueTimes(timing), id=schedule_id, replace_existing=True)
        self._known = wanted

    def _ring(self) -> None:
        self._safely(self._fire_all)

    def _fire_all(self) -> None:
        """Deal with everything that is due; one transaction for all that came due at the same moment."""
        with self._firing:
            clock_step = max(self._note_time(), timedelta(0))
            while self._is_anything_due():
                with transaction(self._settings) as session:
                    schedules.fire_due(session, now=self._clock.now(), since=self._since, clock_step=clock_step)

    def _is_anything_due(self) -> bool:
        with reading(self._settings) as session:
            return schedules.is_anything_due(session, self._clock.now())

    def _tell_events(self) -> None:
        """Start what listens to the events that the engine wrote, and what has begun to listen to earlier ones."""
        while not self._done.is_set():
            with reading(self._settings) as session:
                if not events.has_work(session):
                    return
            with transaction(self._settings) as session:
                now = self._clock.now()
                events.dispatch_events(session, now=now)
                events.catch_up(session, now=now)

    def _safely(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            _logger.exception("the clock could not do its work; it is tried again in %s s", LOOK_SECONDS)
