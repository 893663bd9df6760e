"""Schedules: keeping them, and firing what is due, once per due time however many processes do it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain.errors import Conflict, NotFound, UserError
from canvas.domain.schedules import Timing, check_timing, due, next_firing, span
from canvas.domain.states import CatchUp, LogLevel, Overlap, TriggerType, WorkflowStatus
from canvas.services.definitions import find_workflow, owner_of
from canvas.services.notifications import notify
from canvas.services.runs import has_live_run, start_triggered
from canvas.services.switches import declare, is_left_off, put, retire, switch
from models import Schedule, ScheduleFire, Workflow

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
    jitter_seconds: float = 0
    parameters: Mapping[str, Any] | None = None
    overlap: Overlap = Overlap.ALLOW
    catch_up: CatchUp = CatchUp.LAST
    enabled: bool = True

    def timing(self, anchor: datetime) -> Timing:
        """Give the arithmetic side of it."""
        interval = None if self.interval_seconds is None else span(self.interval_seconds)
        jitter = span(self.jitter_seconds)
        return Timing(cron=self.cron, interval=interval, timezone=self.timezone, anchor=anchor, jitter=jitter)


def timing_of(schedule: Schedule) -> Timing:
    """Give a kept schedule's timing."""
    interval = None if schedule.interval_seconds is None else timedelta(seconds=schedule.interval_seconds)
    return Timing(
        cron=schedule.cron,
        interval=interval,
        timezone=schedule.timezone,
        anchor=schedule.anchor_at,
        jitter=timedelta(seconds=schedule.jitter_seconds),
        seed=schedule.id,
    )


def create_schedule(session: Session, workflow_name: str, wish: ScheduleWish, *, now: datetime) -> str:
    """Keep a new schedule for a workflow; gives its id.

    Raises:
        WorkflowNotFound: there is no such workflow.
        InvalidSchedule: the timing cannot be read.
    """
    workflow = find_workflow(session, workflow_name)
    schedule = Schedule(workflow_id=workflow.id, anchor_at=now)
    put(schedule, enabled=wish.enabled)
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
    put(schedule, enabled=wish.enabled)
    _shape(schedule, wish, now=now)


def switch_schedule(session: Session, schedule_id: str, *, enabled: bool, now: datetime) -> None:
    """Switch a schedule on or off, whatever its definition says; what was due while it was off is not made up for.

    Raises:
        ScheduleNotFound: there is no such schedule.
    """
    schedule = find_schedule(session, schedule_id)
    if enabled and not schedule.enabled:
        schedule.last_fire_at = now
        schedule.next_fire_at = next_firing(timing_of(schedule), after=now)
    switch(schedule, enabled=enabled)


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
    if schedule is None or schedule.retired_at is not None:
        raise ScheduleNotFound(f"There is no schedule {schedule_id!r}.", schedule_id=schedule_id)
    return schedule


def sync_schedules(session: Session, workflow: Workflow, wishes: list[ScheduleWish], *, now: datetime) -> None:
    """Make a workflow's schedules those of its published version; one whose timing stays keeps its memory.

    What a person switched off stays off, also when its timing was changed.
    """
    kept = session.exec(
        select(Schedule)
        .where(Schedule.workflow_id == workflow.id, col(Schedule.is_from_definition).is_(True))
        .order_by(col(Schedule.retired_at).is_not(None), Schedule.id)
    ).all()
    left = list(kept)
    pairs = [(wish, _take_same(left, wish)) for wish in wishes]
    is_off = is_left_off(left)
    for wish, known in pairs:
        schedule = known or Schedule(workflow_id=workflow.id, is_from_definition=True, anchor_at=now)
        if known is None and is_off:
            schedule.switched = False
        if not schedule.enabled:
            schedule.last_fire_at = now  # what was due while it was off is not made up for
        declare(schedule, enabled=wish.enabled)
        session.add(_shape(schedule, wish, now=schedule.last_fire_at or schedule.anchor_at))
    for schedule in left:
        retire(schedule, now=now)
    forget = sa.update(ScheduleFire).where(col(ScheduleFire.schedule_id).in_([row.id for row in left]), _IS_QUEUED)
    session.execute(forget.values(outcome="skipped"))


def _take_same(left: list[Schedule], wish: ScheduleWish) -> Schedule | None:
    timing = (wish.cron, wish.interval_seconds, wish.timezone)
    same = next((row for row in left if (row.cron, row.interval_seconds, row.timezone) == timing), None)
    if same is not None:
        left.remove(same)
    return same


