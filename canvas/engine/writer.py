"""The one thread that writes. Whatever queued up while the last commit ran goes into the next one."""

import logging
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Any

from canvas.domain.errors import DefectError
from canvas.engine.crashpoints import reached
from canvas.engine.statements import Statement

MAX_GROUP = 256
BUSY_PAUSE_SECONDS = (0.001, 0.02)
FULL_PAUSE_SECONDS = 1.0
EXIT_CODE = 70
_log = logging.getLogger(__name__)

Write = tuple[Statement, Sequence[tuple[Any, ...]]]


class Result(Enum):
    """What became of a unit."""

    WRITTEN = "written"
    FENCED = "fenced"
    "Its guard met no row: somebody else owns the run, or it has ended. Nothing was written."
    BROKEN = "broken"
    "It breaks a constraint. Nothing was written."


@dataclass(slots=True, eq=False)
class Unit:
    """Writes that stand or fall together."""

    writes: list[Write]
    guard: tuple[Statement, tuple[Any, ...]] | None = None
    "Goes first, and has to change exactly one row."
    point: str = ""
    "The crash points around it: `{point}.before_commit` and `{point}.after_commit`."
    tag: Any = None
    "The sender's own; comes back with the result."
    result: Result = field(default=Result.WRITTEN, init=False)


class Writer:
    """Owns one connection and commits groups of units, in the order they came.

    If the thread dies the whole process goes with it: a process that cannot record must not act, and its lease frees
    its work.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        on_written: Callable[[list[Unit]], None],
        die: Callable[[int], None] = os._exit,
    ) -> None:
        """Prepare the thread; `start` starts it.

        Args:
            connect: Opens a connection in autocommit mode; called in the writer's thread.
            on_written: Told, in the writer's thread, which units are through, once per group.
            die: Ends the process.
        """
        self._connect = connect
        self._on_written = on_written
        self._die = die
        self._queue: SimpleQueue[Unit | None] = SimpleQueue()
        self._is_closing = False
        self._thread = threading.Thread(target=self._main, name="canvas-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, unit: Unit) -> None:
        """Queue a unit; any thread may."""
        self._queue.put(unit)

    def close(self) -> None:
        """Write what is queued, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _main(self) -> None:
        try:
            connection = self._connect()
            while not self._is_closing:
                group = self._take()
                if group:
                    self._write(connection, group)
                    self._on_written(group)
            connection.close()
        except BaseException:
            _log.critical("The writer died; this process ends so that others can take its work.", exc_info=True)
            self._die(EXIT_CODE)

    def _take(self) -> list[Unit]:
        """Wait for a unit, and take all that are there."""
        group: list[Unit] = []
        unit = self._queue.get()
        while True:
            if unit is None:
                self._is_closing = True
                return group
            group.append(unit)
            if len(group) == MAX_GROUP:
                return group
            try:
                unit = self._queue.get_nowait()
            except Empty:
                return group

    def _write(self, connection: sqlite3.Connection, group: list[Unit]) -> None:
        try:
            self._commit(connection, group)
        except (sqlite3.IntegrityError, sqlite3.DataError, DefectError) as error:
            if len(group) == 1:
                _log.error("A transition was refused and is dropped: %s", error)
                group[0].result = Result.BROKEN
                return
            for unit in group:
                self._write(connection, [unit])

    def _commit(self, connection: sqlite3.Connection, group: list[Unit]) -> None:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                for unit in group:
                    _run(connection, unit)
                _reached(group, "before_commit")
                reached("writer.inside_transaction")
                connection.execute("COMMIT")
                _reached(group, "after_commit")
                return
            except sqlite3.OperationalError as error:
                _roll_back(connection)
                _pause_for(error)
            except (sqlite3.Error, DefectError):
                _roll_back(connection)
                raise


def _run(connection: sqlite3.Connection, unit: Unit) -> None:
    unit.result = Result.WRITTEN
    if unit.guard is not None:
        statement, row = unit.guard
        if connection.execute(statement.sql, row).rowcount != 1:
            unit.result = Result.FENCED
            return
    for statement, rows in unit.writes:
        if len(rows) == 1:
            changed = connection.execute(statement.sql, rows[0]).rowcount
        else:
            changed = connection.executemany(statement.sql, rows).rowcount
        if statement.is_exact and changed != len(rows):
            raise DefectError(f"{len(rows) - changed} of {len(rows)} rows were not as expected: {statement.sql}")


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _pause_for(error: sqlite3.OperationalError) -> None:
    """Wait out what passes by itself: another writer, a full disk. Anything else is raised."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        time.sleep(random.uniform(*BUSY_PAUSE_SECONDS))
    elif code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        _log.error("The database cannot be written (%s); trying again every second.", error)
        time.sleep(FULL_PAUSE_SECONDS)
    else:
        raise error


def _reached(group: list[Unit], side: str) -> None:
    for unit in group:
        if unit.point:
            reached(f"{unit.point}.{side}")
