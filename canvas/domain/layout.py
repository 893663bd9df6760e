"""Where steps lie when nobody has placed them: layers from left to right, branches kept apart, containers as frames.

The longest path gives each step its layer, barycentre sweeps put a layer in order (Sugiyama, Tagawa and Toda, 1981),
and each step is then drawn towards the middle of what it depends on. The same document always gives the same picture.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from canvas.domain.documents import is_container, scope_dependencies, steps_of
from canvas.domain.states import Branch, StepType

STEP_WIDTH, STEP_HEIGHT = 220.0, 64.0
CASE_HEIGHT, CASES_MARGIN = 22.0, 20.0
"A switch grows with its cases, each a way out of its own; DEFAULT is one more."
COLUMN_GAP, ROW_GAP = 80.0, 46.0
PADDING, HEADER = 20.0, 50.0
"Inside a container: around its steps, and above them."
GRID = 10.0
_SWEEPS = 4
_LONGEST_BEND = 8
"An edge over more layers than this is left to run straight."

_BRANCH_ORDER = {
    Branch.IF_TRUE: 0,
    Branch.SWITCH_CASE: 1,
    Branch.SUCCESS: 2,
    Branch.ALWAYS: 3,
    Branch.DEFAULT: 4,
    Branch.IF_FALSE: 5,
}
_LAST_BRANCH = 6

Position = tuple[float, float]
Size = tuple[float, float]


def arrange(document: Mapping[str, Any]) -> dict[str, Position]:
    """Place every step of a document, at any depth.

    Returns:
        Name to (x, y) of its upper left corner in pixels, a multiple of 10, relative to the container it is in; the
        top level starts at (0, 0), the inside of a container below its header.
    """
    places: dict[str, Position] = {}
    _arrange_inside(document, places, (0.0, 0.0))
    return places


def container_sizes(document: Mapping[str, Any], places: Mapping[str, Sequence[float]]) -> dict[str, Size]:
    """Measure each container so that it holds its steps where they lie.

    Returns:
        Name of a container to (width, height) in pixels.
    """
    sizes: dict[str, Size] = {}
    for step in steps_of(document):
        _measure(step, places, sizes)
    return sizes


def step_height(step: Mapping[str, Any]) -> float:
    """Tell how high the card of a step is, in pixels: a switch with many cases is higher than the rest."""
    cases = step.get("cases") if step.get("type") == StepType.SWITCH else None
    ways = len(cases) + 1 if isinstance(cases, list) else 1
    return max(STEP_HEIGHT, CASES_MARGIN + CASE_HEIGHT * ways)


def _measure(step: Mapping[str, Any], places: Mapping[str, Sequence[float]], sizes: dict[str, Size]) -> Size:
    if not is_container(step):
        return STEP_WIDTH, step_height(step)
    right, bottom = STEP_WIDTH, HEADER
    for inner in steps_of(step):
        width, height = _measure(inner, places, sizes)
        x, y = places.get(inner["name"], (PADDING, HEADER))
        right, bottom = max(right, x + width), max(bottom, y + height)
    sizes[step["name"]] = (right + PADDING, bottom + PADDING)
    return sizes[step["name"]]


def _arrange_inside(holder: Mapping[str, Any], places: dict[str, Position], origin: Position) -> Size:
    sizes = {}
    for step in steps_of(holder):
        sizes[step["name"]] = STEP_WIDTH, step_height(step)
        if is_container(step):
            sizes[step["name"]] = _arrange_inside(step, places, (PADDING, HEADER))
    graph = _Graph.of(scope_dependencies(holder), sizes)
    return graph.place(places, origin)


@dataclass(slots=True)
class _Graph:
    """One scope being laid out. Nodes are step names, or numbers for the bends of long edges."""

    sizes: dict[Any, Size]
    sources: dict[Any, list[tuple[Any, float]]]
    "Node to (source, how far down the source's handles the edge starts, from 0 to 1)."
    targets: dict[Any, list[Any]] = field(default_factory=lambda: defaultdict(list))
    layer: dict[Any, int] = field(default_factory=dict)
    columns: list[list[Any]] = field(default_factory=list)

    @classmethod
    def of(cls, depends: Mapping[str, list[dict[str, Any]]], sizes: dict[Any, Size]) -> "_Graph":
        sources = {
            name: [(d["step"], _rank(d)) for d in wanted if d["step"] in depends] for name, wanted in depends.items()
        }
        graph = cls(sizes, sources)
        graph._set_layers()
        graph._bend_long_edges()
        for node, wanted in graph.sources.items():
            for source, _ in wanted:
                graph.targets[source].append(node)
        graph._order()
        return graph

    def _set_layers(self) -> None:
        """Give each node one more than its deepest source; an edge that closes a circle is left out."""
        for root in list(self.sources):
            stack, opened = [root], set()
            while stack:
                node = stack[-1]
                if node in self.layer:
                    stack.pop()
                    continue
                waits = [s for s, _ in self.sources[node] if s not in self.layer and s not in opened and s != node]
                opened.add(node)
                if waits:
                    stack.extend(waits)
                    continue
                self.sources[node] = [(s, r) for s, r in self.sources[node] if s in self.layer]
                self.layer[node] = max((self.layer[s] + 1 for s, _ in self.sources[node]), default=0)
                stack.pop()

    def _bend_long_edges(self) -> None:
        bends = 0
        for node in list(self.sources):
            for place, (source, rank) in enumerate(self.sources[node]):
                span = self.layer[node] - self.layer[source]
                if not 1 < span <= _LONGEST_BEND:
                    continue
                for step in range(1, span):
                    bends += 1
                    self.sizes[bends] = (0.0, GRID)
                    self.layer[bends] = self.layer[source] + step
                    self.sources[bends] = [(source if step == 1 else bends - 1, rank if step == 1 else 0.5)]
                self.sources[node][place] = (bends, 0.5)

    def _order(self) -> None:
        self.columns = [[] for _ in range(max(self.layer.values(), default=-1) + 1)]
        for node in self.sources:
            self.columns[self.layer[node]].append(node)
        rank: dict[Any, float] = {}
        for _ in range(_SWEEPS):
            for column in self.columns:
                self._sort(
                    column, rank, {node: [rank[s] + r for s, r in self.sources[node] if s in rank] for node in column}
                )
            for column in reversed(self.columns[:-1]):
                self._sort(column, rank, {node: [rank[t] for t in self.targets[node]] for node in column})
        for column in self.columns[1:]:
            self._sort(column, rank, {node: [rank[s] + r for s, r in self.sources[node]] for node in column})

    def _sort(self, column: list[Any], rank: dict[Any, float], pulls: Mapping[Any, list[float]]) -> None:
        middle = {
            node: sum(p) / len(p) if (p := pulls[node]) else rank.get(node, float(i)) for i, node in enumerate(column)
        }
        column.sort(key=middle.__getitem__)
        rank.update({node: float(i) for i, node in enumerate(column)})

    def place(self, places: dict[str, Position], origin: Position) -> Size:
        centre: dict[Any, float] = {}
        for column in self.columns:
            self._stack(column, centre)
        top = min((centre[n] - self.sizes[n][1] / 2 for n in centre), default=0.0)
        x, bottom = origin[0], origin[1]
        for column in self.columns:
            for node in column:
                y = _snap(origin[1] + centre[node] - self.sizes[node][1] / 2 - top)
                bottom = max(bottom, y + self.sizes[node][1])
                if isinstance(node, str):
                    places[node] = (x, y)
            x = _snap(x + max(self.sizes[node][0] for node in column) + COLUMN_GAP)
        right = max(x - COLUMN_GAP, origin[0] + STEP_WIDTH - 2 * PADDING)
        return right + PADDING, bottom + PADDING

    def _stack(self, column: list[Any], centre: dict[Any, float]) -> None:
        """Put a column's nodes one below the other, as near as can be to the middle of their sources."""
        wish, at, previous = [], [], None
        for node in column:
            pulls = [centre[source] for source, _ in self.sources[node]]
            wish.append(sum(pulls) / len(pulls) if pulls else 0.0)
            half = self.sizes[node][1] / 2
            at.append(wish[-1] if previous is None else max(wish[-1], previous + half + ROW_GAP))
            previous = at[-1] + half
        shift = sum(w - a for w, a in zip(wish, at, strict=True)) / max(len(column), 1)
        centre.update({node: y + shift for node, y in zip(column, at, strict=True)})


def _rank(dependency: Mapping[str, Any]) -> float:
    return (_BRANCH_ORDER.get(dependency["branch"], _LAST_BRANCH) + 0.5) / (_LAST_BRANCH + 1)


def _snap(value: float) -> float:
    return round(value / GRID) * GRID
