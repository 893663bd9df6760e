"""The clock: APScheduler wakes when a schedule is due; what to do then, and whether, is in the tables.

Its job store is memory, filled from the `schedule` table and brought up to date once a second. A job inserts rows and
rings; several processes may do so at once, because a due time is a row with a unique key.
"""

import logging
import threading
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from canvas.db import reading, transaction
from canvas.domain.schedules import Timing, next_fire_times
from canvas.services import schedules
from canvas.services.connection_tests import refresh_outdated
from canvas.settings import Settings

LOOK_SECONDS = 1.0
"How often changes to schedules, and ends of runs that queued due times wait for, are looked for."
REFRESH_SECONDS = 60.0
"How often it is asked whether the tools of an MCP server have not been listed for long."
_LOOK, _REFRESH = "look", "refresh"
_logger = logging.getLogger(__name__)


class DueTimes(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Hands our own arithmetic to APScheduler, whose cron parser has weekday and clock-change faults."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Give the due time after the previous one, or after now."""
        after = now if previous_fire_time is None else previous_fire_time
        return next(iter(next_fire_times(self._timing, after=after, count=1)), None)


class Scheduler:
    """Fires schedules in this process from `start` to `stop`; any number of processes may do the same."""

    def __init__(self, settings: Settings) -> None:
        # it warns of every look that takes longer than a second, which only puts off the next one
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._settings = settings
        self._known: dict[str, Timing] = {}
        self._since = datetime.now(UTC)
        self._refreshing: threading.Thread | None = None
        self._clock = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def start(self) -> None:
        """Begin: first with what was due while nothing was running, then with the clock."""
        self._since = datetime.now(UTC)
        self._clock.start()
        self._clock.add_job(self._look, IntervalTrigger(seconds=LOOK_SECONDS), id=_LOOK, next_run_time=self._since)
        self._clock.add_job(self._refresh, IntervalTrigger(seconds=REFRESH_SECONDS), id=_REFRESH)

    def stop(self) -> None:
        """Stop the clock; a firing that is going on is finished first."""
        self._clock.shutdown(wait=True)

    def _look(self) -> None:
        """Catch up with the tables: schedules that came, went or changed, what is overdue, and what is queued."""
        try:
            with reading(self._settings) as session:
                wanted = schedules.enabled_timings(session)
                queued = schedules.has_queued(session)
            self._arrange(wanted)
            self._fire()
            if queued:
                with transaction(self._settings) as session:
                    schedules.start_queued(session)
        except Exception:
            _logger.exception("looking for schedules failed; it is tried again in %s s", LOOK_SECONDS)

    def _refresh(self) -> None:
        """List tools anew beside the clock, which must not wait for servers; nor must whoever stops it."""
        if self._refreshing is None or not self._refreshing.is_alive():
            self._refreshing = threading.Thread(target=refresh_outdated, args=(self._settings,), daemon=True)
            self._refreshing.start()

    def _arrange(self, wanted: dict[str, Timing]) -> None:
        for schedule_id in self._known.keys() - wanted.keys():
            self._clock.remove_job(schedule_id)
        for schedule_id, timing in wanted.items():
            if self._known.get(schedule_id) != timing:
                self._clock.add_job(self._fire, DueTimes(timing), id=schedule_id, replace_existing=True)
        self._known = wanted

    def _fire(self) -> None:
        """Deal with everything that is due; one transaction for all that came due at the same moment."""
        try:
            while self._is_anything_due():
                with transaction(self._settings) as session:
                    schedules.fire_due(session, now=datetime.now(UTC), since=self._since)
        except Exception:
            _logger.exception("firing schedules failed; it is tried again in %s s", LOOK_SECONDS)

    def _is_anything_due(self) -> bool:
        with reading(self._settings) as session:
            return schedules.is_anything_due(session, datetime.now(UTC))
