"""What is forgotten in the course of time, so that tables do not grow for ever."""

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col

from canvas.services.backfill import prune_fires
from canvas.services.deliveries import prune_deliveries
from canvas.services.events import prune_events
from models import EventSubscription, Schedule, Webhook

RESTING_KEPT: Final = timedelta(days=90)
"How long a trigger that no published version has any more is remembered, with its switch and its secret."


def prune_triggers(session: Session, *, now: datetime) -> int:
    """Forget old due times, deliveries, events and resting triggers; gives how many rows went."""
    gone = prune_fires(session, now=now) + prune_deliveries(session, now=now) + prune_events(session, now=now)
    tables: tuple[Any, ...] = (Schedule, Webhook, EventSubscription)
    for table in tables:
        resting = sa.delete(table).where(col(table.retired_at) < now - RESTING_KEPT)
        gone += int(getattr(session.execute(resting), "rowcount", 0))
    return gone
