"""Carrying out one statement: bound parameters, bounded rows, all of it or nothing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from canvas.actions.sql.engines import expect_one, hold
from canvas.actions.sql.limits import DatabaseFailed, Limit
from canvas.actions.sql.values import as_bound, as_json, unique_names

MAX_RESULT_BYTES = 10 * 1024 * 1024
_BATCH = 200
_STREAMABLE = re.compile(r"\s*(select|values|table|with)\b", re.IGNORECASE)
_NOT_STREAMABLE = re.compile(r"\b(insert|update|delete|merge|into)\b", re.IGNORECASE)
_LOST_CONNECTION = "08"
_WORTH_AGAIN = frozenset({"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300"})
"Serialization, deadlock, lock not available, server shutting down, starting up, or full."
_TIMED_OUT = "57014"


@dataclass(frozen=True, slots=True)
class Statement:
    """What to carry out."""

    text: str
    parameters: Mapping[str, Any]
    read_only: bool
    max_rows: int


@dataclass(frozen=True, slots=True)
class Rows:
    """What came of it."""

    columns: list[str]
    rows: list[dict[str, Any]]
    count: int
    "Rows given, or changed when none are."
    is_truncated: bool


def execute(engine: sa.Engine, statement: Statement, limit: Limit) -> Rows:
    """Carry out one statement in a transaction of its own: committed at the end, or rolled back on any failure.

    Raises:
        DatabaseFailed: The database refused it, was not reached, or took too long; the message is the database's own.
    """
    bound = _bound(statement)
    phase = "connect"
    try:
        with engine.connect() as connection:
            phase = "statement"
            hold(connection, limit, read_only=statement.read_only)
            found = _carried_out(connection, bound, statement, limit)
            phase = "commit"
            connection.commit()
            return found
    except sa.exc.TimeoutError:
        raise DatabaseFailed("All connections to this database are busy.", retryable=True) from None
    except sa.exc.DBAPIError as error:
        raise _failure(error.orig or error, limit, phase, is_lost=error.connection_invalidated) from None
    except sa.exc.SQLAlchemyError as error:
        raise DatabaseFailed(f"The statement cannot be carried out: {_first_line(error)}.") from None
    except Exception as error:
        if not type(error).__module__.startswith(("sqlite3", "psycopg")):
            raise
        raise _failure(error, limit, phase, is_lost=False) from None


def _carried_out(connection: sa.Connection, bound: sa.TextClause, statement: Statement, limit: Limit) -> Rows:
    options: dict[str, Any] = {}
    if _can_stream(statement.text):
        options = {"stream_results": True, "max_row_buffer": _BATCH}
    if not statement.parameters:
        expect_one(connection, statement.text.replace("\\:", ":"))
    with connection.execute(bound, execution_options=options) as result:
        return _collected(result, statement, limit)


def _bound(statement: Statement) -> sa.TextClause:
    clause = sa.text(statement.text)
    named = set(clause.compile().params)
    if missing := sorted(named - statement.parameters.keys()):
        hint = "write \\: for a colon that names nothing"
        raise DatabaseFailed(f"The statement names :{missing[0]}, and there is no such parameter ({hint}).")
    if unused := sorted(statement.parameters.keys() - named):
        raise DatabaseFailed(f"The parameter {unused[0]} is not named in the statement; write :{unused[0]} there.")
    return clause.bindparams(
        *(
            sa.bindparam(name, [as_bound(one) for one in value] if isinstance(value, list) else as_bound(value),
                         expanding=isinstance(value, list))
            for name, value in statement.parameters.items()
        )
    )  # fmt: skip


def _can_stream(text: str) -> bool:
    """Tell whether a server-side cursor may be used, which only saves memory; others give all rows at once."""
    return bool(_STREAMABLE.match(text)) and not _NOT_STREAMABLE.search(text)


def _collected(result: sa.CursorResult[Any], statement: Statement, limit: Limit) -> Rows:
    if not result.returns_rows:
        return Rows([], [], max(result.rowcount, 0), False)
    columns = unique_names(list(result.keys()))
    rows: list[dict[str, Any]] = []
    size = 0
    for row in _each(result, limit):
        if len(rows) == statement.max_rows:
            return Rows(columns, rows, len(rows), True)
        rows.append({name: as_json(value) for name, value in zip(columns, row, strict=True)})
        size += len(orjson.dumps(rows[-1]))
        if size > MAX_RESULT_BYTES:
            told = f"The rows have more than {MAX_RESULT_BYTES >> 20} MB; ask for fewer rows or columns."
            raise DatabaseFailed(told)
    return Rows(columns, rows, len(rows), False)


def _each(result: sa.CursorResult[Any], limit: Limit) -> Iterator[sa.Row[Any]]:
    while batch := result.fetchmany(_BATCH):
        if limit.is_over:
            raise _too_slow(limit)
        yield from batch


def _too_slow(limit: Limit) -> DatabaseFailed:
    return DatabaseFailed(f"The statement took longer than {limit.seconds:g} s and was stopped.", retryable=True)


def _failure(error: BaseException, limit: Limit, phase: str, *, is_lost: bool) -> DatabaseFailed:
    state = str(getattr(error, "sqlstate", "") or "")
    message = _first_line(error)
    if state == _TIMED_OUT or (limit.is_over and message in ("interrupted", "database is locked")):
        return _too_slow(limit)
    if phase == "commit" and (is_lost or state.startswith(_LOST_CONNECTION)):
        return DatabaseFailed(f"The connection broke at the end; nobody knows whether the change was kept: {message}.")
    if phase == "connect":
        return DatabaseFailed(f"The database cannot be reached: {message}.", retryable=True)
    again = is_lost or state in _WORTH_AGAIN or state.startswith(_LOST_CONNECTION) or "is locked" in message
    return DatabaseFailed(f"The database refused: {message}.", retryable=again, sqlstate=state or None)


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:500].rstrip(".")
