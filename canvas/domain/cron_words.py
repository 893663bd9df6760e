"""Cron in words: `0 2 * * 1-5` is "every weekday at 02:00"."""

import re
from typing import Final

_FIELDS: Final = 5
_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "",
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_SHORT: Final = {
    name[:3].upper(): number for names in (_MONTHS, _DAYS[:7]) for number, name in enumerate(names) if name
}
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_PLAIN: Final = re.compile(r"\d+")
_STEP: Final = re.compile(r"\*/(\d+)")


def cron_in_words(cron: str) -> str:
    """Say when a cron expression is due; what has no short sentence is given back as it is.

    Args:
        cron: Five fields, as `domain.schedules.check_cron` accepts them.
    """
    fields = cron.split()
    if len(fields) != _FIELDS:
        return cron
    minute, hour, day, month, weekday = fields
    time = _time(minute, hour)
    days = _days(day, month, weekday)
    if time is None or days is None:
        return cron
    if days == "on Monday to Friday" and time.startswith("at "):
        return f"every weekday {time}"
    if days:
        return f"{time} {days}"
    return f"every day {time}" if time.startswith("at ") and _PLAIN.match(hour) else time


def interval_in_words(seconds: float) -> str:
    """Say an interval: `90` is "every 90 seconds", `3600` is "every hour"."""
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return f"every {seconds:g} seconds"


def _time(minute: str, hour: str) -> str | None:
    if _PLAIN.fullmatch(minute) and re.fullmatch(r"\d+(,\d+)*", hour):
        return "at " + _and([f"{int(each):02}:{int(minute):02}" for each in hour.split(",")])
    within = _hours(hour)
    if within is None:
        return None
    if minute == "*":
        return f"every minute{within}"
    if step := _STEP.fullmatch(minute):
        return f"every {step[1]} minutes{within}"
    if _PLAIN.fullmatch(minute):
        when = "every hour" if hour == "*" else within.strip()
        return when if int(minute) == 0 else f"at minute {int(minute)}, {when}"
    return None


def _hours(hour: str) -> str | None:
    """A phrase that limits the hours, with a space before it; empty when every hour counts."""
    if hour == "*":
        return ""
    if step := _STEP.fullmatch(hour):
        return f" every {step[1]} hours"
    if between := re.fullmatch(r"(\d+)-(\d+)", hour):
        return f" from {int(between[1]):02}:00 to {int(between[2]):02}:59"
    if _PLAIN.fullmatch(hour):
        return f" from {int(hour):02}:00 to {int(hour):02}:59"
    return None


def _days(day: str, month: str, weekday: str) -> str | None:
    """A phrase for the days; empty when every day counts, None when there is no short one."""
    if day != "*" and weekday != "*":
        return None
    on = _list(weekday, _DAYS, "on ") if weekday != "*" else _day_of_month(day)
    within = _list(month, _MONTHS, "in ") if month != "*" else ""
    return None if on is None or within is None else f"{on} {within}".strip()


def _day_of_month(day: str) -> str | None:
    if day == "*":
        return ""
    if step := _STEP.fullmatch(day):
        return f"every {step[1]} days"
    return f"on day {_and(day.split(','))} of the month" if re.fullmatch(r"\d+(,\d+)*", day) else None


def _list(field: str, names: tuple[str, ...], before: str) -> str | None:
    words = [_range(part, names) for part in field.split(",")]
    return None if None in words else before + _and([word for word in words if word])


def _range(part: str, names: tuple[str, ...]) -> str | None:
    ends = [_name(end, names) for end in part.split("-")]
    return None if None in ends or len(ends) > 2 else " to ".join(end for end in ends if end)


def _name(text: str, names: tuple[str, ...]) -> str | None:
    number = int(text) if _PLAIN.fullmatch(text) else _SHORT.get(text.upper(), -1)
    return names[number] or None if 0 <= number < len(names) else None


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
