"""A definition to plain data in canonical form: fixed order of keys, nothing that goes without saying."""

from typing import Any

from canvas.domain.definition import SCHEMA_ID, Definition, Layout, walk
from canvas.domain.dsl.grammar import STEP_KEYS, STEPS, TOP
from canvas.domain.dsl.kinds import ListOf
from canvas.domain.dsl.special_kinds import DependencyKind
from canvas.domain.states import StepType
from canvas.domain.steps import Dependency, Scope, Step

_DEPENDENCIES = ListOf(DependencyKind())


def write_definition(definition: Definition, layout: Layout | None = None, *, explicit: bool = False) -> dict[str, Any]:
    """Write the whole document.

    Args:
        definition: What to write.
        layout: Where the steps lie; places of steps that are not there are left out.
        explicit: Write `depends_on` on every step, as editing needs it.
    """
    document = {"dsl": SCHEMA_ID, **TOP.write(definition)}
    if definition.scope.steps:
        document["steps"] = _scope(definition.scope, at_once=False, explicit=explicit)
    if layout:
        document["layout"] = _layout(definition, layout)
    return document


def write_step(step: Step, implied: tuple[Dependency, ...] | None = None) -> dict[str, Any]:
    """Write one step without the steps inside it.

    Args:
        step: What to write.
        implied: What it would depend on if it said nothing, which is then left out; None to say it always.
    """
    written = STEPS[step.type].write(step)
    if step.depends_on == implied:
        written.pop("depends_on", None)
    else:
        written["depends_on"] = _DEPENDENCIES.write(step.depends_on)
    return {key: written[key] for key in STEP_KEYS[step.type] if key in written}


def _scope(scope: Scope, *, at_once: bool, explicit: bool) -> list[dict[str, Any]]:
    written = []
    before: str | None = None
    for step in scope.steps:
        implied = () if before is None or at_once else (Dependency(before),)
        one = write_step(step, None if explicit else implied)
        if step.scope is not None:
            one["steps"] = _scope(step.scope, at_once=step.type is StepType.PARALLEL, explicit=explicit)
        written.append(one)
        before = step.name
    return written


def _layout(definition: Definition, layout: Layout) -> dict[str, list[float]]:
    names = (placed.step.name for placed in walk(definition.scope))
    return {name: [_whole(part) for part in layout[name]] for name in names if name in layout}


def _whole(number: float) -> float:
    return int(number) if float(number).is_integer() else round(number, 2)
