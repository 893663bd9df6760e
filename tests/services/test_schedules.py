"""Schedules: every due time is dealt with once, in the way its policies say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from canvas.domain.schedules import InvalidSchedule
from canvas.domain.states import CatchUp, Overlap, RunStatus, WorkflowStatus
from canvas.services import schedules, views, workflows
from canvas.services.schedules import ScheduleWish
from models import Notification, Schedule, ScheduleFire, Workflow, WorkflowRun

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def keep(session, publish):
    """Keep a schedule of a published workflow; gives its id."""

    def make(now=NOON, workflow="tick", parameters="{}", **wish) -> str:
        publish(workflow, parameters=parameters)
        given = wish if "interval_seconds" in wish else {"cron": "0 * * * *", **wish}
        return schedules.create_schedule(session, workflow, ScheduleWish(**given), now=now)

    return make


@pytest.fixture
def fire(session):
    """Deal with what is due, as a process that watches since then would; gives the due times that started a run."""

    def fire_due(now, since=NOON) -> list[datetime]:
        session.flush()
        before = {row.id for row in fires(session)}
        while schedules.fire_due(session, now=now, since=since):
            session.flush()
        return [row.fire_at for row in fires(session) if row.id not in before and row.outcome == "started"]

    return fire_due


def fires(session) -> Iterator[ScheduleFire]:
    return session.exec(select(ScheduleFire).order_by(col(ScheduleFire.fire_at))).all()


def listens():
    return col(Schedule.retired_at).is_(None)


def end_runs(session) -> None:
    for run in session.exec(select(WorkflowRun)).all():
        run.status = RunStatus.COMPLETED
    session.flush()


def test_a_due_time_starts_one_run(session, keep, fire):
    """At the due time and not before, however often somebody looks."""
    schedule_id = keep(parameters="{n: {type: integer, default: 1}}")

    assert [] == fire(NOON + HOUR - MINUTE)
    assert [NOON + HOUR] == fire(NOON + HOUR)
    assert [] == fire(NOON + HOUR)
    (run,) = session.exec(select(WorkflowRun)).all()
    assert ("schedule", schedule_id, {"n": 1}) == (run.trigger_type, run.schedule_id, run.parameters)
    assert (NOON + HOUR).isoformat() == run.trigger_data["fire_at"]
    assert NOON + 2 * HOUR == views.schedule_row(session, schedule_id, now=NOON + HOUR).next_fire_times[0]


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [(CatchUp.NONE, []), (CatchUp.LAST, [NOON + 5 * HOUR]), (CatchUp.ALL, [NOON + n * HOUR for n in range(1, 6)])],
)
def test_what_was_missed_is_made_up_for_as_told(keep, fire, catch_up, expected):
    """Five due times passed while nothing was running."""
    keep(catch_up=catch_up)
    back = NOON + 5 * HOUR + 20 * MINUTE

    assert expected == fire(back, since=back)
    assert [] == fire(back, since=back)
    assert [NOON + 6 * HOUR] == fire(NOON + 6 * HOUR, since=back)


def test_a_process_that_slept_makes_up_too(keep, fire):
    """A laptop that was closed has missed its due times, although its process never ended."""
    keep(catch_up=CatchUp.NONE)

    assert [] == fire(NOON + 5 * HOUR + 20 * MINUTE, since=NOON)


def test_a_start_at_the_due_time_is_on_time(keep, fire):
    """A process that begins to watch within a second after the due time does not count it as missed."""
    keep(catch_up=CatchUp.NONE)
    moment = NOON + HOUR + timedelta(milliseconds=400)

    assert [NOON + HOUR] == fire(moment, since=moment)


@pytest.mark.parametrize(
    ("overlap", "outcomes"),
    [
        (Overlap.ALLOW, ["started", "started", "started"]),
        (Overlap.SKIP, ["started", "skipped", "started"]),
        (Overlap.QUEUE, ["started", "queued", "started"]),
    ],
)
def test_overlap_is_as_told(session, keep, fire, overlap, outcomes):
    """The first run is still going at the second due time, and has ended before the third."""
    keep(overlap=overlap)
    fire(NOON + HOUR)
    fire(NOON + 2 * HOUR)
    seen = [row.outcome for row in fires(session)]
    end_runs(session)
    schedules.start_queued(session)
    end_runs(session)
    fire(NOON + 3 * HOUR)

    assert outcomes[:2] == seen
    assert outcomes[2] == fires(session)[2].outcome


def test_queued_due_times_start_one_after_the_other(session, keep, fire):
    """Each waits for the run before it, in their order."""
    keep(overlap=Overlap.QUEUE)
    for hour in (1, 2, 3):
        fire(NOON + hour * HOUR)
    order = []
    for _ in range(4):
        schedules.start_queued(session)
        order.append([row.outcome for row in fires(session)])
        end_runs(session)

    assert ["started", "queued", "queued"] == order[0]
    assert ["started", "started", "queued"] == order[1]
    assert ["started", "started", "started"] == order[2]
    assert not schedules.has_queued(session)
    assert 3 == len(session.exec(select(WorkflowRun)).all())


def test_a_due_time_does_not_overtake_a_queued_one(session, keep, fire):
    """Also when the run before them has just ended."""
    keep(overlap=Overlap.QUEUE)
    fire(NOON + HOUR)
    fire(NOON + 2 * HOUR)
    end_runs(session)

    assert [] == fire(NOON + 3 * HOUR)
    assert ["started", "queued", "queued"] == [row.outcome for row in fires(session)]


def test_a_run_that_cannot_start_is_told(session, keep, fire):
    """A schedule whose parameters no longer fit leaves a notification, and goes on with its next due time."""
    keep(parameters="{who: {type: string, required: true}}")

    assert [] == fire(NOON + HOUR)
    assert ["refused"] == [row.outcome for row in fires(session)]
    assert "who" in session.exec(select(Notification)).one().body
    assert [] == fire(NOON + 2 * HOUR)
    assert 2 == len(fires(session))


def test_parameters_are_templates(session, keep, fire):
    """They may use the due time."""
    keep(parameters="{at: {type: string}}")
    schedule = session.exec(select(Schedule)).one()
    schedule.parameters = {"at": "{{ trigger.data.fire_at }}"}
    fire(NOON + HOUR)

    assert {"at": (NOON + HOUR).isoformat()} == session.exec(select(WorkflowRun)).one().parameters


def test_only_published_and_active_workflows_start(session, keep, fire):
    """A due time of any other passes."""
    keep()
    workflow = session.exec(select(Workflow)).one()
    workflow.status = WorkflowStatus.DEPRECATED
    assert [] == fire(NOON + HOUR)

    workflow.status = WorkflowStatus.ACTIVE
    assert [NOON + 2 * HOUR] == fire(NOON + 2 * HOUR)


def test_what_was_due_while_it_was_off_is_gone(session, keep, fire):
    """Switching on again makes up for nothing."""
    schedule_id = keep(catch_up=CatchUp.ALL)
    schedules.switch_schedule(session, schedule_id, enabled=False, now=NOON)
    assert [] == fire(NOON + 3 * HOUR)

    schedules.switch_schedule(session, schedule_id, enabled=True, now=NOON + 3 * HOUR + MINUTE)
    assert [NOON + 4 * HOUR] == fire(NOON + 4 * HOUR)


def test_a_changed_schedule_starts_afresh(session, keep, fire):
    """Another timing counts from the change."""
    schedule_id = keep()
    later = NOON + 150 * MINUTE
    schedules.change_schedule(session, schedule_id, ScheduleWish(interval_seconds=600), now=later)

    assert [later + 10 * MINUTE] == fire(later + 10 * MINUTE, since=later)


@pytest.mark.parametrize(
    "wish", [{}, {"cron": "nope"}, {"cron": "* * * * *", "interval_seconds": 5}, {"interval_seconds": 0}]
)
def test_a_schedule_that_cannot_be_read_is_refused(session, publish, wish):
    """Before anything is kept."""
    publish("tick")
    with pytest.raises(InvalidSchedule):
        schedules.create_schedule(session, "tick", ScheduleWish(**wish), now=NOON)

    assert [] == session.exec(select(Schedule)).all()


def test_many_due_at_once_are_all_dealt_with(session, publish, fire):
    """More than one transaction takes."""
    publish("tick")
    for _ in range(schedules.MAX_AT_ONCE + 20):
        schedules.create_schedule(session, "tick", ScheduleWish(cron="0 * * * *"), now=NOON)

    assert schedules.MAX_AT_ONCE + 20 == len(fire(NOON + HOUR))


def test_triggers_follow_the_published_version(session, publish, fire):
    """A schedule whose timing stays keeps its memory; one that is gone stops; a new one begins."""
    publish("tick", '[{type: schedule, cron: "0 * * * *"}, {type: schedule, interval_seconds: 60}]')
    hourly = session.exec(select(Schedule).where(col(Schedule.cron).is_not(None))).one()
    hourly.last_fire_at = NOON
    publish("tick", '[{type: schedule, cron: "0 * * * *", overlap: skip}, {type: schedule, cron: "5 * * * *"}]')
    session.flush()

    rows = session.exec(select(Schedule).where(listens()).order_by(col(Schedule.cron))).all()
    assert ["0 * * * *", "5 * * * *"] == [row.cron for row in rows]
    assert (hourly.id, NOON, Overlap.SKIP) == (rows[0].id, rows[0].last_fire_at, rows[0].overlap)


def test_schedules_of_the_definition_are_changed_there(session, publish):
    """Except that they can be switched off."""
    publish("tick", '[{type: schedule, cron: "0 * * * *"}]')
    schedule = session.exec(select(Schedule)).one()
    with pytest.raises(schedules.FollowsDefinition):
        schedules.delete_schedule(session, schedule.id)
    with pytest.raises(schedules.FollowsDefinition):
        schedules.change_schedule(session, schedule.id, ScheduleWish(cron="1 * * * *"), now=NOON)

    schedules.switch_schedule(session, schedule.id, enabled=False, now=NOON)
    assert not schedule.enabled


def test_schedules_kept_by_hand_survive_publishing(session, keep, publish):
    """Only what stands in the definition follows it."""
    schedule_id = keep()
    publish("tick", "[{type: schedule, interval_seconds: 60}]")
    publish("tick", "[]")
    workflows.publish_version(session, "tick", 1)
    session.flush()

    assert [schedule_id] == [row.id for row in session.exec(select(Schedule).where(listens())).all()]
