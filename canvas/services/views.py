"""What pages and API read: plain frozen values, shaped for showing; no rows of tables leave this room."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain.cron_words import cron_in_words, interval_in_words
from canvas.domain.errors import Invalid
from canvas.domain.schedules import InvalidSchedule, Timing, next_fire_times
from canvas.domain.states import RunStatus, TriggerType, WorkflowStatus
from models import Notification, Schedule, ScheduleFire, Webhook, Workflow, WorkflowRun

_MARKS: Final = 8
_FIRE_TIMES: Final = 5
_MAX_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class RunMark:
    """One of the last runs of a workflow, as small as it can be shown."""

    id: str
    status: str
    started_at: datetime | None
    seconds: float | None
    "How long it took; None while it goes on."


@dataclass(frozen=True, slots=True)
class WorkflowCard:
    """A workflow on the home page."""

    name: str
    title: str
    description: str
    status: str
    category: str
    tags: list[str]
    step_count: int
    latest_version: int
    published_version: int | None
    updated_at: datetime
    recent_runs: list[RunMark]
    "Newest first, at most 8."
    next_fire_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list; what is left empty does not limit."""

    statuses: Collection[RunStatus] = ()
    workflow: str = ""
    triggers: Collection[TriggerType] = ()
    text: str = ""
    "Part of the workflow's name, or the beginning of the run's id."
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run on the dashboard."""

    id: str
    workflow_name: str
    version_number: int
    status: str
    trigger_type: str
    triggered_by: str
    settled: int
    total: int
    progress: int
    "0 to 100."
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    error: str
    "The message of what made it fail; empty otherwise."
    dry_run: bool
    cancel_requested: bool
    pause_requested: bool


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, newest first."""

    rows: list[RunRow]
    next_cursor: str
    "Give it back for older ones; empty when there are none."


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule on the triggers page."""

    id: str
    workflow_name: str
    workflow_title: str
    cron: str
    words: str
    timezone: str
    overlap: str
    catch_up: str
    enabled: bool
    is_from_definition: bool
    is_published: bool
    "Whether its workflow has a published version; without one nothing starts."
    last_fire_at: datetime | None
    last_run_id: str
    next_fire_times: list[datetime] = field(default_factory=list)
    "The next five, in UTC; none while it is off."


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook on the triggers page."""

    id: str
    workflow_name: str
    workflow_title: str
    path: str
    methods: list[str]
    enabled: bool
    is_from_definition: bool
    is_published: bool
    last_called_at: datetime | None


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """A message in the bell."""

    id: str
    title: str
    body: str
    level: str
    link: str
    created_at: datetime
    is_read: bool


def workflow_cards(
    session: Session, *, text: str = "", status: WorkflowStatus | None = None, tag: str = "", limit: int = _MAX_LIMIT
) -> list[WorkflowCard]:
    """List workflows for the home page, the last edited first.

    Args:
        text: Part of the name, title or description, in any case.
        status: Only this one; None lists all but the archived.
        tag: Only workflows that carry it.
        limit: At most this many.
    """
    query = select(Workflow).order_by(col(Workflow.updated_at).desc(), col(Workflow.id).desc())
    query = query.where(Workflow.status == status if status else Workflow.status != WorkflowStatus.ARCHIVED)
    if text:
        fields = (Workflow.name, Workflow.title, Workflow.description)
        query = query.where(sa.or_(*(col(each).icontains(text, autoescape=True) for each in fields)))
    workflows = [each for each in session.exec(query) if not tag or tag in each.tags][:limit]
    fires = _next_fires(session, [each.id for each in workflows])
    return [_card(session, each, fires.get(each.id)) for each in workflows]


def workflow_tags(session: Session) -> list[str]:
    """List every tag in use, sorted."""
    return sorted({tag for tags in session.exec(select(Workflow.tags)) for tag in tags})


def workflow_names(session: Session) -> list[str]:
    """List the names of all workflows, sorted."""
    return list(session.exec(select(Workflow.name).order_by(Workflow.name)))


