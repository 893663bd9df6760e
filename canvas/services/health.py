"""Whether work gets done."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from canvas.db import reading
from canvas.services import migrations
from canvas.settings import Settings
from models import Worker


@dataclass(frozen=True, slots=True)
class Readiness:
    """What there is and what is missing."""

    is_ready: bool
    database: str
    "`ok`, `outdated` or `unreachable`"
    engines: int
    "Engine processes with a valid lease."


def readiness(settings: Settings) -> Readiness:
    """Look whether the database answers and is at the newest revision, and count the engine processes."""
    try:
        is_current = migrations.current(settings) == migrations.revisions()[-1]
        engines = _engines(settings) if is_current else 0
    except SQLAlchemyError:
        return Readiness(False, "unreachable", 0)
    return Readiness(is_current and engines > 0, "ok" if is_current else "outdated", engines)


def _engines(settings: Settings) -> int:
    now = datetime.now(UTC)
    alive = select(sa.func.count()).where(Worker.kind == "engine", col(Worker.lease_until) > now)
    with reading(settings) as session:
        return session.exec(alive).one()
