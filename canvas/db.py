"""The database connection: one engine per process and URL, SQLite's pragmas, and `transaction()`. Nothing else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import orjson
import sqlalchemy as sa
from sqlmodel import Session as Session  # for rooms that hand sessions on and speak no SQL

from canvas.domain.errors import Invalid
from canvas.settings import Settings

BUSY_TIMEOUT_MS = 5_000
_engines: dict[tuple[str, str], sa.Engine] = {}
_lock = threading.Lock()


class ValueNotKept(Invalid):
    """A value cannot be kept in the database."""

    code = "value_not_kept"


def connect(settings: Settings) -> sa.Engine:
    """Give the engine for the settings' database, made on first use and kept for the life of the process."""
    key = (settings.url, settings.durability)
    with _lock:
        if key not in _engines:
            _engines[key] = _create(settings)
        return _engines[key]


@contextmanager
def transaction(settings: Settings) -> Iterator[Session]:
    """Open a session whose work is committed at the end, or rolled back when an error leaves the block.

    On SQLite the write lock is taken at the start, so a transaction that reads and then writes cannot lose the race.
    """
    with _fitting(), Session(connect(settings), expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(settings: Settings) -> Iterator[Session]:
    """Open a session that only reads; it never waits for a writer on SQLite."""
    engine = connect(settings).execution_options(canvas_readonly=True)
    with _fitting(), Session(engine, expire_on_commit=False) as session:
        yield session


@contextmanager
def _fitting() -> Iterator[None]:
    """Tell a value that the database cannot hold, such as a zero character on PostgreSQL, from a defect."""
    try:
        yield
    except sa.exc.DataError as error:
        raise ValueNotKept(f"A value cannot be kept in the database: {error.orig}") from error


def dumps(value: Any) -> str:
    """Write JSON the way columns hold it."""
    return orjson.dumps(value).decode()


def _loads(text: Any) -> Any:
    """Read JSON from a column. SQLite keeps text that is nothing but a number as one."""
    return text if isinstance(text, int | float) else orjson.loads(text)


def _create(settings: Settings) -> sa.Engine:
    if not settings.url.startswith("sqlite"):
        return sa.create_engine(settings.url, json_serializer=dumps, json_deserializer=_loads, pool_pre_ping=True)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        settings.url,
        json_serializer=dumps,
        json_deserializer=_loads,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
    )
    sa.event.listen(engine, "connect", partial(_on_connect, synchronous=settings.durability))
    sa.event.listen(engine, "begin", _begin)
    return engine


def _on_connect(connection: Any, _record: Any, *, synchronous: str) -> None:
    connection.isolation_level = None  # the driver must not begin transactions on its own
    level = "FULL" if synchronous == "power" else "NORMAL"
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"synchronous={level}", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    readonly = connection.get_execution_options().get("canvas_readonly", False)
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")