def fire_due(session: Session, *, now: datetime, since: datetime, clock_step: timedelta = timedelta(0)) -> int:
    """Deal with every schedule that is due, at most `MAX_AT_ONCE` of them; gives how many were dealt with.

    A due time is a row with a unique key, written together with the run it starts: a second process that does the same
    at the same moment finds it done.

    Args:
        since: When the calling process began to watch. Older due times passed while nobody was there, and each
            schedule's `catch_up` says what becomes of them.
        clock_step: How far the clock was just set forward while the process was watching: what a cron expression had
            due in between is not missed. Intervals go by time that has passed, so they have lost nothing.
    """
    rows = session.exec(
        select(Schedule)
        .where(col(Schedule.enabled).is_(True), col(Schedule.next_fire_at) <= now)
        .order_by(col(Schedule.next_fire_at))
        .limit(MAX_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for schedule in rows:
        slack = GRACE if schedule.cron is None else GRACE + clock_step
        _fire(session, schedule, now=now, missed_before=max(min(since, now) - START_GRACE, now - slack))
    return len(rows)


def restart_intervals(session: Session, *, now: datetime) -> int:
    """Let intervals count from now where the clock was set back behind their latest firing; gives how many there were.

    They would be silent until the clock is there again. Cron expressions are left alone: what they have due in an hour
    that comes twice was fired the first time.
    """
    ahead = session.exec(
        select(Schedule)
        .where(col(Schedule.enabled).is_(True), col(Schedule.interval_seconds).is_not(None))
        .where(col(Schedule.last_fire_at) > now + GRACE)
        .with_for_update(skip_locked=True)
    ).all()
    for schedule in ahead:
        schedule.anchor_at, schedule.last_fire_at = now, None
        schedule.next_fire_at = next_firing(timing_of(schedule), after=now)
    return len(ahead)


def start_queued(session: Session) -> int:
    """Start the oldest queued due time of each schedule whose earlier runs have all ended; gives how many."""
    waiting = session.exec(
        select(ScheduleFire).where(_IS_QUEUED).order_by(ScheduleFire.schedule_id, col(ScheduleFire.fire_at))
    ).all()
    oldest = {fire.schedule_id: fire for fire in reversed(waiting)}
    started = 0
    for schedule_id, fire in oldest.items():
        if not has_live_run(session, schedule_id):
            start_fire(session, find_schedule(session, schedule_id), fire)
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
    schedule.next_fire_at = next_firing(timing_of(schedule), after=schedule.last_fire_at or now)


def _fire_once(session: Session, schedule: Schedule, moment: datetime) -> None:
    fire = ScheduleFire(schedule_id=schedule.id, fire_at=moment, outcome="skipped")
    workflow = owner_of(session, schedule.workflow_id)
    if workflow.published_version is None or workflow.status is not WorkflowStatus.ACTIVE:
        return
    if find_fire(session, schedule.id, moment) is not None:
        return  # a backfill was faster
    busy = schedule.overlap is not Overlap.ALLOW and _is_busy(session, schedule)
    if busy and schedule.overlap is Overlap.QUEUE:
        fire.outcome = "queued" if _count_queued(session, schedule) < MAX_QUEUED else "skipped"
    session.add(fire)
    session.flush()
    if not busy:
        start_fire(session, schedule, fire)


def find_fire(session: Session, schedule_id: str, moment: datetime) -> ScheduleFire | None:
    """Load what became of a due time; None when it was not dealt with yet."""
    query = select(ScheduleFire).where(ScheduleFire.schedule_id == schedule_id, ScheduleFire.fire_at == moment)
    return session.exec(query).one_or_none()


def _is_busy(session: Session, schedule: Schedule) -> bool:
    return has_live_run(session, schedule.id) or _count_queued(session, schedule) > 0


def _count_queued(session: Session, schedule: Schedule) -> int:
    query = select(ScheduleFire.id).where(ScheduleFire.schedule_id == schedule.id, _IS_QUEUED)
    return len(session.exec(query).all())


def start_fire(session: Session, schedule: Schedule, fire: ScheduleFire) -> None:
    """Start the run of one due time; one that cannot start is told to people, and never tried again."""
    workflow = owner_of(session, schedule.workflow_id)
    try:
        fire.run_id = start_triggered(
            session,
            workflow,
            schedule.parameters,
            trigger_type=TriggerType.SCHEDULE,
            trigger_data=_told(fire),
            triggered_by="backfill" if fire.is_backfill else "schedule",
            schedule_id=schedule.id,
        )
        fire.outcome = "started"
    except UserError as error:
        fire.outcome = "refused"
        title = f"The schedule of {workflow.name} could not start a run"
        notify(session, title, body=str(error), level=LogLevel.ERROR, link="/triggers")


def _told(fire: ScheduleFire) -> dict[str, Any]:
    told: dict[str, Any] = {"schedule_id": fire.schedule_id, "fire_at": fire.fire_at.isoformat()}
    return {**told, "backfill": True} if fire.is_backfill else told


def _shape(schedule: Schedule, wish: ScheduleWish, *, now: datetime) -> Schedule:
    check_timing(wish.timing(schedule.anchor_at))
    schedule.cron = wish.cron
    schedule.interval_seconds = wish.interval_seconds
    schedule.timezone = wish.timezone
    schedule.jitter_seconds = wish.jitter_seconds
    schedule.parameters = dict(wish.parameters or {})
    schedule.overlap = wish.overlap
    schedule.catch_up = wish.catch_up
    schedule.next_fire_at = next_firing(timing_of(schedule), after=now)
    return schedule


def _own_schedule(session: Session, schedule_id: str) -> Schedule:
    schedule = find_schedule(session, schedule_id)
    if schedule.is_from_definition:
        raise FollowsDefinition(f"The schedule {schedule_id} stands in the workflow's definition; change it there.")
    return schedule
