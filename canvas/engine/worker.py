"""The engine as a process, or inside one: `Engine` for tests and `canvas run`, `run_engine` for `canvas worker`."""

import asyncio
import contextlib
import logging
import signal
import sqlite3
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

from canvas.actions.connections import Connections
from canvas.actions.guard import guarded_client
from canvas.actions.registry import registry as registered_actions
from canvas.db import connect
from canvas.domain.errors import DefectError, Invalid
from canvas.domain.states import RunStatus
from canvas.engine import statements as sql
from canvas.engine.active import ActiveRun
from canvas.engine.children import Children
from canvas.engine.claims import Claims
from canvas.engine.conductor import Conductor, utc_now
from canvas.engine.connections import StoredConnections
from canvas.engine.dispatch import EmbeddedDispatcher
from canvas.engine.executor import Executor
from canvas.engine.identity import this_process
from canvas.engine.lookup import KnownActions
from canvas.engine.notify import Doorbell, tell_ended
from canvas.engine.plans import Compile, Plans, read_document
from canvas.engine.reading import Reader
from canvas.engine.text import moment_text, new_key
from canvas.engine.user_actions import UserActions
from canvas.engine.writer import Unit, Writer
from canvas.settings import Settings

POLL_SECONDS = 1.0
REAP_SECONDS = 2.0
START_SECONDS = 30.0
_HEARTBEAT = "heartbeat"
_log = logging.getLogger(__name__)


class UnsupportedDatabase(Invalid):
    """The engine runs on SQLite."""

    code = "unsupported_database"


