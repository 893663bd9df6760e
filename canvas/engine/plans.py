"""Versions prepared for running, the latest used kept in memory.

A version never changes; the user-defined actions that it names may. So a plan that names some is prepared again when
one of them was changed; a run that is in memory goes on with the plan it has.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from canvas.domain.actions import UserAction
from canvas.domain.decider import Plan, prepare
from canvas.domain.definition import Definition, walk
from canvas.domain.errors import DefectError
from canvas.domain.steps import ActionStep

KEPT = 256
Compile = Callable[[Mapping[str, Any]], Definition]


class Actions(Protocol):
    """Where the user-defined actions are."""

    def among(self, names: Collection[str]) -> frozenset[str]:
        """Give those names that can be user-defined."""

    def stamp(self, names: Collection[str]) -> Any:
        """Tell in which state the actions of these names are."""

    def load(self, names: Collection[str]) -> dict[str, UserAction]:
        """Read the actions of these names."""


@dataclass(frozen=True, slots=True)
class _Kept:
    plan: Plan
    names: frozenset[str]
    "What it names that may be user-defined; mostly nothing."
    stamp: Any


class Plans:
    """Prepares each version once, and again when a user-defined action in it was changed."""

    def __init__(self, read: Callable[[str], Mapping[str, Any]], compile_document: Compile, actions: Actions) -> None:
        self._read = read
        self._compile = compile_document
        self._actions = actions
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def get(self, version_id: str) -> Plan:
        """Give the plan of a version.

        Raises:
            DefectError: its document cannot be read any more.
        """
        kept = self._kept.get(version_id)
        if kept is None:
            kept = self._prepare(self._compile(self._read(version_id)))
        elif kept.names and (self._actions.stamp(kept.names) != kept.stamp or self._is_registered_now(kept)):
            kept = self._prepare(kept.plan.definition)
        self._kept[version_id] = kept
        self._kept.move_to_end(version_id)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return kept.plan

    def _is_registered_now(self, kept: _Kept) -> bool:
        return self._actions.among(kept.names) != kept.names

    def _prepare(self, definition: Definition) -> _Kept:
        steps = (placed.step for placed in walk(definition.scope))
        names = self._actions.among({step.action for step in steps if isinstance(step, ActionStep)})
        if not names:
            return _Kept(prepare(definition), names, None)
        stamp = self._actions.stamp(names)  # before they are read: a change in between is then noticed next time
        return _Kept(prepare(definition, self._actions.load(names)), names, stamp)


def read_document(document: Mapping[str, Any]) -> Definition:
    """Read a saved version's document.

    Raises:
        DefectError: it is no definition.
    """
    from canvas.domain.dsl import from_document

    parsed = from_document(dict(document))
    if parsed.definition is None:
        raise DefectError("A saved version cannot be read any more.", problems=[str(p) for p in parsed.problems])
    return parsed.definition
