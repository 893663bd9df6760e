"""Where a registration goes: to what belongs to Canvas, or to the plug-in that is being loaded."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Collected:
    """What one plug-in registered while it was loaded."""

    actions: dict[str, Any] = field(default_factory=dict)
    kinds: dict[str, Any] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)
    "Names that it registered more than once."

    def add(self, among: dict[str, Any], name: str, registered: Any) -> None:
        """Keep a registration; the first of a name stays."""
        if name in among:
            self.twice.append(name)
        among.setdefault(name, registered)


being_loaded: ContextVar[Collected | None] = ContextVar("being_loaded", default=None)
"""The plug-in whose code is running; None outside of loading one."""
