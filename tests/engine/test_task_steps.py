"""Task steps: raised with the step, waited for without holding anything, branched on."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from canvas.db import reading, transaction
from canvas.domain.states import Branch, RunStatus, TaskOwner, TaskStatus, TaskType
from canvas.domain.steps import Dependency, SubTask, TaskStep
from canvas.services import tasks
from canvas.services.access import Actor, Role
from models import Notification, Task
from tests.engine.test_runs import act, define
from tests.engine.test_wishes import started, until

ANA = Actor("ana", Role.OPERATOR)


def ask(**more) -> TaskStep:
    return TaskStep(name="ask", action="Approve {{ workflow.name }}", outcomes=("APPROVED", "REJECTED"), **more)


def on(outcome: str) -> Dependency:
    return Dependency("ask", Branch.OUTCOME, outcome)


@pytest.fixture
def inbox(settings):
    """Every task there is, oldest first."""

    def read() -> list[Task]:
        with reading(settings) as session:
            return list(session.exec(select(Task).order_by(Task.id)).all())

    return read


@pytest.fixture
def decide(settings):
    """End a task as a person would."""

    def end(task: Task, how: str = "complete", **more) -> None:
        with transaction(settings) as session:
            getattr(tasks, f"{how}_task")(session, task.id, actor=ANA, now=datetime.now(UTC), **more)

    return end


def test_a_run_waits_for_a_person_and_takes_the_branch_of_the_answer(house, inbox, decide, settings):
    """The task names its run; the answer is the step's output; the bell has rung."""
    yes, no = act("yes", on("APPROVED")), act("no", on("REJECTED"))
    engine, run_id = started(house, define(ask(assignee="ana", priority=1, subject="acme"), yes, no))
    until(inbox)
    (task,) = inbox()
    assert (run_id, "ask", "Approve flow", "ana", 1, "acme", TaskOwner.CSM) == (
        task.run_id,
        task.path,
        task.action,
        task.assignee,
        task.priority,
        task.subject,
        task.owner,
    )
    with reading(settings) as session:
        assert ["Task: Approve flow"] == [row.title for row in session.exec(select(Notification)).all()]

    decide(task, outcome="APPROVED", answers={"note": "fine"})
    assert RunStatus.COMPLETED == engine.wait(run_id)

    assert {"ask": "completed", "yes": "completed", "no": "skipped"} == house.statuses(run_id)
    output = next(step for step in house.steps(run_id) if step.path == "ask").output
    assert {"outcome": "APPROVED", "answers": {"note": "fine"}, "task_id": task.id, "ended_by": "ana"} == output


def test_sub_tasks_let_the_run_go_on(house, inbox, decide):
    """The seed's engagement: four parts, the last one ends the parent and with it the wait."""
    parts = tuple(SubTask(action=f"Part {n}", complexity=None) for n in range(4))
    step = TaskStep(name="ask", action="Engage the CFO", task_type=TaskType.CSM_TASK, subtasks=parts)
    engine, run_id = started(house, define(step, act("next", "ask")))
    until(lambda: len(inbox()) == 5)
    parent, *children = inbox()
    assert {parent.id} == {child.parent_task_id for child in children}

    for child in children[:-1]:
        decide(child)
    assert "waiting" == house.statuses(run_id)["ask"]
    decide(children[-1], "skip", reason="no need")
    assert RunStatus.COMPLETED == engine.wait(run_id)


def test_an_answer_while_nothing_runs_is_found_at_the_start(house, inbox, decide):
    """The engine may be down for as long as it likes."""
    engine, run_id = started(house, define(ask(), act("yes", on("APPROVED"))))
    until(inbox)
    engine.stop(0)
    decide(inbox()[0], outcome="APPROVED")
    assert RunStatus.COMPLETED == house.engine().wait(run_id)

    assert 1 == len(inbox())


def test_a_skipped_task_goes_on_and_a_cancelled_one_fails_its_step(house, inbox, decide):
    """SKIPPED is a branch of every task; cancelling takes FAILURE."""
    engine, run_id = started(house, define(ask(), act("other", on("SKIPPED"))))
    until(inbox)
    decide(inbox()[0], "skip", reason="later")
    assert RunStatus.COMPLETED == engine.wait(run_id)
    assert "completed" == house.statuses(run_id)["other"]

    again = house.accept("flow")
    until(lambda: len(inbox()) == 2)
    decide(inbox()[1], "cancel")
    assert RunStatus.FAILED == engine.wait(again)
    assert "task_cancelled" == house.row(again).error["code"]


def test_a_run_that_ends_takes_its_open_tasks_along(house, inbox):
    """With their sub-tasks; nobody works for a run that is gone."""
    step = ask(subtasks=(SubTask(action="part"),))
    engine, run_id = started(house, define(step))
    until(lambda: len(inbox()) == 2)
    house.wish(run_id, cancel_requested=True)
    assert RunStatus.CANCELLED == engine.wait(run_id)

    assert [TaskStatus.CANCELLED] * 2 == [task.status for task in inbox()]


def test_a_task_that_takes_too_long_fails_its_step(house, inbox):
    """The task is withdrawn."""
    run = house.run(define(ask(timeout_seconds=0.2)))

    assert (RunStatus.FAILED, "timeout") == (run.status, run.error["code"])
    assert [TaskStatus.CANCELLED] == [task.status for task in inbox()]


def test_a_dry_run_bothers_nobody(house, inbox):
    """A fixture answers, or the first outcome does."""
    yes, no = act("yes", on("APPROVED")), act("no", on("REJECTED"))
    first = house.run(define(ask(), yes, no), dry_run=True)
    second = house.run(define(ask(), yes, no, name="other"), dry_run=True, fixtures={"ask": {"outcome": "REJECTED"}})

    assert ("completed", "skipped") == tuple(house.statuses(first.id)[name] for name in ("yes", "no"))
    assert ("skipped", "completed") == tuple(house.statuses(second.id)[name] for name in ("yes", "no"))
    assert [] == inbox()


@pytest.mark.parametrize(
    "values",
    [{"priority": "{{ 9 }}"}, {"due": "{{ 'tomorrow' }}"}, {"due": "{{ -1 }}"}, {"assignee": "a" * 200}],
)
def test_a_value_no_task_can_have_fails_the_step(house, inbox, values):
    """By name, before anybody sees a task."""
    run = house.run(define(ask(**values)))

    assert (RunStatus.FAILED, "invalid_task") == (run.status, run.error["code"])
    assert [] == inbox()
