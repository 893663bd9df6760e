"""What an action gets besides its arguments, and how it says that it failed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from canvas.domain.errors import CanvasError
from canvas.domain.states import LogLevel


class ActionFailed(CanvasError):
    """The action could not do what it was asked to.

    Whoever raises it says what should follow: `retryable` failures are tried again within the step's retry policy,
    after `retry_in` seconds when that is given and longer than the policy's own pause. `details` become part of the
    step's error, so they must never hold a secret.
    """

    code = "action_failed"

    def __init__(
        self, message: str | None = None, *, retryable: bool = False, retry_in: float | None = None, **details: object
    ) -> None:
        super().__init__(message, retryable=retryable, retry_in=retry_in, **details)
        self.retryable = retryable
        self.retry_in = retry_in


@dataclass(frozen=True, slots=True)
class Line:
    """One line for the run's log."""

    level: LogLevel
    message: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification to the people who use Canvas."""

    title: str
    body: str
    level: LogLevel
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionContext:
    """The attempt an action works for.

    Lines and notices are collected here; the engine commits them in the same transaction as the end of the attempt, so
    that they exist exactly when the attempt has ended.
    """

    run_id: str
    path: str
    attempt: int
    idempotency_key: str
    "The same for every attempt of this step in this run; send it along where the other side understands it."
    http: httpx.AsyncClient
    "Guarded, see `canvas.actions.guard`; the only way out."
    deadline: datetime | None = None
    "When the engine gives up on this attempt; None has no limit."
    lines: list[Line] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def log(self, level: LogLevel, message: str, /, **data: Any) -> None:
        """Add a line to the run's log."""
        self.lines.append(Line(level, message, data))

    def notify(self, title: str, body: str = "", level: LogLevel = LogLevel.INFO, link: str = "") -> None:
        """Tell people something; without a link the notification leads to the run."""
        self.notices.append(Notice(title, body, level, link))
