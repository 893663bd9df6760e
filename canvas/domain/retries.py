"""When a failed attempt is followed by another, and after how long."""

from hashlib import blake2b

from canvas.domain.states import Backoff
from canvas.domain.steps import Retry

MAX_PAUSE_SECONDS = 24 * 3600.0
"However long a service asks to wait."
MAX_INTERRUPTIONS = 3
"An attempt cut off by that many crashes is taken to be their cause."


def may_retry(retry: Retry, *, attempt: int, interruptions: int) -> bool:
    """Tell whether the policy allows one more attempt; those a crash cut off do not count."""
    return attempt - interruptions < retry.max_attempts


def pause_before_next(retry: Retry, *, key: str, failures: int, asked: float | None = None) -> float:
    """Give the seconds until the next attempt.

    Args:
        key: Names the step run and attempt; the jitter is drawn from its hash, so it is the same on every reading.
        failures: Attempts that failed so far, from 1.
        asked: Seconds the other side asked for; a longer wish than the policy's own pause wins, up to a day.
    """
    delay = retry.delay_seconds
    if retry.backoff is Backoff.EXPONENTIAL:
        delay *= 2.0 ** min(failures - 1, 62)
    delay = min(delay, retry.max_delay_seconds)
    if retry.jitter:
        delay *= 0.5 + 0.5 * _fraction(key)
    return max(0.0, delay, min(asked or 0.0, MAX_PAUSE_SECONDS))


def _fraction(key: str) -> float:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) / 2**64
