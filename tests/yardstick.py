"""How much work something is, whatever the machine and whatever other tests left in memory."""

import gc
import time
from collections.abc import Callable
from functools import cache

REFERENCE_SECONDS = 0.010
"What `_measure` takes on the machine that limits in tests are written for."


def effort(work: Callable[[], object]) -> float:
    """Give the processor seconds a call takes, as if on the reference machine.

    The heap of earlier tests is kept out of it: collecting garbage would go through all of it again and again.
    """
    gc.freeze()
    try:
        started = time.thread_time()
        work()
        return (time.thread_time() - started) / max(1.0, _slowness())
    finally:
        gc.unfreeze()


@cache
def _slowness() -> float:
    return min(_measure() for _ in range(5)) / REFERENCE_SECONDS


def _measure() -> float:
    started = time.thread_time()
    values = {index: str(index) for index in range(100_000)}
    assert 100_000 == len(values)
    return time.thread_time() - started