def run_rows(session: Session, wanted: RunFilter, *, cursor: str = "", limit: int = 50) -> RunPage:
    """List runs, newest first.

    Args:
        wanted: Which runs.
        cursor: `next_cursor` of the page before; empty starts with the newest.
        limit: 1 to 200.

    Raises:
        Invalid: `limit` is out of bounds.
    """
    if not 1 <= limit <= _MAX_LIMIT:
        raise Invalid(f"A page holds 1 to {_MAX_LIMIT} runs, not {limit}.", limit=limit)
    query = select(WorkflowRun).order_by(col(WorkflowRun.id).desc()).limit(limit + 1)
    query = query.where(*_run_conditions(wanted))
    if cursor:
        query = query.where(WorkflowRun.id < cursor)
    found = session.exec(query).all()
    more = len(found) > limit
    return RunPage([_run_row(run) for run in found[:limit]], found[limit - 1].id if more else "")


def runs_by_id(session: Session, ids: Sequence[str]) -> list[RunRow]:
    """List the runs with these ids, newest first; those that do not exist are missing."""
    query = select(WorkflowRun).where(col(WorkflowRun.id).in_(ids)).order_by(col(WorkflowRun.id).desc())
    return [_run_row(run) for run in session.exec(query)]


def live_run_count(session: Session) -> int:
    """Count the runs that have not ended."""
    live = col(WorkflowRun.status).in_([status for status in RunStatus if not status.is_terminal])
    return session.exec(select(sa.func.count()).where(live)).one()


def schedule_rows(session: Session, *, now: datetime) -> list[ScheduleRow]:
    """List all schedules, the next due first and those that are off last."""
    query = select(Schedule, Workflow).join(Workflow, col(Workflow.id) == Schedule.workflow_id)
    rows = [_schedule_row(session, schedule, workflow, now) for schedule, workflow in session.exec(query)]
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(rows, key=lambda row: (row.next_fire_times or [never])[0])


def webhook_rows(session: Session) -> list[WebhookRow]:
    """List all webhooks by path."""
    query = select(Webhook, Workflow).join(Workflow, col(Workflow.id) == Webhook.workflow_id).order_by(Webhook.path)
    return [
        WebhookRow(
            id=webhook.id,
            workflow_name=workflow.name,
            workflow_title=workflow.title or workflow.name,
            path=webhook.path,
            methods=webhook.methods,
            enabled=webhook.enabled,
            is_from_definition=webhook.is_from_definition,
            is_published=workflow.published_version is not None,
            last_called_at=webhook.last_called_at,
        )
        for webhook, workflow in session.exec(query)
    ]


def notification_rows(session: Session, *, limit: int = 20) -> list[NotificationRow]:
    """List the newest notifications."""
    query = select(Notification).order_by(col(Notification.id).desc()).limit(limit)
    return [
        NotificationRow(n.id, n.title, n.body, n.level.value, n.link, n.created_at, n.read_at is not None)
        for n in session.exec(query)
    ]


def unread_count(session: Session) -> int:
    """Count the notifications nobody has seen."""
    return session.exec(select(sa.func.count()).where(col(Notification.read_at).is_(None))).one()


def _card(session: Session, workflow: Workflow, next_fire_at: datetime | None) -> WorkflowCard:
    return WorkflowCard(
        name=workflow.name,
        title=workflow.title or workflow.name,
        description=workflow.description,
        status=workflow.status.value,
        category=workflow.category,
        tags=workflow.tags,
        step_count=_count_steps(workflow.draft.get("steps")),
        latest_version=workflow.latest_version,
        published_version=workflow.published_version,
        updated_at=workflow.updated_at,
        recent_runs=_recent_runs(session, workflow.id),
        next_fire_at=next_fire_at,
    )


def _recent_runs(session: Session, workflow_id: str) -> list[RunMark]:
    query = (
        select(WorkflowRun.id, WorkflowRun.status, WorkflowRun.started_at, WorkflowRun.ended_at)
        .where(WorkflowRun.workflow_id == workflow_id)
        .order_by(col(WorkflowRun.id).desc())
        .limit(_MARKS)
    )
    return [
        RunMark(run_id, str(status), started_at, _seconds(started_at, ended_at))
        for run_id, status, started_at, ended_at in session.exec(query)
    ]


