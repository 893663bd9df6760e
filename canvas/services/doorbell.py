"""Telling the engine that there is something to do, once it is committed."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from canvas.engine.notify import ring

_ASKED = "ring_after_commit"


def wake_engine(session: Session) -> None:
    """Ring every engine process as soon as this session's transaction is committed; once, however often it is asked."""
    if _ASKED not in session.info:
        sa.event.listen(session, "after_commit", _ring)
    session.info[_ASKED] = True


def _ring(session: Any) -> None:
    if session.in_nested_transaction() or not session.info[_ASKED]:
        return  # only a savepoint, which nobody else sees yet; or nothing to tell
    session.info[_ASKED] = False
    engine = session.get_bind().engine.execution_options(canvas_readonly=True)
    with engine.connect() as connection:
        ring(connection)
