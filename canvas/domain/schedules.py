"""When a schedule is due: cron read as Unix reads it, in any timezone, and plain intervals. Arithmetic only."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from canvas.domain.errors import Invalid
from canvas.domain.states import CatchUp

CRON_FIELDS = 5
MAX_CRON_LENGTH = 200
MIN_INTERVAL = timedelta(seconds=1)
MAX_INTERVAL = timedelta(days=3_660)
MAX_JITTER = timedelta(hours=1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_LOOK_BACK = timedelta(hours=1)
_INSTANT = timedelta(microseconds=1)


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
    jitter: timedelta = timedelta(0)
    "Each firing is put off by less than this; when it is due, which is what identifies it, stays."
    seed: str = ""
    "What else the delay of a firing depends on, so that schedules due at the same time spread."


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


def span(seconds: float) -> timedelta:
    """Give a time span.

    Raises:
        InvalidSchedule: it is no number, or beyond what a calendar knows.
    """
    try:
        return timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        most = MAX_INTERVAL.total_seconds()
        raise InvalidSchedule(f"A time span of a schedule has at most {most:g} seconds, not {seconds:g}.") from None


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
    if not timedelta(0) <= timing.jitter <= MAX_JITTER:
        raise InvalidSchedule(f"A jitter is between 0 and {MAX_JITTER.total_seconds():g} seconds.")
    _zone(timing.timezone)


def delay(timing: Timing, due_at: datetime) -> timedelta:
    """Tell how long the firing for a due time is put off: 0 up to the jitter, the same in every process."""
    if not timing.jitter:
        return timedelta(0)
    digest = sha256(f"{timing.seed} {due_at.astimezone(UTC).isoformat()}".encode()).digest()
    return timing.jitter * (int.from_bytes(digest[:6]) / 2**48)


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


def past_fire_times(timing: Timing, *, start: datetime, end: datetime, limit: int) -> list[datetime]:
    """List the moments a schedule is due in [start, end], also those before it was made; at most `limit`.

    Raises:
        InvalidSchedule: the cron expression or the timezone cannot be read.
    """
    anchor = _EPOCH
    if timing.interval is not None:
        turns = max(0, -((start - timing.anchor) // timing.interval)) + 1
        anchor = timing.anchor - turns * timing.interval
    earlier = replace(timing, anchor=min(anchor, timing.anchor))
    return fire_times(earlier, after=start - _INSTANT, until=end, limit=limit)


def next_fire_times(timing: Timing, *, after: datetime, count: int) -> list[datetime]:
    """List the next `count` moments after `after`, in UTC; fewer when the schedule ends before.

    Raises:
        InvalidSchedule: the cron expression or the timezone cannot be read.
    """
    return list(islice(_times(timing, after), count))


def next_firing(timing: Timing, *, after: datetime) -> datetime | None:
    """Find when the first due time after `after` is fired, its delay included; None when there is none.

    Raises:
        InvalidSchedule: the cron expression or the timezone cannot be read.
    """
    due_at = next(_times(timing, after), None)
    return None if due_at is None else due_at + delay(timing, due_at)


def next_firings(timing: Timing, *, after: datetime, count: int) -> list[datetime]:
    """List the next `count` moments after `after` at which something is fired, in UTC; fewer when it ends before.

    Without jitter these are the due times. With it, firings keep the order of their due times: one whose delay is
    longer holds up those behind it.

    Raises:
        InvalidSchedule: the cron expression or the timezone cannot be read.
    """
    firings: list[datetime] = []
    held_up = after - timing.jitter
    for due_at in _times(timing, held_up):
        held_up = max(held_up, due_at + delay(timing, due_at))
        if held_up > after:
            firings.append(held_up)
        if len(firings) == count:
            break
    return firings


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
    missed_before = _ripe(timing, last, missed_before)
    now = _ripe(timing, last, now)
    if catch_up is CatchUp.ALL:
        fires = fire_times(timing, after=last, until=now, limit=limit)
        return Due(tuple(fires), fires[-1] if fires else None)
    edge = min(max(missed_before, last), now)
    missed = latest_fire_time(timing, after=last, until=edge)
    on_time = fire_times(timing, after=edge, until=now, limit=limit)
    made_up = [missed] if missed is not None and catch_up is CatchUp.LAST else []
    return Due(tuple(made_up + on_time), on_time[-1] if on_time else missed)


def _ripe(timing: Timing, last: datetime, moment: datetime) -> datetime:
    """Move a moment back to just before the first due time after `last` whose firing is put off beyond it."""
    if not timing.jitter:
        return moment
    for due_at in _times(timing, max(last, moment - timing.jitter)):
        if due_at > moment:
            break
        if due_at + delay(timing, due_at) > moment:
            return due_at - _INSTANT
    return moment


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
