"""The steps of an Orb workflow as a tree, whether branches are nested or point to their parent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from canvas.domain.importers.imported import first_of, list_of, number_of, snake_keys, text_of
from canvas.domain.problems import Report, child

_KINDS = {
    "IF_TRUE": "IF_TRUE",
    "TRUE": "IF_TRUE",
    "THEN": "IF_TRUE",
    "IF_FALSE": "IF_FALSE",
    "FALSE": "IF_FALSE",
    "ELSE": "IF_FALSE",
    "SWITCH_CASE": "SWITCH_CASE",
    "CASE": "SWITCH_CASE",
    "DEFAULT": "DEFAULT",
}
_BRANCH_KEYS = {
    "if_true": "IF_TRUE", "true_branch": "IF_TRUE", "true_steps": "IF_TRUE", "then": "IF_TRUE",
    "if_false": "IF_FALSE", "false_branch": "IF_FALSE", "false_steps": "IF_FALSE", "else": "IF_FALSE",
}  # fmt: skip


@dataclass(slots=True)
class Branch:
    """Steps behind one way out of a step; `kind` is empty for the inside of a loop."""

    kind: str
    condition: Any
    value: Any
    at: str
    nodes: list["Node"] = field(default_factory=list)


@dataclass(slots=True)
class Node:
    """One step with its keys in snake case, its pointer, and the branches it holds."""

    source: dict[str, Any]
    at: str
    branches: list[Branch] = field(default_factory=list)

    @property
    def sequence(self) -> float | None:
        """Its place in its row; steps of one number stand beside each other."""
        return number_of(first_of(self.source, "sequence", "order", "position"))

    @property
    def ids(self) -> list[str]:
        """What other steps and expressions may call it, the surest first."""
        keys = [self.source.get(key) for key in ("id", "step_id", "key", "name", "title")]
        return [str(key) for key in keys if isinstance(key, str | int) and not isinstance(key, bool) and str(key)]

    @property
    def config(self) -> dict[str, Any]:
        """The step's configuration, keys in snake case."""
        config = first_of(self.source, "config", "configuration")
        return snake_keys(config) if isinstance(config, dict) else {}


def read_tree(steps: list[Any], at: str, report: Report) -> list[Node]:
    """Read the steps of one row, and what they hold, in the order they run in."""
    nodes = []
    for index, step in enumerate(steps):
        here = f"{at}/{index}"
        if isinstance(step, dict):
            nodes.append(_node(step, here, report))
        else:
            report.error("not_a_step", here, "A step is a mapping; this is left out.")
    return _ordered(_adopted(nodes))


def _node(step: Mapping[str, Any], at: str, report: Report) -> Node:
    node = Node(snake_keys(step), at)
    given = node.source.get("branches")
    if isinstance(given, dict):
        given = [{"branch_type": kind, "steps": steps} for kind, steps in given.items()]
    for index, branch in enumerate(list_of(given)):
        if isinstance(branch, dict):
            node.branches.append(_branch(snake_keys(branch), f"{child(at, 'branches')}/{index}", report))
    for key, kind in _BRANCH_KEYS.items():
        if isinstance(node.source.get(key), list):
            here = child(at, key)
            node.branches.append(Branch(kind, None, None, here, read_tree(node.source[key], here, report)))
    for key in ("steps", "children"):
        if isinstance(node.source.get(key), list):
            for inner in read_tree(node.source[key], child(at, key), report):
                _adopt(node, inner)
    return node


def _branch(branch: dict[str, Any], at: str, report: Report) -> Branch:
    steps = branch["steps"] if isinstance(branch.get("steps"), list) else []
    condition = first_of(branch, "branch_condition", "condition")
    value = first_of(branch, "value", "case", "case_value")
    return Branch(_kind(branch), condition, value, at, read_tree(steps, child(at, "steps"), report))


def _kind(source: Mapping[str, Any]) -> str:
    word = text_of(first_of(source, "branch_type", "type", "kind")).upper()
    return _KINDS.get(word, "")


def _adopted(nodes: list[Node]) -> list[Node]:
    """Move steps that name their parent into that parent's branches."""
    known = {key: node for node in reversed(nodes) for key in node.ids}
    left = []
    for node in nodes:
        parent = known.get(str(first_of(node.source, "parent_step_id", "parent_id", "parent") or ""))
        if parent is None or parent is node or _is_inside(parent, node):
            left.append(node)
        else:
            _adopt(parent, node)
    for node in nodes:
        for branch in node.branches:
            branch.nodes = _ordered(branch.nodes)
    return left


def _is_inside(node: Node, other: Node) -> bool:
    return any(inner is node or _is_inside(node, inner) for branch in other.branches for inner in branch.nodes)


def _adopt(parent: Node, node: Node) -> None:
    word = text_of(node.source.get("branch_type")).upper()
    kind, condition = _KINDS.get(word, ""), node.source.get("branch_condition")
    for branch in parent.branches:
        if branch.kind == kind and (kind != "SWITCH_CASE" or branch.condition == condition):
            branch.nodes.append(node)
            return
    parent.branches.append(Branch(kind, condition, None, node.at, [node]))


def _ordered(nodes: list[Node]) -> list[Node]:
    """By sequence where every step has one, and behind the steps of the row that each depends on."""
    if all(node.sequence is not None for node in nodes):
        nodes = sorted(nodes, key=lambda node: node.sequence or 0)
    known = {key: index for index, node in reversed(list(enumerate(nodes))) for key in node.ids}
    needs = [
        {known[word] for word in dependency_words(node) if word in known} - {index} for index, node in enumerate(nodes)
    ]
    return [nodes[index] for index in _in_order(needs)]


def _in_order(needs: list[set[int]]) -> list[int]:
    """Number by number, each behind those it needs; a circle is broken at its first."""
    waiting: dict[int, list[int]] = {}
    for index, some in enumerate(needs):
        for need in some:
            waiting.setdefault(need, []).append(index)
    missing = [len(some) for some in needs]
    ready = [index for index, count in enumerate(missing) if not count]
    left = dict.fromkeys(range(len(needs)))
    ordered = []
    while left:
        index = heappop(ready) if ready else next(iter(left))
        if index not in left:
            continue
        del left[index]
        ordered.append(index)
        for follower in waiting.get(index, []):
            missing[follower] -= 1
            if not missing[follower]:
                heappush(ready, follower)
    return ordered


def dependency_words(node: Node) -> list[str]:
    """List what a step says it depends on: ids or names."""
    words = []
    for item in list_of(first_of(node.source, "dependencies", "depends_on")):
        if isinstance(item, dict):
            item = first_of(snake_keys(item), "step_id", "step", "id", "name")
        if isinstance(item, str | int) and not isinstance(item, bool):
            words.append(str(item))
    return words
