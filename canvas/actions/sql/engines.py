"""Engines for other people's databases: a few connections each, ended when they are no longer needed.

Read-only and time limits are enforced by the database itself, never by reading the statement.
"""

import atexit
import sqlite3
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from canvas.actions.sql.limits import CONNECT_SECONDS, DatabaseFailed, Limit
from canvas.settings import Settings

MAX_ENGINES = 16
CONNECTIONS_EACH = 5
_RECYCLE_SECONDS = 600
_STEPS_BETWEEN_LOOKS = 1_000
_LOOPBACK = frozenset({"", "localhost", "127.0.0.1", "::1"})
_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "sqlite": "sqlite"}
_KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 30_000}
_engines: "OrderedDict[tuple[str, bool], tuple[str, sa.Engine]]" = OrderedDict()
_lock = threading.Lock()


def read_url(text: str, password: str | None) -> sa.URL:
    """Read a connection's address.

    Raises:
        DatabaseFailed: It is no SQLAlchemy URL of a database that is supported.
    """
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        raise DatabaseFailed("The address is no SQLAlchemy URL, such as postgresql://user@host/database.") from None
    if url.drivername not in {*_DRIVERS, *_DRIVERS.values()}:
        raise DatabaseFailed(f"{url.drivername} is not supported; use sqlite:////path/to/file or postgresql://….")
    if url.password is not None or "password" in url.query:
        raise DatabaseFailed("The address holds a password, and would be shown; put it into the field beside it.")
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.drivername == "sqlite":
        if not url.database or not Path(url.database).is_absolute():
            raise DatabaseFailed("An SQLite address names a file from the root on: sqlite:////path/to/file.")
        return sa.URL.create("sqlite", database=url.database)
    return url if password is None else url.set(password=password)


def expect_foreign(url: sa.URL, settings: Settings) -> None:
    """Refuse Canvas's own database: its rows are changed by Canvas alone.

    Raises:
        DatabaseFailed: It is that database.
    """
    own = sa.make_url(settings.url)
    if _place(url) == _place(own):
        raise DatabaseFailed("This is Canvas's own database; workflows cannot use it.")


def _place(url: sa.URL) -> tuple[object, ...]:
    if url.get_backend_name() == "sqlite":
        return "sqlite", Path(url.database or "").resolve()
    host = "localhost" if (url.host or "").lower() in _LOOPBACK else (url.host or "").lower()
    return url.get_backend_name(), host, url.port or 5432, url.database or url.username


def engine_of(name: str, url: sa.URL, *, read_only: bool) -> sa.Engine:
    """Give a connection's engine, made at its first use; a changed connection gets a new one, and the old one ends."""
    address = url.render_as_string(hide_password=False)
    with _lock:
        known = _engines.pop((name, read_only), None)
        if known is not None and known[0] != address:
            known[1].dispose()
            known = None
        _engines[name, read_only] = known = known or (address, make_engine(url, read_only=read_only))
        if len(_engines) > MAX_ENGINES:
            _engines.popitem(last=False)[1][1].dispose()
        return known[1]


def dispose_engines() -> None:
    """Close every connection that is not in use; those in use are closed when they are given back."""
    with _lock:
        while _engines:
            _engines.popitem()[1][1].dispose()


atexit.register(dispose_engines)


def make_engine(url: sa.URL, *, read_only: bool) -> sa.Engine:
    """Make an engine; whoever does so disposes of it.

    Raises:
        DatabaseFailed: The driver is not installed.
    """
    if url.drivername == "sqlite":
        return _sqlite(str(url.database), read_only=read_only)
    try:
        return _postgres(url, read_only=read_only)
    except ModuleNotFoundError:
        raise DatabaseFailed("PostgreSQL needs its driver: pip install 'canvas-workflows[postgres]'.") from None


# SQLite: a file is opened for each statement, so that nothing a statement sets outlives it


def _sqlite(path: str, *, read_only: bool) -> sa.Engine:
    address = f"file:{quote(path)}?mode={'ro' if read_only else 'rw'}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(address, uri=True, check_same_thread=False, timeout=0)
        connection.set_authorizer(_authorize)
        return connection

    return sa.create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _authorize(action: int, *_: object) -> int:
    """Refuse to attach other files, which also `VACUUM INTO` would need."""
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK


# PostgreSQL: what a statement sets for its session is discarded when the connection goes back to the pool


def _postgres(url: sa.URL, *, read_only: bool) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=CONNECTIONS_EACH,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
        pool_recycle=_RECYCLE_SECONDS,
        pool_reset_on_return=None,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "canvas",
            "options": f"-c default_transaction_read_only={'on' if read_only else 'off'}",
            "prepare_threshold": None,  # a prepared statement would not outlive DISCARD ALL
            **_KEEPALIVE,
        },
    )

    @sa.event.listens_for(engine, "reset")
    def _reset(connection: Any, _record: Any, state: Any) -> None:
        connection.rollback()
        if not state.terminate_only:
            connection.autocommit = True
            connection.execute("DISCARD ALL")
            connection.autocommit = False

    return engine


def hold(connection: sa.Connection, limit: Limit, *, read_only: bool) -> None:
    """Hold the statements of this transaction to a time limit, and to reading if that is all they may do."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        driver.execute(f"PRAGMA busy_timeout={int(limit.left * 1000)}")
        driver.execute(f"PRAGMA query_only={int(read_only)}")
        driver.set_progress_handler(lambda: limit.is_over, _STEPS_BETWEEN_LOOKS)
    else:
        if read_only:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        milliseconds = str(max(int(limit.left * 1000), 1))
        connection.execute(sa.text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": milliseconds})
        limit.watch(driver)


def expect_one(connection: sa.Connection, text: str) -> None:
    """Let the server refuse several statements in one text, by parsing it before it is carried out.

    Needed where there is nothing to bind: then the driver hands over the text as it stands, and with it everything
    behind a semicolon.

    Raises:
        psycopg.Error: It is not one statement, or none that can be carried out.
    """
    if connection.dialect.name != "postgresql":
        return  # SQLite takes one statement at a time
    from psycopg.errors import error_from_result

    driver: Any = connection.connection.driver_connection
    answer = driver.pgconn.prepare(b"", text.encode())
    if answer.error_message:
        raise error_from_result(answer)
