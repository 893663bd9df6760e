"""The clock also minds what people put aside or left undecided."""

from datetime import timedelta

from canvas import db
from canvas.domain.states import ProposalStatus, TaskStatus
from canvas.scheduler import Scheduler
from canvas.services import proposals, tasks, views
from canvas.services.access import Actor, Role
from canvas.services.proposals import ActionWish
from canvas.services.tasks import TaskWish
from tests.test_clock_steps import START, FakeClock

ANA = Actor("ana", Role.OPERATOR)


def test_snoozed_tasks_come_back_and_proposals_expire(database):
    """At their moment, not before; nobody has to ask for it."""
    fake = FakeClock()
    scheduler = Scheduler(database, fake.clock())
    with db.transaction(database) as session:
        task_id = tasks.create_task(session, TaskWish(action="Call"), actor=ANA)
        tasks.snooze_task(session, task_id, START + timedelta(minutes=5), now=START)
        wish = ActionWish(action="log/event", parameters={"message": "hi"})
        expires_at = START + timedelta(minutes=5)
        proposal_id = proposals.propose(session, "Do it", [wish], actor=ANA, expires_at=expires_at)

    def look() -> tuple[TaskStatus, ProposalStatus]:
        scheduler.look()
        with db.reading(database) as session:
            return views.task_row(session, task_id).status, views.proposal_row(session, proposal_id).status

    fake.go_on(299)
    assert (TaskStatus.SNOOZED, ProposalStatus.PROPOSED) == look()
    fake.go_on(1)
    assert (TaskStatus.PENDING, ProposalStatus.EXPIRED) == look()
