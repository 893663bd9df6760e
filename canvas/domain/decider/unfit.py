"""Values that templates gave, turned into what a step needs; what does not fit becomes the step's error."""

from datetime import UTC, datetime, timedelta
from typing import Any

_EXAMPLE = "2030-01-31T08:00:00+01:00"


class Unfit(Exception):
    """A template gave a value that the step cannot use; becomes the step's error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def after(now: datetime, seconds: Any, *, key: str = "seconds", code: str = "invalid_wait") -> datetime:
    """Give the moment so many seconds from now.

    Raises:
        Unfit: it is no number from 0, or leads beyond the calendar.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise Unfit(code, f"`{key}` must be a number, 0 or more, not {brief(seconds)}.")
    try:
        return now + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise Unfit(code, f"{brief(seconds)} seconds from now is beyond the calendar.") from None


def moment(text: Any, *, key: str = "until", code: str = "invalid_wait") -> datetime:
    """Read a moment with an offset.

    Raises:
        Unfit: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise Unfit(code, f"`{key}` must be a moment with an offset, such as {_EXAMPLE}, not {brief(text)}.")


def brief(value: Any) -> str:
    """Show a value in a sentence, at most 60 characters of it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
