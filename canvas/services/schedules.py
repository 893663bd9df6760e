"""Schedules: keeping them, and firing what is due, once per due time however many processes do it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain.errors import Conflict, NotFound, UserError
from canvas.domain.schedules import Timing, check_timing, due, next_fire_times
from canvas.domain.states import CatchUp, LogLevel, Overlap, TriggerType, WorkflowStatus
from canvas.services.definitions import find_workflow
from canvas.services.runs import has_live_run, start_triggered
from models import Notification, Schedule, ScheduleFire, Workflow

GRACE = timedelta(seconds=60)
"A process that was there all the time and is later than this slept through the due time: it counts as missed."
START_GRACE = timedelta(seconds=1)
"A due time this shortly before a process began to watch may still be fired by another one."
MAX_AT_ONCE = 100
MAX_QUEUED = 1_000
_IS_QUEUED = sa.text("schedule_fire.outcome = 'queued'")
"In the words of the partial index, so that it is used."


class ScheduleNotFound(NotFound):
    """There is no such schedule."""

    code = "schedule_not_found"


class FollowsDefinition(Conflict):
    """This trigger stands in the workflow's published version; change it there."""

    code = "follows_definition"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleWish:
    """What a schedule is to be: either `cron` or `interval_seconds`."""

    cron: str | None = None
    interval_seconds: float | None = None
    timezone: str = "UTC"
    parameters: Mapping[str, Any] | None = None
    overlap: Overlap = Overlap.ALLOW
    catch_up: CatchUp = CatchUp.LAST
    enabled: bool = True

    def timing(self, anchor: datetime) -> Timing:
        """Give the arithmetic side of it."""
        interval = None if self.interval_seconds is None else timedelta(seconds=self.interval_seconds)
        return Timing(cron=self.cron, interval=interval, timezone=self.timezone, anchor=anchor)


def timing_of(schedule: Schedule) -> Timing:
    """Give a kept schedule's timing."""
    interval = None if schedule.interval_seconds is None else timedelta(seconds=schedule.interval_seconds)
    return Timing(cron=schedule.cron, interval=interval, timezone=schedule.timezone, anchor=schedule.anchor_at)


def create_schedule(session: Session, workflow_name: str, wish: ScheduleWish, *, now: datetime) -> str:
    """Keep a new schedule for a workflow; gives its id.

    Raises:
        WorkflowNotFound: there is no such workflow.
        InvalidSchedule: the timing cannot be read.
    """
    workflow = find_workflow(session, workflow_name)
    schedule = Schedule(workflow_id=workflow.id, anchor_at=now)
    session.add(_shape(schedule, wish, now=now))
    session.flush()
    return schedule.id


def change_schedule(session: Session, schedule_id: str, wish: ScheduleWish, *, now: datetime) -> None:
    """Give a schedule another shape; due times before now are not made up for.

    Raises:
        ScheduleNotFound: there is no such schedule.
        FollowsDefinition: it belongs to a published version.
        InvalidSchedule: the timing cannot be read.
    """
    schedule = _own_schedule(session, schedule_id)
    schedule.anchor_at = now
    _shape(schedule, wish, now=now)


def switch_schedule(session: Session, schedule_id: str, *, enabled: bool, now: datetime) -> None:
    """Switch a schedule on or off; what was due while it was off is not made up for.

    Raises:
        ScheduleNotFound: there is no such schedule.
    """
    schedule = find_schedule(session, schedule_id)
    if enabled and not schedule.enabled:
        schedule.last_fire_at = now
        schedule.next_fire_at = _next(schedule, now)
    schedule.enabled = enabled


def delete_schedule(session: Session, schedule_id: str) -> None:
    """Forget a schedule and what it fired; the runs it started stay.

    Raises:
        ScheduleNotFound: there is no such schedule.
        FollowsDefinition: it belongs to a published version.
    """
    session.delete(_own_schedule(session, schedule_id))


def find_schedule(session: Session, schedule_id: str) -> Schedule:
    """Load a schedule.

    Raises:
        ScheduleNotFound: there is no such schedule.
    """
    schedule = session.get(Schedule, schedule_id)
    if schedule is None:
        raise ScheduleNotFound(f"There is no schedule {schedule_id!r}.", schedule_id=schedule_id)
    return schedule


def sync_schedules(session: Session, workflow: Workflow, wishes: list[ScheduleWish], *, now: datetime) -> None:
    """Make a workflow's schedules those of its published version; one whose timing stays keeps its memory."""
    kept = session.exec(
        select(Schedule).where(Schedule.workflow_id == workflow.id, col(Schedule.is_from_definition).is_(True))
    ).all()
    left = list(kept)
    for wish in wishes:
        timing = (wish.cron, wish.interval_seconds, wish.timezone)
        schedule = next((s for s in left if (s.cron, s.interval_seconds, s.timezone) == timing), None)
        if schedule is None:
            schedule = Schedule(workflow_id=workflow.id, is_from_definition=True, anchor_at=now)
        else:
            left.remove(schedule)
        if not schedule.enabled:
            schedule.last_fire_at = now  # what was due while it was off is not made up for
        session.add(_shape(schedule, wish, now=schedule.last_fire_at or schedule.anchor_at))
    for schedule in left:
        session.delete(schedule)


