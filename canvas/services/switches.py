"""Whether a trigger is on: what its definition says, and what a person says against it, kept apart."""

from collections.abc import Iterable
from datetime import datetime

from models.trigger import TriggerRow


def switch(row: TriggerRow, *, enabled: bool) -> None:
    """Let a person switch a trigger on or off; publishing leaves it like that."""
    row.switched = None if enabled and row.is_declared_on else enabled
    row.enabled = enabled


def declare(row: TriggerRow, *, enabled: bool) -> None:
    """Take what a definition says; a person who said otherwise is still right."""
    row.is_declared_on = enabled
    if enabled and row.switched:
        row.switched = None
    row.enabled = enabled if row.switched is None else row.switched
    row.retired_at = None


def put(row: TriggerRow, *, enabled: bool) -> None:
    """Take what a person who keeps a trigger by hand says."""
    row.is_declared_on, row.switched, row.enabled = enabled, None, enabled


def retire(row: TriggerRow, *, now: datetime) -> None:
    """Let a trigger rest that no published version has any more; its switch and its secret stay."""
    row.enabled = False
    row.retired_at = row.retired_at or now


def is_left_off(rows: Iterable[TriggerRow]) -> bool:
    """Tell whether a person had switched off one of these triggers, which something else takes the place of."""
    return any(row.switched is False and row.retired_at is None for row in rows)
