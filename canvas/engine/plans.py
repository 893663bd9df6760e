"""Versions prepared for running, the latest used kept in memory. A version never changes."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from canvas.domain.decider import Plan, prepare
from canvas.domain.definition import Definition
from canvas.domain.errors import DefectError

KEPT = 256
Compile = Callable[[Mapping[str, Any]], Definition]


class Plans:
    """Prepares each version once."""

    def __init__(self, read: Callable[[str], Mapping[str, Any]], compile_document: Compile) -> None:
        self._read = read
        self._compile = compile_document
        self._plans: OrderedDict[str, Plan] = OrderedDict()

    def get(self, version_id: str) -> Plan:
        """Give the plan of a version.

        Raises:
            DefectError: its document cannot be read any more.
        """
        plan = self._plans.get(version_id)
        if plan is None:
            plan = self._plans[version_id] = prepare(self._compile(self._read(version_id)))
            if len(self._plans) > KEPT:
                self._plans.popitem(last=False)
        else:
            self._plans.move_to_end(version_id)
        return plan


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