def fire_due(session: Session, *, now: datetime, since: datetime) -> int:
    """Deal with every schedule that is due, at most `MAX_AT_ONCE` of them; gives how many were dealt with.

    A due time is a row with a unique key, written together with the run it starts: a second process that does the same
    at the same moment finds it done.

    Args:
        since: When the calling process began to watch. Older due times passed while nobody was there, and each
            schedule's `catch_up` says what becomes of them.
    """
    rows = session.exec(
        select(Schedule)
        .where(col(Schedule.enabled).is_(True), col(Schedule.next_fire_at) <= now)
        .order_by(col(Schedule.next_fire_at))
        .limit(MAX_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for schedule in rows:
        _fire(session, schedule, now=now, missed_before=max(since - START_GRACE, now - GRACE))
    return len(rows)


def start_queued(session: Session) -> int:
    """Start the oldest queued due time of each schedule whose earlier runs have all ended; gives how many."""
    waiting = session.exec(
        select(ScheduleFire).where(_IS_QUEUED).order_by(ScheduleFire.schedule_id, ScheduleFire.id)
    ).all()
    oldest = {fire.schedule_id: fire for fire in reversed(waiting)}
    started = 0
    for schedule_id, fire in oldest.items():
        if not has_live_run(session, schedule_id):
            _start(session, find_schedule(session, schedule_id), fire)
            started += 1
    return started


def has_queued(session: Session) -> bool:
    """Tell whether any due time waits for an earlier run to end."""
    return session.exec(select(ScheduleFire.id).where(_IS_QUEUED).limit(1)).first() is not None


def is_anything_due(session: Session, now: datetime) -> bool:
    """Tell whether `fire_due` would find something."""
    query = select(Schedule.id).where(col(Schedule.enabled).is_(True), col(Schedule.next_fire_at) <= now)
    return session.exec(query.limit(1)).first() is not None


def enabled_timings(session: Session) -> dict[str, Timing]:
    """Give the timing of every enabled schedule by id."""
    rows = session.exec(select(Schedule).where(col(Schedule.enabled).is_(True))).all()
    return {schedule.id: timing_of(schedule) for schedule in rows}


def _fire(session: Session, schedule: Schedule, *, now: datetime, missed_before: datetime) -> None:
    found = due(
        timing_of(schedule),
        last=schedule.last_fire_at or schedule.anchor_at,
        now=now,
        missed_before=missed_before,
        catch_up=schedule.catch_up,
        limit=MAX_AT_ONCE,
    )
    for moment in found.fires:
        _fire_once(session, schedule, moment)
    schedule.last_fire_at = found.latest or schedule.last_fire_at
    schedule.next_fire_at = _next(schedule, schedule.last_fire_at or now)


def _fire_once(session: Session, schedule: Schedule, moment: datetime) -> None:
    fire = ScheduleFire(schedule_id=schedule.id, fire_at=moment, outcome="skipped")
    workflow = session.get_one(Workflow, schedule.workflow_id)
    if workflow.published_version is None or workflow.status is not WorkflowStatus.ACTIVE:
        return
    busy = schedule.overlap is not Overlap.ALLOW and _is_busy(session, schedule)
    if busy and schedule.overlap is Overlap.QUEUE:
        fire.outcome = "queued" if _count_queued(session, schedule) < MAX_QUEUED else "skipped"
    session.add(fire)
    session.flush()
    if not busy:
        _start(session, schedule, fire)


def _is_busy(session: Session, schedule: Schedule) -> bool:
    return has_live_run(session, schedule.id) or _count_queued(session, schedule) > 0


def _count_queued(session: Session, schedule: Schedule) -> int:
    query = select(ScheduleFire.id).where(ScheduleFire.schedule_id == schedule.id, _IS_QUEUED)
    return len(session.exec(query).all())


def _start(session: Session, schedule: Schedule, fire: ScheduleFire) -> None:
    """Start the run of one due time; one that cannot start is told to people, and never tried again."""
    workflow = session.get_one(Workflow, schedule.workflow_id)
    try:
        fire.run_id = start_triggered(
            session,
            workflow,
            schedule.parameters,
            trigger_type=TriggerType.SCHEDULE,
            trigger_data={"schedule_id": schedule.id, "fire_at": fire.fire_at.isoformat()},
            triggered_by="schedule",
            schedule_id=schedule.id,
        )
        fire.outcome = "started"
    except UserError as error:
        fire.outcome = "refused"
        title = f"The schedule of {workflow.name} could not start a run"
        session.add(Notification(title=title, body=str(error), level=LogLevel.ERROR, link="/triggers"))


def _shape(schedule: Schedule, wish: ScheduleWish, *, now: datetime) -> Schedule:
    check_timing(wish.timing(schedule.anchor_at))
    schedule.cron = wish.cron
    schedule.interval_seconds = wish.interval_seconds
    schedule.timezone = wish.timezone
    schedule.parameters = dict(wish.parameters or {})
    schedule.overlap = wish.overlap
    schedule.catch_up = wish.catch_up
    schedule.enabled = wish.enabled
    schedule.next_fire_at = _next(schedule, now)
    return schedule


def _next(schedule: Schedule, after: datetime) -> datetime | None:
    return next(iter(next_fire_times(timing_of(schedule), after=after, count=1)), None)


def _own_schedule(session: Session, schedule_id: str) -> Schedule:
    schedule = find_schedule(session, schedule_id)
    if schedule.is_from_definition:
        raise FollowsDefinition(f"The schedule {schedule_id} stands in the workflow's definition; change it there.")
    return schedule
