"""A sequence with jumps as a graph of dependencies: who leads to whom by which branch, and what cannot be said so."""

from dataclasses import dataclass, field
from typing import Any

Edge = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Jump:
    """One way from a step to another."""

    source: str
    branch: str
    target: str
    pointer: str
    "Where the source document says so."


@dataclass(slots=True)
class Flow:
    """The steps of one scope in their order, where it begins, and the jumps between them."""

    order: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    "The steps that start with the scope."
    jumps: list[Jump] = field(default_factory=list)

    def backward(self) -> list[Jump]:
        """Find the jumps that close a circle; without them the graph has none."""
        ways = self._ways()
        state: dict[str, bool] = {}
        found: list[Jump] = []
        for start in [*self.entries, *self.order]:
            if start not in state:
                _walk(start, ways, state, found)
        return found

    def without(self, dropped: list[Jump]) -> None:
        """Forget some jumps."""
        gone = {id(jump) for jump in dropped}
        self.jumps = [jump for jump in self.jumps if id(jump) not in gone]

    def reachable(self) -> set[str]:
        """Name the steps that something leads to, or that start with the scope."""
        ways, waiting = self._ways(), list(self.entries)
        found = set(waiting)
        while waiting:
            for jump in ways.get(waiting.pop(), []):
                if jump.target not in found:
                    found.add(jump.target)
                    waiting.append(jump.target)
        return found

    def dependencies(self) -> dict[str, list[Any]]:
        """List what each step depends on, in canonical form."""
        branches: dict[str, dict[str, list[str]]] = {name: {} for name in self.order}
        for jump in self.jumps:
            into = branches[jump.target].setdefault(jump.source, [])
            if jump.branch not in into:
                into.append(jump.branch)
        return {
            name: [_dependency(source, branch) for source, some in sources.items() for branch in _merged(some)]
            for name, sources in branches.items()
        }

    def _ways(self) -> dict[str, list[Jump]]:
        ways: dict[str, list[Jump]] = {}
        for jump in self.jumps:
            ways.setdefault(jump.source, []).append(jump)
        return ways


def _walk(start: str, ways: dict[str, list[Jump]], state: dict[str, bool], found: list[Jump]) -> None:
    """Depth first without recursion; `state` is True while a step is on the way, False when it is done with."""
    state[start] = True
    path = [(start, iter(ways.get(start, [])))]
    while path:
        name, left = path[-1]
        jump = next(left, None)
        if jump is None:
            state[name] = False
            path.pop()
        elif state.get(jump.target):
            found.append(jump)
        elif jump.target not in state:
            state[jump.target] = True
            path.append((jump.target, iter(ways.get(jump.target, []))))


def _merged(branches: list[str]) -> list[str]:
    if "IF_TRUE" in branches and "IF_FALSE" in branches:
        branches = ["SUCCESS", *(branch for branch in branches if branch not in ("IF_TRUE", "IF_FALSE", "SUCCESS"))]
    if "SUCCESS" in branches and "FAILURE" in branches:
        return ["ALWAYS"]
    return branches


def _dependency(source: str, branch: str) -> Any:
    return source if branch == "SUCCESS" else {"step": source, "branch": branch}
