"""When a schedule is due: cron read as Unix reads it, in any timezone, and plain intervals. Arithmetic only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from canvas.domain.errors import Invalid
from canvas.domain.states import CatchUp

CRON_FIELDS = 5
MAX_CRON_LENGTH = 200
MIN_INTERVAL = timedelta(seconds=1)
MAX_INTERVAL = timedelta(days=3_660)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_LOOK_BACK = timedelta(hours=1)


class InvalidSchedule(Invalid):
    """The schedule cannot be read."""

    code = "invalid_schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When something is due: by `cron`, or every `interval` counted from `anchor`; never at or before `anchor`."""

    cron: str | None = None
    interval: timedelta | None = None
    timezone: str = "UTC"
    anchor: datetime = _EPOCH


@dataclass(frozen=True, slots=True)
class Due:
    """What has to be done about the due times up to now."""

    fires: tuple[datetime, ...] = ()
    "To be fired, oldest first."
    latest: datetime | None = None
    "Every due time up to this one is dealt with by `fires` or given up; None when there was none."


def check_cron(cron: str, *, timezone: str = "UTC") -> None:
    """Make sure that a cron expression and a timezone can be read, and that the schedule is due at least once.

    Raises:
        InvalidSchedule: says which of them is wrong, and how it should look.
    """
    if next(_cron_times(cron, timezone, _EPOCH), None) is None:
        raise InvalidSchedule(f"{cron!r} is never due.", cron=cron)


def check_timing(timing: Timing) -> None:
    """Make sure that a schedule can be read.

    Raises:
        InvalidSchedule: neither or both of cron and interval are given, or one of the values is wrong.
    """
    if (timing.cron is None) == (timing.interval is None):
        raise InvalidSchedule("A schedule has either `cron` or `interval_seconds`.")
    if timing.cron is not None:
        check_cron(timing.cron, timezone=timing.timezone)
    if timing.interval is not None and not MIN_INTERVAL <= timing.interval <= MAX_INTERVAL:
        raise InvalidSchedule(
            f"An interval is between {MIN_INTERVAL.total_seconds():g} and {MAX_INTERVAL.total_seconds():g} seconds."
        )
    _zone(timing.timezone)


def fire_times(timing: Timing, *, after: datetime, until: datetime, limit: int | None = None) -> list[datetime]:
    """List the moments a schedule is due in the window (after, until].

    Open at `after`: calling again with the last result as `after` repeats nothing and loses nothing.

    Args:
        limit: At most this many, oldest first; None has no limit.

    Returns:
        Aware, in UTC, ascending, without duplicates.

    Raises:
        InvalidSchedule: the cron expression or the timezone cannot be read.
    """
    return list(islice(takewhile(lambda moment: moment <= until, _times(timing, after)), limit))


def next_fire_times(timing: Timing, *, after: datetime, count: int) -> list[datetime]:
    """List the next `count` moments after `after`, in UTC; fewer when the schedule ends before.

    Raises:
        InvalidSchedule: the cron expression or the timezone cannot be read.
    """
    return list(islice(_times(timing, after), count))


def latest_fire_time(timing: Timing, *, after: datetime, until: datetime) -> datetime | None:
    """Find the last moment in (after, until], in UTC; looks back in growing steps, so a long window costs little."""
    span = _FIRST_LOOK_BACK
    while True:
        start = max(after, until - span)
        if found := fire_times(timing, after=start, until=until):
            return found[-1]
        if start == after:
            return None
        span *= 4


def due(
    timing: Timing, *, last: datetime, now: datetime, missed_before: datetime, catch_up: CatchUp, limit: int = 100
) -> Due:
    """Decide what a schedule has to do now.

    Args:
        last: Everything up to here is dealt with already.
        missed_before: Due times before this moment passed while nobody watched; `catch_up` says which count.
        limit: At most this many are to be fired; with `all`, the rest is for the next call.
    """
    if catch_up is CatchUp.ALL:
        fires = fire_times(timing, after=last, until=now, limit=limit)
        return Due(tuple(fires), fires[-1] if fires else None)
    edge = min(max(missed_before, last), now)
    missed = latest_fire_time(timing, after=last, until=edge)
    on_time = fire_times(timing, after=edge, until=now, limit=limit)
    made_up = [missed] if missed is not None and catch_up is CatchUp.LAST else []
    return Due(tuple(made_up + on_time), on_time[-1] if on_time else missed)


def _times(timing: Timing, after: datetime) -> Iterator[datetime]:
    start = max(after, timing.anchor)
    if timing.cron is not None:
        return _cron_times(timing.cron, timing.timezone, start)
    if timing.interval is not None:
        return _interval_times(timing.interval, timing.anchor, start)
    return iter(())


def _interval_times(interval: timedelta, anchor: datetime, after: datetime) -> Iterator[datetime]:
    number = (after - anchor) // interval
    while True:
        number += 1
        yield (anchor + number * interval).astimezone(UTC)


def _cron_times(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """Iterate in local time; around a clock change the library may repeat a moment or look back, which is left out."""
    latest = after
    for moment in _simulate(cron, after.astimezone(_zone(timezone))):
        moment = moment.astimezone(UTC)
        if moment > latest:
            latest = moment
            yield moment


def _simulate(cron: str, start: datetime) -> CronSim:
    if len(cron) > MAX_CRON_LENGTH or len(cron.split()) != CRON_FIELDS:
        raise InvalidSchedule(
            f"A cron expression has five fields: minute, hour, day of month, month, weekday; not {cron[:80]!r}.",
            cron=cron,
        )
    try:
        return CronSim(cron, start)
    except (CronSimError, AssertionError, TypeError, ValueError) as error:  # odd mixtures get past its own checks
        reason = str(error) if isinstance(error, CronSimError) else "Bad field"
        raise InvalidSchedule(f"The cron expression {cron!r} cannot be read: {reason.lower()}.", cron=cron) from None


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidSchedule(
            f"There is no timezone {name!r}; use a name such as Europe/Paris or UTC.", timezone=name
        ) from None