class Engine:
    """Executes runs, in threads of its own. `start` and `stop` it once."""

    def __init__(
        self,
        settings: Settings,
        registry: Mapping[str, Any] | None = None,
        *,
        compile_document: Compile = read_document,
        connections: Connections | None = None,
    ) -> None:
        """Prepare an engine.

        Args:
            registry: Actions by name; None takes those that are registered.
            compile_document: Reads a saved version's document.
            connections: Where actions find them; None takes those of the database.

        Raises:
            UnsupportedDatabase: the database is not SQLite.
        """
        if not settings.url.startswith("sqlite"):
            raise UnsupportedDatabase(f"The engine runs on SQLite, not on {settings.url.partition(':')[0]}.")
        self.id = new_key()
        self._settings = settings
        self._registry = registry
        self._connections = connections or StoredConnections(settings)
        self._reader = Reader(settings)
        self._plans = Plans(self._reader.definition, compile_document, UserActions(settings, self._is_registered))
        self._waiters: dict[str, list[Future[RunStatus]]] = {}
        self._lock = threading.Lock()
        self._ready: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event
        self._drain_seconds = 0.0
        self._thread = threading.Thread(target=self._main, name="canvas-engine", daemon=True)
        self._lease_kept_at = time.monotonic()
        self._is_looking = False
        self._has_room = False

    def start(self) -> None:
        """Start; returns once it has taken over what others left and takes new runs.

        Raises:
            Exception: whatever kept it from starting.
        """
        self._thread.start()
        self._ready.result(START_SECONDS)

    def stop(self, drain_seconds: float = 5.0) -> None:
        """Stop: start nothing new, give actions in flight so long to end, write what is known."""
        if self._thread.is_alive():
            self._drain_seconds = drain_seconds
            with contextlib.suppress(RuntimeError):  # the loop may have ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def nudge(self) -> None:
        """Look at the database now; any thread may ask."""
        self._loop.call_soon_threadsafe(self._look)

    def wait(self, run_id: str, timeout: float = 30.0) -> RunStatus:
        """Wait for a run to end, whoever executes it.

        Raises:
            TimeoutError: it has not ended after so many seconds.
        """
        future: Future[RunStatus] = Future()
        with self._lock:
            self._waiters.setdefault(run_id, []).append(future)
        deadline = time.monotonic() + timeout
        try:
            while True:
                status = self._reader.status(run_id)
                if status is not None and status.is_terminal:
                    return status
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"Run {run_id} is {status} after {timeout:g} s.")
                with contextlib.suppress(TimeoutError):
                    return future.result(min(left, POLL_SECONDS))
        finally:
            with self._lock:
                self._waiters[run_id].remove(future)
                if not self._waiters[run_id]:
                    del self._waiters[run_id]

    # the engine's thread

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._ready.done():
                _log.critical("The engine ended.", exc_info=True)
            else:
                self._ready.set_exception(error)

    def _actions(self) -> Mapping[str, Any]:
        return registered_actions() if self._registry is None else self._registry

    def _is_registered(self, name: str) -> bool:
        return name in self._actions() or name.startswith(("mcp.", "tool/"))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        bell = Doorbell()
        client = guarded_client(self._settings)
        actions = KnownActions(self._actions(), self._settings)
        writer = Writer(self._connect, self._on_written)
        dispatcher = EmbeddedDispatcher(self._settings.engine_concurrency)
        children = Children(self._reader, self._plans)
        self._conductor = conductor = Conductor(
            self.id,
            writer=writer,
            dispatcher=dispatcher,
            children=children,
            on_ended=self._on_ended,
            on_written=self._after_commit,
            on_wished=self._look_soon,
        )
        conductor.executor = Executor(actions, client, self._connections, self._settings, conductor.report)
        dispatcher.start(conductor.executor.execute)
        self._claims = Claims(
            conductor,
            reader=self._reader,
            plans=self._plans,
            children=children,
            actions=actions,
            settings=self._settings,
        )
        self._writer = writer
        writer.start()
        await self._register(bell.port)
        self._claims.recover()
        self._loop.add_reader(bell.fileno(), self._on_ring, bell)
        tasks = [asyncio.create_task(self._poll()), asyncio.create_task(self._reap())]
        heart = threading.Event()
        beat = threading.Thread(target=self._beat, args=(heart,), name="canvas-heartbeat", daemon=True)
        beat.start()
        self._look()
        self._ready.set_result(None)
        await self._stopping.wait()
        self._loop.remove_reader(bell.fileno())
        for task in tasks:
            task.cancel()
        conductor.is_suspended = True
        await dispatcher.stop(self._drain_seconds)
        await self._settle()
        heart.set()
        writer.submit(Unit([(sql.DROP_WORKER, [(self.id,)])]))
        await asyncio.to_thread(writer.close)
        await asyncio.to_thread(beat.join)
        await actions.close()
        await client.aclose()
        bell.close()

    async def _register(self, port: int) -> None:
        now, me = utc_now(), this_process()
        done = self._loop.create_future()
        row = (
            self.id,
            "engine",
            me.host,
            me.boot_id,
            me.pid,
            me.process_started,
            port,
            self._lease_text(),
            moment_text(now),
        )
        self._registered = done
        self._writer.submit(Unit([(sql.INSERT_WORKER, [row])]))
        await done

    async def _settle(self) -> None:
        """Let what was decided be written."""
        while any(run.is_committing or run.is_scheduled for run in self._conductor.runs.values()):
            await asyncio.sleep(0.002)

    def _connect(self) -> sqlite3.Connection:
        """Open the writer's own connection, with the pragmas of all others."""
        pooled = connect(self._settings).raw_connection()
        raw = pooled.driver_connection
        pooled.detach()  # it is the writer's for good
        if not isinstance(raw, sqlite3.Connection):
            raise DefectError("The database connection is not SQLite's.")
        raw.execute("PRAGMA busy_timeout = 250")
        return raw

    def _on_written(self, units: list[Unit]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._conductor_written, units)

    def _conductor_written(self, units: list[Unit]) -> None:
        if any(unit.tag == _HEARTBEAT for unit in units):
            self._lease_kept_at = time.monotonic()
        if not self._registered.done():
            self._registered.set_result(None)
        self._conductor.written(units)

    def _after_commit(self) -> None:
        if self._has_room:
            self._has_room = False
            self._claims.claim_more()

    def _on_ended(self, run: ActiveRun, status: RunStatus) -> None:
        with self._lock:
            waiters = list(self._waiters.get(run.id, ()))
        for future in waiters:
            if not future.done():
                future.set_result(status)
        self._has_room = True
        if run.reply_port is not None:
            tell_ended(run.reply_port, run.id)
        if run.parent_run_id is not None:
            self._look_soon()

    # looking at the database

    def _on_ring(self, bell: Doorbell) -> None:
        bell.hush()
        self._look_soon()

    def _look_soon(self) -> None:
        """Look once the loop has a moment, however often it was asked."""
        if not self._is_looking:
            self._is_looking = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        self._is_looking = False
        if self._stopping.is_set():
            return
        self._claims.claim()
        self._claims.pass_on_wishes()
        self._claims.check_due()

    async def _poll(self) -> None:
        while True:
            pause, next_start = POLL_SECONDS, self._claims.next_start()
            if next_start is not None:
                pause = min(pause, max(0.0, (next_start - utc_now()).total_seconds()))
            await asyncio.sleep(pause)
            self._look()
            self._claims.check_deadlines()
            self._conductor.make_room()
            self._conductor.suspend(self._is_lease_in_danger())

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(REAP_SECONDS)
            self._claims.recover()
            for worker in self._claims.forgotten_workers():
                self._writer.submit(Unit([(sql.DROP_WORKER, [(worker,)])]))

    # the lease

    def _lease_text(self) -> str:
        return moment_text(utc_now() + timedelta(seconds=self._settings.lease_seconds))

    def _is_lease_in_danger(self) -> bool:
        """Tell whether the lease could not be kept for so long that others may soon take the runs."""
        return time.monotonic() - self._lease_kept_at > self._settings.lease_seconds * 2 / 3

    def _beat(self, done: threading.Event) -> None:
        """Keep the lease, from a thread of its own: an action that blocks the loop must not lose it."""
        while not done.wait(self._settings.heartbeat_seconds):
            self._writer.submit(Unit([(sql.KEEP_LEASE, [(self._lease_text(), self.id)])], tag=_HEARTBEAT))


def run_engine(settings: Settings) -> None:
    """Run an engine until SIGTERM or SIGINT asks it to stop. Blocks; for the main thread of a process of its own."""
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    engine = Engine(settings)
    engine.start()
    done.wait()
    engine.stop()
