"""Named places to die at, for tests: `CANVAS_CRASH_AT=completion.before_commit:3` kills the process at the third pass.

Nothing is flushed and nobody is told, exactly as with `kill -9`. Unset, a passage costs one comparison.
"""

import os
import signal

VARIABLE = "CANVAS_CRASH_AT"
POINTS = (
    "claim.before_commit",
    "claim.after_commit",
    "start.after_commit",
    "action.before",
    "action.after",
    "completion.before_commit",
    "completion.after_commit",
    "writer.inside_transaction",
    "child.after_commit",
    "end.before_commit",
    "end.after_commit",
    "recovery.before_commit",
    "recovery.after_commit",
)
"""Every commit boundary of the engine, and both sides of an action."""


_armed, _left = "", 0


def arm(text: str) -> None:
    """Choose where to die: `point` or `point:n` for the n-th pass; empty text means nowhere.

    Raises:
        ValueError: there is no such point.
    """
    global _armed, _left
    name, _, count = text.partition(":")
    if name and name not in POINTS:
        raise ValueError(f"{VARIABLE}={text!r} names no crash point; there are {', '.join(POINTS)}.")
    _armed, _left = name, int(count or 1)


def reached(point: str) -> None:
    """Die here if that was chosen."""
    global _left
    if point != _armed:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get(VARIABLE, ""))
