"""Calling actions: one attempt in, one outcome out, whatever the action does."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from traceback import format_exc
from typing import Any, Protocol

import httpx
import orjson

from canvas.actions.connections import Connections
from canvas.actions.context import ActionContext, Line
from canvas.actions.failures import ActionFailed
from canvas.actions.masking import Masker, masker_for
from canvas.domain.catalog import ActionSpec
from canvas.domain.decider import Completed, Failed, Outcome, Stopped
from canvas.engine.active import Record
from canvas.engine.crashpoints import reached
from canvas.engine.text import to_json
from canvas.settings import Settings

ASIDE_BYTES = 1024 * 1024
"A larger output is masked in a thread of its own, so that the others do not wait for it."
GRACE_SECONDS = 5.0
"An action that was asked to stop is given up on after that long."
_log = logging.getLogger(__name__)


class Callable_(Protocol):
    """A registered action, as far as the engine needs to know it."""

    @property
    def spec(self) -> ActionSpec:
        """What is known about it."""

    async def call(self, arguments: Mapping[str, Any], context: ActionContext) -> Any:
        """Carry it out."""

    def is_idempotent(self, arguments: Mapping[str, Any]) -> bool:
        """Tell whether such a call may be repeated."""


class Lookup(Protocol):
    """Where actions are found."""

    def get(self, name: str, /) -> Any:
        """Give the action of a name, or None."""


@dataclass(slots=True, eq=False)
class Attempt:
    """One attempt at an action step."""

    run_id: str
    path: str
    number: int
    step: str
    action: str
    arguments: Any
    timeout_seconds: float | None
    dry_run: bool
    fixtures: dict[str, Any]
    priority: int = 0
    task: "asyncio.Task[Any] | None" = None
    is_stopping: bool = False
    is_reported: bool = False
    record: Record | None = field(default=None)
    secrets: set[str] = field(default_factory=set)
    "What it opened; nothing of it may leave the attempt."

    @property
    def key(self) -> str:
        """Name it."""
        return f"{self.run_id}:{self.path}:{self.number}"


Report = Callable[[Attempt, Outcome, bytes | None], None]


class Executor:
    """Carries out attempts and reports how each ended, exactly once."""

    def __init__(
        self,
        actions: Lookup,
        client: httpx.AsyncClient,
        connections: Connections,
        settings: Settings,
        report: Report,
    ) -> None:
        self._actions = actions
        self._client = client
        self._connections = connections
        self._settings = settings
        self._report = report
        self._attempts: dict[str, Attempt] = {}

    def accept(self, attempt: Attempt) -> None:
        """Take an attempt that will be executed when the dispatcher says so."""
        self._attempts[attempt.key] = attempt

    async def execute(self, key: str) -> None:
        """Carry out an attempt. One that is unknown, or has begun, is left alone."""
        attempt = self._attempts.get(key)
        if attempt is None or attempt.task is not None:
            return
        attempt.task = asyncio.current_task()
        try:
            outcome, body = await self._outcome(attempt)
        except asyncio.CancelledError:
            if not attempt.is_stopping:
                raise  # the process is stopping; the attempt is found as lost by whoever comes next
            outcome, body = Stopped(attempt.path, attempt.number), None
        self._end(attempt, outcome, body)

    def stop(self, key: str) -> None:
        """Ask an attempt to stop; it is reported as stopped in any case, after the grace time at the latest."""
        attempt = self._attempts.get(key)
        if attempt is None:
            return
        attempt.is_stopping = True
        if attempt.task is None:
            self._end(attempt, Stopped(attempt.path, attempt.number), None)
            return
        attempt.task.cancel()
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._give_up, attempt)

    def abandon(self, run_id: str) -> None:
        """Stop and forget all attempts of a run; nobody waits for their outcome."""
        for attempt in [attempt for attempt in self._attempts.values() if attempt.run_id == run_id]:
            del self._attempts[attempt.key]
            attempt.is_stopping = True
            if attempt.task is not None:
                attempt.task.cancel()

    def _give_up(self, attempt: Attempt) -> None:
        self._end(attempt, Stopped(attempt.path, attempt.number), None)

    def _end(self, attempt: Attempt, outcome: Outcome, body: bytes | None) -> None:
        if self._attempts.pop(attempt.key, None) is not None:
            if attempt.secrets:
                outcome = _masked(attempt, outcome)
            self._report(attempt, outcome, body)

    async def _outcome(self, attempt: Attempt) -> tuple[Outcome, bytes | None]:
        try:
            async with asyncio.timeout(attempt.timeout_seconds) as limit:
                result = await self._result(attempt)
            return await self._completed(attempt, result)
        except ActionFailed as error:
            return _failed(attempt, error.code, error, retryable=error.retryable, retry_in=error.retry_in), None
        except TimeoutError as error:
            if limit.expired():
                told = f"The action took longer than timeout_seconds, {attempt.timeout_seconds:g}."
                return _failed(attempt, "timeout", told), None
            return _failed(attempt, "action_error", f"TimeoutError: {error}"), None
        except Exception as error:
            told = _masker(attempt).text(format_exc())
            _log.error("The action %s of %s raised an error of its own.\n%s", attempt.action, attempt.key, told)
            return _failed(attempt, "action_error", f"{type(error).__name__}: {error}"), None

    async def _result(self, attempt: Attempt) -> Any:
        action = self._actions.get(attempt.action)
        if attempt.dry_run and (action is None or action.spec.touches_world or attempt.step in attempt.fixtures):
            return attempt.fixtures.get(attempt.step, {} if action is None else action.spec.example_result)
        if action is None:
            raise UnknownAction(f"There is no action {attempt.action!r} here.")
        context = self._context(attempt)
        attempt.record = Record(attempt.path, attempt.number, context.lines, context.notices)
        attempt.secrets = context.secrets
        reached("action.before")
        result = await action.call(attempt.arguments, context)
        reached("action.after")
        return result

    def _context(self, attempt: Attempt) -> ActionContext:
        limit = attempt.timeout_seconds
        return ActionContext(
            run_id=attempt.run_id,
            path=attempt.path,
            attempt=attempt.number,
            idempotency_key=f"{attempt.run_id}:{attempt.path}",
            deadline=None if limit is None else datetime.now(UTC) + timedelta(seconds=limit),
            http=self._client,
            settings=self._settings,
            connections=self._connections,
        )

    async def _completed(self, attempt: Attempt, result: Any) -> tuple[Outcome, bytes | None]:
        try:
            body = to_json(result)
        except (TypeError, ValueError) as error:
            return _failed(attempt, "output_not_json", f"The action gave no JSON: {error}.", retryable=False), None
        if len(body) > self._settings.max_output_bytes:
            told = f"The output has {len(body):,} bytes; at most {self._settings.max_output_bytes:,} are kept."
            return _failed(attempt, "output_too_large", told, retryable=False), None
        if attempt.secrets:
            mask = _masker(attempt).json
            body = mask(body) if len(body) < ASIDE_BYTES else await asyncio.to_thread(mask, body)
        return Completed(attempt.path, attempt.number, orjson.loads(body)), body


def _masked(attempt: Attempt, outcome: Outcome) -> Outcome:
    """Take secrets out of what an attempt tells besides its result, which is masked as JSON."""
    masker = _masker(attempt)
    text, record = masker.text, attempt.record
    if record is not None:
        lines = [Line(line.level, text(line.message), masker.value(line.data)) for line in record.lines]
        notices = [replace(n, title=text(n.title), body=text(n.body), link=text(n.link)) for n in record.notices]
        attempt.record = replace(record, lines=lines, notices=notices)
    return replace(outcome, error=masker.value(outcome.error)) if isinstance(outcome, Failed) else outcome


def _masker(attempt: Attempt) -> Masker:
    return masker_for(frozenset(attempt.secrets))


class UnknownAction(ActionFailed):
    """There is no such action here."""

    code = "unknown_action"


def _failed(
    attempt: Attempt, code: str, told: object, *, retryable: bool = True, retry_in: float | None = None
) -> Failed:
    details = getattr(told, "details", {}) if isinstance(told, ActionFailed) else {}
    kept = {key: value for key, value in details.items() if key not in ("retryable", "retry_in")}
    error = {"code": code, "message": str(told), "retryable": retryable, **kept}
    return Failed(attempt.path, attempt.number, error, retryable, retry_in)
