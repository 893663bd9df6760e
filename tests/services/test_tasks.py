"""Tasks: each rule of the inbox, over a real database."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from canvas.domain.errors import Invalid, NotFound
from canvas.domain.states import Complexity, TaskExecution, TaskOwner, TaskStatus, TaskType
from canvas.domain.tasks import BadOutcome, SnoozeRefused, TaskEnded, TaskOpen
from canvas.services import tasks, views
from canvas.services.access import Actor, Role
from canvas.services.tasks import BadAnswers, StaleTask, TaskChange, TaskNotFound, TaskWish
from models import WorkflowRun

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANA, BOB = Actor("ana", Role.OPERATOR), Actor("bob", Role.OPERATOR)


@pytest.fixture
def raise_task(session: Session):
    """Raise a task with some values; gives its id."""

    def make(action: str = "Call the CFO", **more) -> str:
        return tasks.create_task(session, TaskWish(action=action, **more), actor=ANA)

    return make


def row(session: Session, task_id: str) -> views.TaskRow:
    session.flush()
    session.expire_all()
    return views.task_row(session, task_id)


def test_a_task_keeps_every_field(session, raise_task):
    """Under the names that callers know."""
    task_id = raise_task(
        task_type=TaskType.AI_TASK,
        priority=1,
        subject="customer_acme",
        auto_execute=True,
        processor="crm/update",
        complexity=Complexity.SIMPLE,
        estimated_completion_time="Within 15 minutes",
        recommendation_id="rec_1",
        details={"oldContact": {"name": "Sarah Chen"}},
    )

    kept = row(session, task_id)
    assert (TaskOwner.AI, TaskExecution.QUEUED, "customer_acme") == (
        kept.owner,
        kept.execution_status,
        kept.customer_id,
    )
    assert {"oldContact": {"name": "Sarah Chen"}} == kept.metadata
    assert ("Within 15 minutes", "simple", "rec_1", "ana") == (
        kept.estimated_completion_time,
        kept.complexity,
        kept.recommendation_id,
        kept.created_by,
    )


@pytest.mark.parametrize(
    "wish",
    [
        {"action": " "},
        {"action": "x" * 256},
        {"priority": 0},
        {"priority": 6},
        {"auto_execute": True},
        {"form": {"type": "nonsense"}},
        {"form": {"$ref": "http://127.0.0.1:9/schema"}},
        {"form": {"$ref": "file:///etc/passwd"}},
    ],
)
def test_a_task_that_makes_no_sense_is_refused(raise_task, wish):
    """Before anything is kept."""
    with pytest.raises(Invalid):
        raise_task(**{"action": "Call", **wish})


def test_what_does_not_exist_is_told(session, raise_task):
    """A parent, a run, a task."""
    for wish in ({"parent_task_id": "nobody"}, {"run_id": "nothing"}):
        with pytest.raises(NotFound):
            raise_task(**wish)
    with pytest.raises(TaskNotFound):
        tasks.complete_task(session, "nobody", actor=ANA, now=NOON)


def test_a_parent_is_done_when_all_below_it_are(session, raise_task):
    """Completed, skipped or cancelled, at any depth; not a moment before."""
    parent = raise_task("Engage the CFO")
    children = [raise_task(f"Part {n}", parent_task_id=parent) for n in range(3)]
    leaf = raise_task("Detail", parent_task_id=children[2])

    tasks.complete_task(session, children[0], actor=ANA, now=NOON)
    tasks.skip_task(session, children[1], actor=ANA, now=NOON, reason="not needed")
    assert TaskStatus.PENDING == row(session, parent).status
    tasks.complete_task(session, leaf, actor=BOB, now=NOON)

    assert (TaskStatus.COMPLETED, "bob") == (row(session, parent).status, row(session, parent).ended_by)
    assert TaskStatus.COMPLETED == row(session, children[2]).status


def test_the_tree_has_depths(session, raise_task):
    """One query gives every level: parents before children, siblings by age."""
    parent = raise_task("root")
    first, second = (raise_task(name, parent_task_id=parent) for name in ("first", "second"))
    raise_task("leaf", parent_task_id=first)

    tree = [(branch.depth, branch.task.action) for branch in views.task_tree(session, parent)]

    assert [(0, "root"), (1, "first"), (2, "leaf"), (1, "second")] == tree
    assert [(0, "second")] == [(branch.depth, branch.task.action) for branch in views.task_tree(session, second)]


def test_cancelling_takes_sub_tasks_along(session, raise_task):
    """Those that have ended stay as they are."""
    parent = raise_task("root")
    done, left = (raise_task(name, parent_task_id=parent) for name in ("done", "left"))
    tasks.complete_task(session, done, actor=ANA, now=NOON)
    tasks.cancel_task(session, parent, actor=ANA, now=NOON)

    assert [TaskStatus.CANCELLED, TaskStatus.COMPLETED, TaskStatus.CANCELLED] == [
        row(session, each).status for each in (parent, done, left)
    ]


@pytest.mark.parametrize("end", ["complete", "skip", "cancel"])
def test_a_task_ends_once(session, raise_task, end):
    """The second decision is refused, whatever it is."""
    task_id = raise_task()
    more = {"reason": "so"} if end == "skip" else {}
    getattr(tasks, f"{end}_task")(session, task_id, actor=ANA, now=NOON, **more)

    for again in (tasks.complete_task, tasks.cancel_task):
        with pytest.raises(TaskEnded):
            again(session, task_id, actor=BOB, now=NOON)
    with pytest.raises(TaskEnded):
        tasks.snooze_task(session, task_id, NOON + HOUR, now=NOON)


def test_two_people_at_the_same_moment_have_one_winner(session, raise_task):
    """Who looked at an older state of the task is told so."""
    task_id = raise_task()
    seen = row(session, task_id).revision
    tasks.change_task(session, task_id, TaskChange(priority=1), now=NOON, revision=seen)

    with pytest.raises(StaleTask) as caught:
        tasks.complete_task(session, task_id, actor=BOB, now=NOON, revision=seen)

    assert seen + 1 == caught.value.details["revision"]


def test_outcomes_and_answers_are_checked(session, raise_task):
    """A task that offers outcomes comes out as one of them; answers fit its form."""
    form = {"type": "object", "required": ["note"], "properties": {"note": {"type": "string"}}}
    task_id = raise_task(outcomes=["APPROVED", "REJECTED"], form=form)

    for outcome in (None, "MAYBE"):
        with pytest.raises(BadOutcome):
            tasks.complete_task(session, task_id, actor=ANA, now=NOON, outcome=outcome, answers={"note": "x"})
    with pytest.raises(BadAnswers, match="note"):
        tasks.complete_task(session, task_id, actor=ANA, now=NOON, outcome="APPROVED", answers={})
    tasks.complete_task(session, task_id, actor=ANA, now=NOON, outcome="APPROVED", answers={"note": "fine"})

    assert ("APPROVED", {"note": "fine"}) == (row(session, task_id).outcome, row(session, task_id).answers)


def test_a_snoozed_task_comes_back(session, raise_task):
    """At its moment; how often and since when is known."""
    task_id = raise_task()
    tasks.snooze_task(session, task_id, NOON + HOUR, now=NOON)
    tasks.snooze_task(session, task_id, NOON + 2 * HOUR, now=NOON + HOUR / 2)

    assert (TaskStatus.SNOOZED, 2, NOON) == tuple(
        getattr(row(session, task_id), key) for key in ("status", "snooze_count", "first_snoozed_at")
    )
    assert 0 == tasks.wake_tasks(session, now=NOON + HOUR)
    assert 1 == tasks.wake_tasks(session, now=NOON + 2 * HOUR)
    assert TaskStatus.PENDING == row(session, task_id).status


def test_a_decision_cannot_be_put_off_for_ever(session, raise_task):
    """After the deadline of a task that requires a decision there is no more snoozing."""
    task_id = raise_task(requires_decision=True, snooze_deadline=NOON + HOUR)
    tasks.snooze_task(session, task_id, NOON + HOUR, now=NOON)

    with pytest.raises(SnoozeRefused):
        tasks.snooze_task(session, task_id, NOON + HOUR * 1.1, now=NOON)
    with pytest.raises(Invalid):
        tasks.snooze_task(session, task_id, NOON, now=NOON)


def test_an_ended_task_can_be_taken_up_again(session, raise_task):
    """Everything about its end is forgotten; an open one cannot be."""
    task_id = raise_task()
    with pytest.raises(TaskOpen):
        tasks.reopen_task(session, task_id, now=NOON)
    tasks.skip_task(session, task_id, actor=ANA, now=NOON, reason="later")
    tasks.reopen_task(session, task_id, now=NOON)

    kept = row(session, task_id)
    assert (TaskStatus.PENDING, None, None) == (kept.status, kept.skipped_at, kept.skip_reason)


def test_lists_are_filtered_and_paged(session, raise_task):
    """The most urgent first, then the oldest; pages neither overlap nor leave anything out."""
    made = [raise_task(f"t{n}", priority=1 + n % 5, assignee="ana" if n % 2 else "") for n in range(12)]
    cursor, seen = "", []
    while True:
        page = views.task_page(session, views.TaskFilter(), limit=5, cursor=cursor)
        seen += page.tasks
        if not (cursor := page.next_cursor):
            break

    assert sorted(made) == sorted(task.id for task in seen)
    assert seen == sorted(seen, key=lambda task: (task.priority, task.id))
    mine = views.task_page(session, views.TaskFilter(assignee="ana", statuses=[TaskStatus.PENDING]))
    assert {"ana"} == {task.assignee for task in mine.tasks}
    assert 6 == len(mine.tasks)


def test_a_completed_task_starts_who_listens(session, raise_task, publish):
    """The event tells what was done and by whom; a filter may choose."""
    publish("follow_up", "[{type: event, event: task.completed, filter: 'event.data.priority <= 2'}]")
    urgent, other = raise_task("Call", priority=1), raise_task("Write", priority=3)
    for task_id in (urgent, other):
        tasks.complete_task(session, task_id, actor=BOB, now=NOON)

    (run,) = session.exec(select(WorkflowRun)).all()
    assert (urgent, "bob") == (run.trigger_data["data"]["task_id"], run.trigger_data["data"]["ended_by"])
