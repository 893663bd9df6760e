"""What counts as success, and what follows when it was none."""

from collections.abc import Collection

from canvas.actions.http.failures import DOUBT, TimedOut, UnexpectedStatus
from canvas.actions.http.reading import Answer, text_of
from canvas.actions.http.sending import BUSY, retry_after

EXCERPT = 200
_UNKNOWN_OUTCOME = frozenset({502, 504})
"A gateway says that it does not know what became of the request."


def expect_success(answer: Answer, place: str, *, is_repeatable: bool, expected: Collection[int] = ()) -> None:
    """Accept an answer, or say why not.

    Args:
        place: Names the request.
        is_repeatable: Whether the request may be sent again although nobody knows what became of it.
        expected: The statuses that count as success; empty means any from 200 to 299.

    Raises:
        UnexpectedStatus: it is no success; 429 and 5xx may be tried again.
    """
    status = answer.status
    if status in expected or (not expected and 200 <= status < 300):
        return
    excerpt = text_of(answer)[:EXCERPT].strip()
    told = f"{place} answered {status}{': ' + excerpt if excerpt else ''}"
    is_unknown = status in _UNKNOWN_OUTCOME and not is_repeatable
    raise UnexpectedStatus(
        f"{told} {DOUBT}" if is_unknown else told,
        retryable=(status == 429 or status >= 500) and not is_unknown,
        retry_in=retry_after(answer.headers) if status in BUSY else None,
        status=status,
    )


def timed_out(place: str, seconds: float, *, is_repeatable: bool) -> TimedOut:
    """Say that an exchange was given up after so many seconds."""
    doubt = "" if is_repeatable else f" {DOUBT}"
    return TimedOut(f"{place} took longer than {seconds:g} s.{doubt}", retryable=is_repeatable)
