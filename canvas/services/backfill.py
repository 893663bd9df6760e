"""Making up for due times that passed: a schedule's firings over a window, each at most once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain.errors import Invalid
from canvas.domain.schedules import past_fire_times
from canvas.domain.states import Overlap, WorkflowStatus
from canvas.services.definitions import NotPublished, owner_of
from canvas.services.schedules import find_fire, find_schedule, start_fire, timing_of
from models import Schedule, ScheduleFire

MAX_BACKFILL: Final = 500
FIRES_KEPT: Final = timedelta(days=90)
"How long it is remembered what became of a due time."
_HAPPENED: Final = ("started", "queued")


class InvalidWindow(Invalid):
    """The window is not possible."""

    code = "invalid_window"


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What a backfill did with the due times of its window."""

    due: int
    started: int
    queued: int
    "They start one after the other, each when the run before it has ended."
    refused: int
    "They could not be started; a notification says why."
    already: int
    "They had been fired, or queued, before."


def due_in(session: Session, schedule_id: str, *, start: datetime, end: datetime, now: datetime) -> int:
    """Count what `backfill` would fire in a window: due times that were neither fired nor queued.

    Raises:
        ScheduleNotFound, InvalidWindow: as `backfill`.
    """
    schedule = find_schedule(session, schedule_id)
    fires = [find_fire(session, schedule.id, moment) for moment in _moments(schedule, start, end, now)]
    return sum(fire is None or fire.outcome not in _HAPPENED for fire in fires)


def backfill(session: Session, schedule_id: str, *, start: datetime, end: datetime, now: datetime) -> Backfilled:
    """Fire what a schedule had due in [start, end] and did not fire; overlap is respected.

    Where runs may not overlap (`skip` and `queue`) the firings wait for each other instead of being skipped. A schedule
    that is off can be backfilled too.

    Raises:
        ScheduleNotFound: there is no such schedule.
        NotPublished: its workflow takes no runs from triggers.
        InvalidWindow: the window ends before it begins, lies in the future, is too far back or holds too much.
    """
    schedule = find_schedule(session, schedule_id)
    session.exec(select(Schedule.id).where(Schedule.id == schedule_id).with_for_update())
    workflow = owner_of(session, schedule.workflow_id)
    if workflow.published_version is None or workflow.status is not WorkflowStatus.ACTIVE:
        raise NotPublished(f"{workflow.name!r} is not published, so its schedule starts nothing.")
    moments = _moments(schedule, start, end, now)
    outcomes = [_make_up(session, schedule, moment) for moment in moments]
    return Backfilled(len(moments), *map(outcomes.count, ("started", "queued", "refused", "already")))


def prune_fires(session: Session, *, now: datetime) -> int:
    """Forget what became of due times long ago; gives how many rows went."""
    before = now - FIRES_KEPT
    old = sa.delete(ScheduleFire).where(col(ScheduleFire.fire_at) < before - timedelta(days=1))
    old = old.where(col(ScheduleFire.outcome) != "queued", col(ScheduleFire.created_at) < before)
    done = session.execute(old, execution_options={"synchronize_session": False})
    return int(getattr(done, "rowcount", 0))


def _moments(schedule: Schedule, start: datetime, end: datetime, now: datetime) -> list[datetime]:
    if end < start:
        raise InvalidWindow("A window ends after it begins.")
    if end > now:
        raise InvalidWindow("A window lies in the past; what is due later is fired by itself.")
    if start < now - FIRES_KEPT:
        raise InvalidWindow(
            f"A window begins at most {FIRES_KEPT.days} days ago: what was fired before is not remembered."
        )
    moments = past_fire_times(timing_of(schedule), start=start, end=end, limit=MAX_BACKFILL + 1)
    if len(moments) > MAX_BACKFILL:
        raise InvalidWindow(f"The schedule is due more than {MAX_BACKFILL} times in this window; take a shorter one.")
    return moments


def _make_up(session: Session, schedule: Schedule, moment: datetime) -> str:
    fire = find_fire(session, schedule.id, moment)
    if fire is not None and fire.outcome in _HAPPENED:
        return "already"
    fire = fire or ScheduleFire(schedule_id=schedule.id, fire_at=moment, outcome="queued")
    fire.is_backfill, fire.outcome = True, "queued"
    session.add(fire)
    session.flush()
    if schedule.overlap is Overlap.ALLOW:
        start_fire(session, schedule, fire)
    return fire.outcome
