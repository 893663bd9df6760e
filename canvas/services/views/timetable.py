"""When a schedule that somebody is still writing would be due."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from canvas.domain.cron_words import cron_in_words, interval_in_words
from canvas.domain.schedules import Timing, check_timing, next_fire_times, span

_COUNT: Final = 5


@dataclass(frozen=True, slots=True)
class Timetable:
    """A schedule in words, and its next due times in UTC."""

    words: str
    fire_times: list[datetime]


def timetable(*, cron: str | None, interval_seconds: float | None, timezone: str, now: datetime) -> Timetable:
    """Say when a schedule would be due from now on.

    Args:
        cron: Five fields; None when it goes by `interval_seconds`.
        interval_seconds: Counted from now.
        timezone: IANA name in which `cron` is read.

    Raises:
        InvalidSchedule: neither or both are given, or one of the values is wrong.
    """
    interval = None if interval_seconds is None else span(interval_seconds)
    timing = Timing(cron=cron, interval=interval, timezone=timezone, anchor=now)
    check_timing(timing)
    words = interval_in_words(interval_seconds or 0) if cron is None else cron_in_words(cron)
    return Timetable(words, next_fire_times(timing, after=now, count=_COUNT))
