"""What the checks share: every step with its place, and what can have run before it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from canvas.domain.definition import Definition, Placed, walk
from canvas.domain.problems import Report
from canvas.domain.steps import ActionStep, Scope, Step


@dataclass(slots=True)
class ScopeView:
    """One scope with the order its dependencies impose. Sets of steps are bit sets over their places in the list."""

    scope: Scope
    pointer: str
    holder: Step | None
    "The container it is the inside of; None for the top level."
    outer: "ScopeView | None" = None
    places: dict[str, int] = field(default_factory=dict)
    "Name to place; of a name given twice, the first."
    sources: list[list[int]] = field(default_factory=list)
    "The places each step depends on, itself left out."
    before: list[int] = field(default_factory=list)
    "What can have run before each step; for a step in a cycle, everything."
    in_cycles: list[int] = field(default_factory=list)
    "The places that wait for each other, and those that wait for them."

    @property
    def place_in_outer(self) -> int:
        """Where the container stands in the scope around this one."""
        assert self.outer is not None and self.holder is not None
        return self.outer.places.get(self.holder.name, 0)

    def pointer_of(self, place: int) -> str:
        """Give the JSON pointer of a step."""
        return f"{self.pointer}/{place}"


@dataclass(slots=True)
class Survey:
    """A definition laid out for checking, and where the problems go."""

    definition: Definition
    report: Report
    placed: list[Placed]
    by_name: dict[str, Placed]
    "The first step of each name."
    scopes: list[ScopeView]

    def each_step(self) -> Iterator[Placed]:
        """Visit every step; problems reported meanwhile are put down to it."""
        for placed in self.placed:
            self.report.step = placed.step.name
            yield placed
        self.report.step = None


def survey(definition: Definition, report: Report) -> Survey:
    """Lay out a definition for checking; takes time in proportion to its steps and dependencies."""
    placed = list(walk(definition.scope))
    by_name: dict[str, Placed] = {}
    for one in placed:
        by_name.setdefault(one.step.name, one)
    return Survey(definition, report, placed, by_name, list(_scopes(definition.scope, "/steps", None, None)))


def is_unreadable(step: Step) -> bool:
    """Tell whether a step only keeps the place of one that could not be read."""
    return isinstance(step, ActionStep) and not step.action


def _scopes(scope: Scope, pointer: str, holder: Step | None, outer: ScopeView | None) -> Iterator[ScopeView]:
    view = ScopeView(scope, pointer, holder, outer)
    for place, step in enumerate(scope.steps):
        view.places.setdefault(step.name, place)
    for place, step in enumerate(scope.steps):
        found = {view.places[one.step] for one in step.depends_on if one.step in view.places}
        view.sources.append(sorted(found - {place}))
    _order(view)
    yield view
    for place, step in enumerate(scope.steps):
        if step.scope is not None:
            yield from _scopes(step.scope, f"{view.pointer_of(place)}/steps", step, view)


def _order(view: ScopeView) -> None:
    count = len(view.sources)
    waiting = [len(sources) for sources in view.sources]
    targets: list[list[int]] = [[] for _ in range(count)]
    for place, sources in enumerate(view.sources):
        for source in sources:
            targets[source].append(place)
    before = [0] * count
    ready = [place for place in range(count) if not waiting[place]]
    for place in ready:
        reached = before[place] | (1 << place)
        for target in targets[place]:
            before[target] |= reached
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    view.in_cycles = [place for place in range(count) if waiting[place]]
    for place in view.in_cycles:
        before[place] = (1 << count) - 1
    view.before = before
