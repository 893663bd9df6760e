"""What pages read."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from canvas.domain.errors import Invalid
from canvas.domain.states import RunStatus, TriggerType, WorkflowStatus
from canvas.services import views
from canvas.services.views import RunFilter
from models import Schedule, ScheduleFire, Webhook, Workflow, WorkflowRun, WorkflowVersion

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def make_workflow(session: Session):
    def make(name: str, **given) -> Workflow:
        workflow = Workflow(name=name, **given)
        session.add(workflow)
        session.flush()
        session.add(WorkflowVersion(workflow_id=workflow.id, number=1, definition={}, content_hash="0"))
        session.flush()
        return workflow

    return make


@pytest.fixture
def make_run(session: Session):
    def make(workflow: Workflow, **given) -> WorkflowRun:
        version = session.exec(select(WorkflowVersion).where(WorkflowVersion.workflow_id == workflow.id)).one()
        known = {"workflow_name": workflow.name, "version_number": 1, "version_id": version.id}
        run = WorkflowRun(workflow_id=workflow.id, **{**known, **given})
        session.add(run)
        session.flush()
        return run

    return make


def test_a_card_tells_what_a_workflow_is_and_how_its_last_runs_went(session, make_workflow, make_run):
    """Home shows steps (nested ones too), the newest eight runs first, and the next due time."""
    draft = {"steps": [{"name": "a"}, {"name": "b", "type": "loop", "steps": [{"name": "c"}]}]}
    workflow = make_workflow("deploy", title="Deploy", tags=["vm"], draft=draft)
    runs = [make_run(workflow, started_at=NOON, ended_at=NOON + timedelta(seconds=n)) for n in range(10)]
    later = {"interval_seconds": 60.0, "anchor_at": NOON}
    session.add(Schedule(workflow_id=workflow.id, next_fire_at=NOON + timedelta(hours=2), **later))
    session.add(Schedule(workflow_id=workflow.id, next_fire_at=NOON + timedelta(hours=1), **later))
    session.add(Schedule(workflow_id=workflow.id, next_fire_at=NOON, enabled=False, **later))
    session.flush()

    (card,) = views.workflow_cards(session)

    assert ("deploy", "Deploy", ["vm"], 3) == (card.name, card.title, card.tags, card.step_count)
    assert [run.id for run in reversed(runs)][:8] == [mark.id for mark in card.recent_runs]
    assert 9.0 == card.recent_runs[0].seconds
    assert NOON + timedelta(hours=1) == card.next_fire_at


def test_cards_can_be_searched_and_filtered(session, make_workflow):
    """Text looks at name, title and description and takes no wildcards; archived ones are shown on request."""
    make_workflow("deploy_vm", title="Deploy", tags=["vm"])
    make_workflow("backup", description="Copies the VM", tags=["vm", "night"], status=WorkflowStatus.ACTIVE)
    make_workflow("old", status=WorkflowStatus.ARCHIVED)

    def names(**wanted) -> set[str]:
        return {card.name for card in views.workflow_cards(session, **wanted)}

    assert {"deploy_vm", "backup"} == names()
    assert {"deploy_vm", "backup"} == names(text="vm")
    assert {"deploy_vm"} == names(text="_vm")
    assert set() == names(text="%")
    assert {"backup"} == names(tag="night")
    assert {"backup"} == names(status=WorkflowStatus.ACTIVE)
    assert {"old"} == names(status=WorkflowStatus.ARCHIVED)
    assert ["night", "vm"] == views.workflow_tags(session)


def test_runs_page_by_cursor_without_gap_or_repeat(session, make_workflow, make_run):
    """Following the cursor lists every run once, newest first, whatever arrives meanwhile."""
    workflow = make_workflow("deploy")
    ids = [make_run(workflow).id for _ in range(7)]

    first = views.run_rows(session, RunFilter(), limit=3)
    make_run(workflow)
    second = views.run_rows(session, RunFilter(), cursor=first.next_cursor, limit=3)
    third = views.run_rows(session, RunFilter(), cursor=second.next_cursor, limit=3)

    assert ids[::-1] == [row.id for page in (first, second, third) for row in page.rows]
    assert "" == third.next_cursor
    with pytest.raises(Invalid):
        views.run_rows(session, RunFilter(), limit=0)


def test_runs_can_be_filtered(session, make_workflow, make_run):
    """By status, workflow, trigger, time, and text: a name's part or an id's beginning."""
    one, other = make_workflow("deploy_vm"), make_workflow("backup")
    failed = make_run(one, status=RunStatus.FAILED, error={"message": "no disk"}, created_at=NOON)
    going = make_run(other, status=RunStatus.RUNNING, trigger_type=TriggerType.SCHEDULE, settled_steps=1, total_steps=3)

    def found(**wanted) -> list[str]:
        return [row.id for row in views.run_rows(session, RunFilter(**wanted)).rows]

    assert [failed.id] == found(statuses=[RunStatus.FAILED])
    assert [going.id] == found(triggers=[TriggerType.SCHEDULE])
    assert [failed.id] == found(workflow="deploy_vm")
    assert [failed.id] == found(since=NOON, until=NOON + timedelta(seconds=1))
    assert [] == found(until=NOON)
    assert [failed.id] == found(text="Y_V")
    assert [going.id] == found(text=going.id.lower())
    (row,) = views.runs_by_id(session, [failed.id])
    assert ("no disk", 0) == (row.error, row.progress)
    assert 33 == views.runs_by_id(session, [going.id])[0].progress
    assert 1 == views.live_run_count(session)


def test_schedules_say_when_in_words_and_five_times_ahead(session, make_workflow):
    """The next due comes first; one that is off, or cannot be read, has no times and comes last."""
    workflow = make_workflow("deploy", published_version=1)
    base = {"workflow_id": workflow.id, "anchor_at": NOON}
    nightly = Schedule(cron="0 2 * * *", timezone="Europe/Paris", **base)
    session.add_all(
        [
            nightly,
            Schedule(cron="0 3 * * *", enabled=False, **base),
            Schedule(interval_seconds=60.0, **base),
            Schedule(cron="0 0 30 2 *", **base),
        ]
    )
    session.flush()
    session.add(ScheduleFire(schedule_id=nightly.id, fire_at=NOON, outcome="started", run_id="R"))
    session.flush()

    minutely, night, *rest = views.schedule_rows(session, now=NOON)

    assert ("every minute", 5) == (minutely.words, len(minutely.next_fire_times))
    assert ("every day at 02:00", "Europe/Paris", "R") == (night.words, night.timezone, night.last_run_id)
    assert datetime(2026, 3, 2, 1, tzinfo=UTC) == night.next_fire_times[0]
    assert [[], []] == [row.next_fire_times for row in rest]


def test_webhooks_come_by_path(session, make_workflow):
    """Webhooks come by path."""
    workflow = make_workflow("deploy")
    session.add_all([Webhook(workflow_id=workflow.id, path=path) for path in ("b", "a")])
    session.flush()

    assert ["a", "b"] == [row.path for row in views.webhook_rows(session)]
