"""A run in memory, with what its owner has to know besides the decider's state."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from canvas.actions.context import Line, Notice
from canvas.domain.decider import Outcome, Plan, RunInfo, RunState
from canvas.engine.reading import Reader


class StoredValues(dict[str, Any]):
    """Outputs by path; what is not in memory is read from its row."""

    def __init__(self, reader: Reader, run_id: str) -> None:
        super().__init__()
        self._reader = reader
        self._run_id = run_id

    def __missing__(self, path: str) -> Any:
        value = self[path] = self._reader.output(self._run_id, path)
        return value


@dataclass(slots=True)
class Record:
    """What an attempt wants written with its end."""

    path: str
    attempt: int
    lines: list[Line]
    notices: list[Notice]


@dataclass(slots=True, eq=False)
class ActiveRun:
    """One run that this process owns."""

    id: str
    workflow_id: str
    version_id: str
    state: RunState
    priority: int = 0
    dry_run: bool = False
    fixtures: dict[str, Any] = field(default_factory=dict)
    parent_run_id: str | None = None
    depth: int = 0
    reply_port: int | None = None
    deadline_at: datetime | None = None
    inbox: list[Outcome] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    encoded: dict[str, bytes] = field(default_factory=dict)
    "JSON of outputs that came in, by path, until they are written."
    children: dict[str, str] = field(default_factory=dict)
    "Ids of the child runs that step runs wait for, by path."
    attempts: int = 0
    "Actions queued or in flight."
    is_committing: bool = False
    is_scheduled: bool = False
    is_cancelled: bool = False
    touched_at: float = 0.0
    "Seconds since the epoch."
    held_bytes: int = 0
    "JSON of the outputs that came in and may still be in memory."

    @property
    def is_busy(self) -> bool:
        """Whether something of it is going on in this process."""
        return self.is_committing or self.is_scheduled or self.attempts > 0 or bool(self.inbox)

    @property
    def has_deadlines(self) -> bool:
        """Whether a step that calls no action has a time limit."""
        flight = self.state.flight.values()
        return any(frame.slots[node.index].deadline_at is not None for frame, node in flight)

    def take_news(self) -> Iterator[Outcome]:
        """Take what came in, oldest first."""
        news, self.inbox = self.inbox, []
        return iter(news)


def activate(row: Any, plan: Plan, reader: Reader, started_at: datetime) -> ActiveRun:
    """Make a run in memory from its row; its step runs are not loaded."""
    info = RunInfo(
        id=row.id,
        workflow_name=row.workflow_name,
        version=row.version_number,
        parameters=row.parameters,
        trigger_type=row.trigger_type.value,
        trigger_data=row.trigger_data,
        triggered_by=row.triggered_by,
        started_at=started_at,
        is_dry=row.dry_run,
    )
    state = RunState(plan, info, StoredValues(reader, row.id), row.context)
    return ActiveRun(
        id=row.id,
        workflow_id=row.workflow_id,
        version_id=row.version_id,
        state=state,
        priority=row.priority,
        dry_run=row.dry_run,
        fixtures=row.fixtures or {},
        parent_run_id=row.parent_run_id,
        depth=row.depth,
        reply_port=row.reply_port,
        deadline_at=row.deadline_at,
    )
