"""What live pages are told: how runs stand, and what has happened to them since a moment."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from canvas.domain.progress import StepChange
from canvas.domain.states import LogKind, StepStatus
from models import RunLog, StepRun, WorkflowRun

_RUN: Final[Any] = sa.inspect(WorkflowRun).local_table.c
_STEP: Final[Any] = sa.inspect(StepRun).local_table.c
_LOG: Final[Any] = sa.inspect(RunLog).local_table.c
BATCH: Final = 2_000
"At most this many rows are read at once."
_FEW_LINES: Final = 500

_HEADS: Final = sa.select(
    _RUN.id,
    _RUN.status,
    _RUN.settled_steps,
    _RUN.total_steps,
    _RUN.started_at,
    _RUN.ended_at,
    _RUN.error,
    _RUN.cancel_requested,
    _RUN.pause_requested,
).where(_RUN.id.in_(sa.bindparam("ids", expanding=True)))
_STEPS: Final = sa.select(
    _STEP.path, _STEP.attempt, _STEP.status, _STEP.branch, _STEP.error, _STEP.started_at, _STEP.ended_at
).where(_STEP.run_id == sa.bindparam("run_id"))
_ROW: Final = (_LOG.seq, _LOG.path, _LOG.attempt, _LOG.kind, _LOG.level, _LOG.message, _LOG.data, _LOG.at)
_CHANGES: Final = (
    sa.select(*_ROW)
    .where(_LOG.run_id == sa.bindparam("run_id"), _LOG.seq > sa.bindparam("after"))
    .order_by(_LOG.seq)
    .limit(BATCH)
)
_LINES: Final = (
    sa.select(*_ROW)
    .where(_LOG.run_id == sa.bindparam("run_id"), _LOG.kind == LogKind.LINE, _LOG.seq > sa.bindparam("after"))
    .order_by(_LOG.seq.desc())
    .limit(_FEW_LINES)
)
_CHANGED_RUNS: Final = (
    sa.select(_LOG.run_id, sa.func.max(_LOG.seq))
    .where(_LOG.seq > sa.bindparam("after"), _LOG.kind != LogKind.LINE)
    .group_by(_LOG.run_id)
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that a step or the engine wrote for people."""

    seq: int
    at: datetime
    level: str
    path: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Happened:
    """One row of the log of a run: a step's change, a line, or (both None) a change of the run itself."""

    seq: int
    step: StepChange | None
    line: Line | None


def last_seq(session: Session) -> int:
    """Give the number of the newest log row; 0 before the first."""
    return int(session.execute(sa.select(sa.func.max(_LOG.seq))).scalar() or 0)


def heads(session: Session, run_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Describe how runs stand, by id, in the feed's words; runs that do not exist are missing."""
    return {row.id: _head(row) for row in session.execute(_HEADS, {"ids": list(run_ids)})}


def step_states(session: Session, run_id: str, *, seq: int) -> list[StepChange]:
    """List every attempt of a run as it stands, as of log row `seq`."""
    return [
        StepChange(seq, row.path, row.attempt, row.status, row.branch, _text(row.error), row.started_at, row.ended_at)
        for row in session.execute(_STEPS, {"run_id": run_id})
    ]


def happened(session: Session, run_id: str, *, after: int) -> list[Happened]:
    """List what happened to a run after log row `after`, oldest first, at most `BATCH` rows."""
    return [_happened(row) for row in session.execute(_CHANGES, {"run_id": run_id, "after": after})]


def recent_lines(session: Session, run_id: str, *, after: int) -> list[Line]:
    """List the lines of a run after log row `after`, oldest first; of more than 500 only the newest."""
    rows = session.execute(_LINES, {"run_id": run_id, "after": after}).all()
    return [_line(row) for row in reversed(rows)]


def changed_runs(session: Session, *, after: int) -> dict[str, int]:
    """List the runs that changed after log row `after`, with the newest row of each."""
    rows = session.execute(_CHANGED_RUNS, {"after": after})
    return {run_id: seq for run_id, seq in rows}


def _head(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": row.status.value,
        "settled": row.settled_steps,
        "total": row.total_steps,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "error": row.error,
        "cancel_requested": row.cancel_requested,
        "pause_requested": row.pause_requested,
    }


def _happened(row: Any) -> Happened:
    step = _step_change(row) if row.kind is LogKind.STEP else None
    line = _line(row) if row.kind is LogKind.LINE else None
    return Happened(row.seq, step, line)


def _step_change(row: Any) -> StepChange:
    told: Mapping[str, Any] = row.data or {}
    status = StepStatus(told["status"])
    starts = row.at if status is StepStatus.RUNNING else None
    ends = row.at if status.is_terminal else None
    return StepChange(
        row.seq, row.path, row.attempt or 1, status, told.get("branch"), _text(told.get("error")), starts, ends
    )


def _line(row: Any) -> Line:
    return Line(row.seq, row.at, row.level.value, row.path, row.message)


def _text(error: Any) -> str | None:
    """Errors are kept as `{code, message, …}`; nodes show the message."""
    if isinstance(error, Mapping):
        return str(error.get("message") or error.get("code") or "")
    return None if error is None else str(error)


class CommitWatch:
    """Tells cheaply, on SQLite within microseconds, whether anybody has committed since it was last asked.

    Other databases cannot say; there the answer is always yes. For use by one thread.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._connection = engine.raw_connection() if engine.dialect.name == "sqlite" else None
        self._seen: object = None

    @property
    def is_cheap(self) -> bool:
        """Whether asking often is fine."""
        return self._connection is not None

    def has_news(self) -> bool:
        """Say whether something was committed since the last call; the first answer is yes."""
        if self._connection is None:
            return True
        cursor = self._connection.cursor()
        now = cursor.execute("PRAGMA data_version").fetchone()
        cursor.close()
        before, self._seen = self._seen, now
        return bool(now != before)

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
