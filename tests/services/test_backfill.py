"""Backfill: what a schedule had due in a window is fired, each due time at most once, overlap as it says."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from canvas.domain.states import Overlap, WorkflowStatus
from canvas.services import backfill, schedules, versions, views
from canvas.services.definitions import NotPublished
from models import ScheduleFire, Workflow, WorkflowRun
from tests.services.test_schedules import HOUR, MINUTE, NOON, end_runs, fire, fires, keep

__all__ = ["fire", "keep"]


@pytest.fixture
def fill(session):
    """Backfill from and until so many hours after noon, at a quarter past ten in the evening."""

    def run(schedule_id, start, end, now=NOON + 10 * HOUR + 15 * MINUTE):
        session.flush()
        return backfill.backfill(session, schedule_id, start=NOON + start * HOUR, end=NOON + end * HOUR, now=now)

    return run


def test_a_window_is_fired_once(session, keep, fill):
    """Both ends included, before it was made too; asking again fires nothing; the runs say that they make up."""
    schedule_id = keep()
    assert backfill.Backfilled(6, 6, 0, 0, 0) == fill(schedule_id, -3, 2)
    assert backfill.Backfilled(7, 1, 0, 0, 6) == fill(schedule_id, -3, 3)

    runs = session.exec(select(WorkflowRun).order_by(col(WorkflowRun.id))).all()
    assert {(NOON + n * HOUR).isoformat() for n in range(-3, 4)} == {run.trigger_data["fire_at"] for run in runs}
    assert {("backfill", True, schedule_id)} == {
        (run.triggered_by, run.trigger_data["backfill"], run.schedule_id) for run in runs
    }
    assert all(row.is_backfill for row in views.fire_rows(session, schedule_id))


def test_what_was_fired_is_not_fired_again(session, keep, fire, fill):
    """By the clock first, then by hand; and the other way round."""
    schedule_id = keep(catch_up="all")
    fire(NOON + 2 * HOUR)
    assert (2, 2) == ((done := fill(schedule_id, 1, 4)).started, done.already)
    fire(NOON + 5 * HOUR)

    assert [NOON + n * HOUR for n in range(1, 6)] == [row.fire_at for row in fires(session)]
    assert 5 == len(session.exec(select(WorkflowRun)).all())


def test_what_was_skipped_or_refused_can_be_made_up_for(session, keep, fire, fill):
    """That nothing was started then is the reason to ask."""
    schedule_id = keep(overlap=Overlap.SKIP)
    fire(NOON + HOUR)
    fire(NOON + 2 * HOUR)
    end_runs(session)
    done = fill(schedule_id, 1, 2)

    assert (1, 1) == (done.queued, done.already)
    schedules.start_queued(session)
    assert ["started", "started"] == [row.outcome for row in fires(session)]


@pytest.mark.parametrize("overlap", [Overlap.SKIP, Overlap.QUEUE])
def test_where_runs_may_not_overlap_they_wait_for_each_other(session, keep, fill, overlap):
    """One after the other, in the order of their due times; none is skipped."""
    schedule_id = keep(overlap=overlap)
    assert 4 == fill(schedule_id, 1, 4).queued
    order = []
    for _ in range(5):
        schedules.start_queued(session)
        order.append([row.fire_at for row in fires(session) if row.outcome == "started"])
        end_runs(session)

    assert [[NOON + n * HOUR for n in range(1, last)] for last in (2, 3, 4, 5, 5)] == order


@pytest.mark.parametrize(("start", "end"), [(2, 1), (1, 11), (-24 * 90, 1), (-1_000, 1)])
def test_an_impossible_window_is_refused(session, keep, fill, start, end):
    """One that ends before it begins, lies in the future, is too far back or holds too much."""
    schedule_id = keep()
    with pytest.raises(backfill.InvalidWindow):
        fill(schedule_id, start, end)

    assert [] == fires(session)


def test_only_what_is_published_is_backfilled(session, keep, fill):
    """A person asked, so there is an error, not silence."""
    schedule_id = keep()
    session.exec(select(Workflow)).one().status = WorkflowStatus.DEPRECATED
    with pytest.raises(NotPublished):
        fill(schedule_id, 1, 2)


def test_old_due_times_are_forgotten(session, keep, fire):
    """After three months; those that still wait are not."""
    keep()
    fire(NOON + HOUR)
    for row in fires(session):
        row.created_at = row.fire_at
    session.add(ScheduleFire(schedule_id=row.schedule_id, fire_at=NOON, outcome="queued", created_at=NOON))
    session.flush()

    assert 0 == backfill.prune_fires(session, now=NOON + timedelta(days=90))
    assert 1 == backfill.prune_fires(session, now=NOON + timedelta(days=92))
    assert ["queued"] == [row.outcome for row in fires(session)]


def test_what_waits_goes_with_its_schedule(session, publish, fill):
    """A version without the schedule starts nothing more of it."""
    publish("tick", '[{type: schedule, cron: "0 * * * *", overlap: queue}]')
    (row,) = views.schedule_rows(session, now=NOON)
    fill(row.id, 1, 3)
    publish("tick", "[]")
    assert not schedules.has_queued(session)

    versions.publish_version(session, "tick", 1)
    assert [] == views.fire_rows(session, row.id, limit=0)
    assert 3 == fill(row.id, 1, 3).queued