def _next_fires(session: Session, workflow_ids: Sequence[str]) -> dict[str, datetime]:
    query = (
        select(Schedule.workflow_id, sa.func.min(col(Schedule.next_fire_at)))
        .where(col(Schedule.workflow_id).in_(workflow_ids), col(Schedule.enabled))
        .group_by(Schedule.workflow_id)
    )
    return {workflow_id: at for workflow_id, at in session.exec(query) if at is not None}


def _count_steps(steps: Any) -> int:
    if not isinstance(steps, list):
        return 0
    return sum(1 + _count_steps(step.get("steps")) for step in steps if isinstance(step, dict))


def _run_conditions(wanted: RunFilter) -> list[Any]:
    conditions: list[Any] = []
    if wanted.statuses:
        conditions.append(col(WorkflowRun.status).in_(wanted.statuses))
    if wanted.triggers:
        conditions.append(col(WorkflowRun.trigger_type).in_(wanted.triggers))
    if wanted.workflow:
        conditions.append(WorkflowRun.workflow_name == wanted.workflow)
    if wanted.since:
        conditions.append(col(WorkflowRun.created_at) >= wanted.since)
    if wanted.until:
        conditions.append(col(WorkflowRun.created_at) < wanted.until)
    if text := wanted.text.strip():
        name_matches = col(WorkflowRun.workflow_name).icontains(text, autoescape=True)
        conditions.append(sa.or_(name_matches, col(WorkflowRun.id).startswith(text.upper(), autoescape=True)))
    return conditions


def _run_row(run: WorkflowRun) -> RunRow:
    return RunRow(
        id=run.id,
        workflow_name=run.workflow_name,
        version_number=run.version_number,
        status=run.status.value,
        trigger_type=run.trigger_type.value,
        triggered_by=run.triggered_by,
        settled=run.settled_steps,
        total=run.total_steps,
        progress=_percent(run),
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        error=str((run.error or {}).get("message", "")),
        dry_run=run.dry_run,
        cancel_requested=run.cancel_requested,
        pause_requested=run.pause_requested,
    )


def _percent(run: WorkflowRun) -> int:
    if run.status is RunStatus.COMPLETED:
        return 100
    return 100 * run.settled_steps // run.total_steps if run.total_steps else 0


def _schedule_row(session: Session, schedule: Schedule, workflow: Workflow, now: datetime) -> ScheduleRow:
    words = cron_in_words(schedule.cron) if schedule.cron else interval_in_words(schedule.interval_seconds or 0)
    fired = select(ScheduleFire.run_id).where(ScheduleFire.schedule_id == schedule.id)
    last_run_id = session.exec(fired.order_by(col(ScheduleFire.fire_at).desc()).limit(1)).first()
    return ScheduleRow(
        id=schedule.id,
        workflow_name=workflow.name,
        workflow_title=workflow.title or workflow.name,
        cron=schedule.cron or "",
        words=words,
        timezone=schedule.timezone,
        overlap=schedule.overlap.value,
        catch_up=schedule.catch_up.value,
        enabled=schedule.enabled,
        is_from_definition=schedule.is_from_definition,
        is_published=workflow.published_version is not None,
        last_fire_at=schedule.last_fire_at,
        last_run_id=last_run_id or "",
        next_fire_times=_next_times(schedule, now) if schedule.enabled else [],
    )


def _next_times(schedule: Schedule, now: datetime) -> list[datetime]:
    interval = timedelta(seconds=schedule.interval_seconds) if schedule.interval_seconds else None
    timing = Timing(cron=schedule.cron, interval=interval, timezone=schedule.timezone, anchor=schedule.anchor_at)
    try:
        return next_fire_times(timing, after=now, count=_FIRE_TIMES)
    except InvalidSchedule:
        return []


def _seconds(started_at: datetime | None, ended_at: datetime | None) -> float | None:
    return (ended_at - started_at).total_seconds() if started_at and ended_at else None
