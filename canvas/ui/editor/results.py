"""What a step did in a run, and the three wishes about a run; the editor and the run page show both."""

from dataclasses import asdict
from datetime import datetime
from enum import Enum
from typing import Any, Final

import orjson

from canvas.domain.errors import Invalid
from canvas.domain.states import LogKind, StepStatus
from canvas.services import runs, views
from canvas.services.views import StepRunRow

MAX_PATHS: Final = 2_000
_MAX_SHOWN_BYTES: Final = 200_000
_BEGINNING: Final = 20_000

_WISHES: Final = {"cancel": runs.cancel_run, "pause": runs.pause_run, "resume": runs.resume_run}


def control(session: Any, run_id: str, verb: str) -> dict[str, Any]:
    """Ask a run to stop, to pause or to go on.

    Raises:
        Invalid: There is no such verb.
        UserError: As the service of that name.
    """
    if verb not in _WISHES:
        raise Invalid(f"A run can be asked to {', '.join(_WISHES)}; not to {verb!r}.")
    _WISHES[verb](session, run_id)
    return {}


def step_result(session: Any, run_id: str, name: str, path: str = "") -> dict[str, Any]:
    """Describe one step run with all its attempts, and list the other ones of the same step.

    Args:
        path: Which one; empty takes the first that failed, else the last.

    Raises:
        RunNotFound: There is no such run.
    """
    rows = [row for row in views.step_run_rows(session, run_id) if row.name == name]
    latest = {row.path: row for row in rows}
    chosen = path if path in latest else _most_telling(latest)
    attempts = views.step_run_detail(session, run_id, chosen) if chosen else []
    lines = views.run_logs(session, run_id, path=chosen, kind=LogKind.LINE) if chosen else []
    return {
        "path": chosen,
        "paths": [{"path": row.path, "status": row.status.value} for row in list(latest.values())[-MAX_PATHS:]],
        "attempts": [_attempt(row) for row in attempts],
        "lines": [plain(asdict(line)) for line in lines],
    }


def _most_telling(latest: dict[str, StepRunRow]) -> str:
    failed = [path for path, row in latest.items() if row.status is StepStatus.FAILED]
    return (failed or list(latest) or [""])[0 if failed else -1]


def _attempt(row: StepRunRow) -> dict[str, Any]:
    fields = plain(asdict(row))
    return {**fields, "input": shown(row.input), "output": shown(row.output)}


def shown(value: Any) -> Any:
    """Give the value, or the beginning of its text when it is too large for a page."""
    text = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    if len(text) <= _MAX_SHOWN_BYTES:
        return value
    return f"{text[:_BEGINNING].decode(errors='ignore')}… ({len(text):,} bytes in all; the API gives the whole)"


def plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Make moments and words of a row into text."""
    return {key: _plain(value) for key, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
