"""Functions on times. A time is text in ISO 8601, in UTC and to the millisecond, so that times sort as text does."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from canvas.domain.expressions.catalogue import function
from canvas.domain.expressions.faults import ExpressionValueError
from canvas.domain.expressions.limits import Meter

_time = partial(function, "Times")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[wdhms])")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_DIRECTIVES: dict[str, Callable[[datetime], str]] = {
    "Y": lambda at: f"{at.year:04}",
    "m": lambda at: f"{at.month:02}",
    "d": lambda at: f"{at.day:02}",
    "H": lambda at: f"{at.hour:02}",
    "I": lambda at: f"{(at.hour + 11) % 12 + 1:02}",
    "p": lambda at: "AM" if at.hour < 12 else "PM",
    "M": lambda at: f"{at.minute:02}",
    "S": lambda at: f"{at.second:02}",
    "f": lambda at: f"{at.microsecond:06}",
    "j": lambda at: f"{at.timetuple().tm_yday:03}",
    "V": lambda at: f"{at.isocalendar().week:02}",
    "a": lambda at: _DAYS[at.weekday()][:3],
    "A": lambda at: _DAYS[at.weekday()],
    "b": lambda at: _MONTHS[at.month - 1][:3],
    "B": lambda at: _MONTHS[at.month - 1],
    "z": lambda at: at.isoformat()[-6:].replace(":", ""),
    "%": lambda at: "%",
}
_PARTS: dict[str, Callable[[datetime], int]] = {
    "year": lambda at: at.year,
    "month": lambda at: at.month,
    "day": lambda at: at.day,
    "hour": lambda at: at.hour,
    "minute": lambda at: at.minute,
    "second": lambda at: at.second,
    "weekday": lambda at: at.isoweekday(),
    "yearday": lambda at: at.timetuple().tm_yday,
    "week": lambda at: at.isocalendar().week,
}


def _read(value: Any) -> datetime:
    try:
        if type(value) is str:
            found = datetime.fromisoformat(value.strip()[:64])
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        return _EPOCH + timedelta(seconds=value)
    except (ValueError, OverflowError):
        text = str(value)[:40]
        raise ExpressionValueError(f"`{text}` is no time; write it as 2025-08-18T10:30:00Z.") from None


def _write(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _zoned(value: Any, zone: str) -> datetime:
    try:
        return _read(value).astimezone(ZoneInfo(zone))
    except (ValueError, LookupError, OSError, OverflowError):
        raise ExpressionValueError(f"`{zone[:40]}` is no time zone such as Europe/Madrid.") from None


def _seconds(amount: Any) -> float:
    return float(amount) if type(amount) in (int, float) else _duration(amount)


def _duration(text: str) -> float:
    body = text.strip()[:64].replace(" ", "")
    sign, body = (-1.0, body[1:]) if body.startswith("-") else (1.0, body)
    parts = _AMOUNT.findall(body)
    if not parts or "".join(map("".join, parts)) != body:
        raise ExpressionValueError(f"`{text[:40]}` is no duration such as 1h30m or 2d.")
    return sign * sum(float(number) * _UNITS[unit] for number, unit in parts)


def _whole(number: float) -> float:
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


@_time("timestamp(value: time) -> string", "timestamp('2025-08-18T12:30:00+02:00')", "2025-08-18T10:30:00.000Z")
def timestamp(meter: Meter, value: Any) -> str:
    """Read a time from ISO text, or from seconds since 1970, and write it in UTC; such texts compare as times do."""
    meter.spend(4)
    return _write(_read(value))


@_time("unixTime(time: time) -> number", "unixTime('2025-08-18T10:30:00Z')", 1755513000)
def unix_time(meter: Meter, time: Any) -> float:
    """The seconds since 1970."""
    meter.spend(4)
    return _whole((_read(time) - _EPOCH).total_seconds())


@_time("duration(text: string) -> number", "duration('1h30m')", 5400)
def duration(meter: Meter, text: str) -> float:
    """The seconds in a duration, made of numbers with w, d, h, m, s or ms."""
    meter.spend(10)
    return _whole(_duration(text))


@_time(
    "addTime(time: time, amount: string|number) -> string",
    "addTime('2025-02-28T12:00:00Z', '1d')",
    "2025-03-01T12:00:00.000Z",
)
def add_time(meter: Meter, time: Any, amount: Any) -> str:
    """The time so much later (or, negative, earlier): seconds, or a duration such as '2d' or '-1h30m'."""
    meter.spend(14)
    at = _read(time)
    try:
        return _write(at + timedelta(seconds=_seconds(amount)))
    except OverflowError:
        raise ExpressionValueError("The result lies outside the years 1 to 9999.") from None


@_time("timeBetween(start: time, end: time) -> number", "timeBetween('2025-08-18', '2025-08-19')", 86400)
def time_between(meter: Meter, start: Any, end: Any) -> float:
    """The seconds from one time to another; negative if the second one is earlier."""
    meter.spend(8)
    return _whole((_read(end) - _read(start)).total_seconds())


@_time(
    "formatTime(time: time, pattern: string, zone?: string) -> string",
    "formatTime('2025-08-18T22:30:00Z', '%A %d.%m.%Y %H:%M', 'Europe/Paris')",
    "Tuesday 19.08.2025 00:30",
)
def format_time(meter: Meter, time: Any, pattern: str, zone: str = "UTC") -> str:
    """Write a time as people read it: %Y %m %d %H %I %p %M %S %f %j %V %a %A %b %B %z, in a zone (UTC at first)."""
    meter.spend(20 + 2 * len(pattern), 4 * len(pattern))
    at = _zoned(time, zone)

    def fill(found: re.Match[str]) -> str:
        write = _DIRECTIVES.get(found[1])
        if write is None:
            raise ExpressionValueError(f"`{found[0]}` is no part of a time.")
        return write(at)

    return re.sub(r"%(.?)", fill, pattern, flags=re.DOTALL)


@_time("timePart(time: time, part: string, zone?: string) -> integer", "timePart('2025-08-18T10:30:00Z', 'weekday')", 1)
def time_part(meter: Meter, time: Any, part: str, zone: str = "UTC") -> int:
    """One of year, month, day, hour, minute, second, weekday (Monday is 1), yearday and week, in a zone."""
    meter.spend(20)
    read = _PARTS.get(part)
    if read is None:
        raise ExpressionValueError(f"`{part[:40]}` is none of {', '.join(_PARTS)}.")
    return read(_zoned(time, zone))
