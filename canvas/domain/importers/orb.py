"""Workflows in the shape of Orb: steps in a sequence, each with branches that hold further steps."""

from collections.abc import Mapping
from typing import Any

from canvas.domain.dsl.grammar import STEP_KEYS
from canvas.domain.importers.fields import declare_parameters, read_outputs, read_parameters, read_top
from canvas.domain.importers.foreign_actions import FOREIGN_ACTIONS
from canvas.domain.importers.imported import (
    Imported,
    first_of,
    snake_keys,
    text_of,
    without_nothing,
)
from canvas.domain.importers.naming import Names, slug
from canvas.domain.importers.orb_arguments import places_of
from canvas.domain.importers.orb_steps import OrbReader, is_loop, is_trigger, kind_of
from canvas.domain.importers.orb_tree import Node, dependency_words, read_tree
from canvas.domain.importers.orb_triggers import read_triggers
from canvas.domain.importers.rewriting import Rewriter
from canvas.domain.problems import Report
from canvas.domain.states import StepType

_PREFIXES = {
    ("trigger_data",): "trigger.data",
    ("triggerData",): "trigger.data",
    ("trigger", "payload"): "trigger.data",
    ("variables",): "workflow.parameters",
    ("input",): "workflow.parameters",
    ("parameters",): "workflow.parameters",
}
_IGNORED = (
    "id", "workflow_id", "tenant_id", "organization_id", "created_by", "created_by_id", "created_at", "updated_at",
    "published_at", "is_published", "schema_version", "dsl_version",
)  # fmt: skip
_READ = ("triggers", "schedules", "webhooks", "event_subscriptions", "variables", "inputs")

Needs = list[Any]


def import_orb(source: Mapping[str, Any]) -> Imported:
    """Say an Orb workflow, a mapping with a list of `steps`, in canonical form."""
    return _Workflow(source).imported()


class _Workflow:
    def __init__(self, source: Mapping[str, Any]) -> None:
        self._source = snake_keys(source)
        self._report = Report()
        self._tree = read_tree(self._source["steps"], "/steps", self._report)
        self._names = Names()
        self._claimed: dict[str, str] = {}
        self._ends: dict[str, Needs] = {}
        self._by_word: dict[str, Node] = {}
        self._around: set[str] = set()
        self._triggers: list[Node] = []
        self._prefixes = dict(_PREFIXES)
        self._claim_all(self._tree)
        self._rewriter = Rewriter(self._names.renamed, self._prefixes)
        self._reader = OrbReader(self._rewriter, self._report)

    def imported(self) -> Imported:
        document = read_top(self._source, self._report, ignored=_IGNORED, also=_READ)
        given = first_of(self._source, "parameters", "variables", "inputs")
        triggers = read_triggers(self._source, self._triggers, self._report)
        steps: list[dict[str, Any]] = []
        self._row(self._tree, [], steps)
        outputs = read_outputs(self._source.get("outputs"), self._rewriter, self._report)
        parameters = read_parameters(given, self._report)
        declare_parameters(parameters, self._rewriter.parameters, self._report)
        document.update(without_nothing({"parameters": parameters, "outputs": outputs, "triggers": triggers}))
        document["steps"] = _without_implied(steps)
        return Imported(document, self._report.problems)

    def _claim_all(self, nodes: list[Node]) -> None:
        for node in nodes:
            if is_trigger(node):
                self._triggers.append(node)
            else:
                self._claim(node)
            for word in node.ids:
                self._by_word.setdefault(word, node)
            for branch in node.branches:
                self._claim_all(branch.nodes)

    def _claim(self, node: Node) -> None:
        given = text_of(first_of(node.source, "name", "title", "label"))
        wanted = slug(given, "") or slug(next(iter(node.ids), ""), slug(kind_of(node), "step"))
        name = self._claimed[node.at] = self._names.claim(wanted, *node.ids, given)
        if name != given:
            said = f"The step `{given[:80]}`" if given else "A step without a name"
            self._report.warning("renamed", node.at, f"{said} is called `{name}` here.")
        variable = text_of(node.config.get("output_variable"))
        if variable:
            places = places_of(FOREIGN_ACTIONS.get(kind_of(node), ""), variable, name)
            self._prefixes |= places
            text = f"What was kept as `{variable[:80]}` is read from `{places[variable,]}`."
            self._report.warning("output_variable", node.at, text)

    # rows of steps

    def _row(self, nodes: list[Node], start: Needs, into: list[dict[str, Any]]) -> Needs:
        """Say steps one after the other, those of one sequence number beside each other; give the ways out."""
        nodes = _without_triggers(nodes)
        needs, ends, row = start, list[Any](), {node.at for node in nodes}
        for index, node in enumerate(nodes):
            inside, outside = self._explicit(node, row)
            ends += self._step(node, _distinct([*(inside or needs), *outside]), into, waits_for_all=bool(outside))
            if index + 1 == len(nodes) or nodes[index + 1].sequence != node.sequence or node.sequence is None:
                needs, ends = _distinct(ends), []
        return needs

    def _explicit(self, node: Node, row: set[str]) -> tuple[Needs, Needs]:
        """Find the steps that a step names as its dependencies: those of its own row, and those outside a branch."""
        inside: Needs = []
        outside: Needs = []
        for word in dependency_words(node):
            found = self._by_word.get(word)
            if found is not None and found.at in self._ends:
                (inside if found.at in row else outside).extend(self._ends[found.at])
            elif found is None or not (is_trigger(found) or found.at in self._around):
                text = f"`{word[:80]}` is no step before this one; this dependency is left out."
                self._report.warning("unknown_dependency", node.at, text)
        return inside, outside

    def _step(self, node: Node, needs: Needs, into: list[dict[str, Any]], *, waits_for_all: bool) -> Needs:
        name = self._claimed[node.at]
        step = self._reader.read(node, name)
        step["depends_on"] = needs
        if waits_for_all:
            step["join"] = {"mode": "all"}
        self._around.add(node.at)
        if is_loop(node):
            step["steps"] = self._inside(node)
        into.append(_ordered(step))
        ends = self._branches(node, step, into) if step["type"] in ("condition", "switch") else [name]
        self._ends[node.at] = ends
        return ends

    def _inside(self, node: Node) -> list[dict[str, Any]]:
        """Say what a loop holds: a scope of its own, in which everything before the loop has happened."""
        inside: list[dict[str, Any]] = []
        ends, around = self._ends, self._around
        self._ends, self._around = {}, around | ends.keys()
        self._row([held for branch in node.branches for held in branch.nodes], [], inside)
        self._ends, self._around = ends, around
        return _without_implied(inside)

    # branches

    def _branches(self, node: Node, step: dict[str, Any], into: list[dict[str, Any]]) -> Needs:
        """Say the branches of a decision; a branch that is missing or empty goes straight on."""
        name, ends = step["name"], list[Any]()
        open_ways = self._ways(step)
        if not any(branch.nodes for branch in node.branches):
            return [name]
        for branch, way in self._reader.ways(node, step):
            key = repr(way)
            open_ways.pop(key, None)
            start = [{"step": name, **way}]
            ends += self._row(branch.nodes, start, into) if branch.nodes else start
        for way in open_ways.values():
            text = f"`{name}` has no {way['branch']} branch; then what follows it goes on."
            self._report.warning("implied_branch", node.at, text)
        return _distinct([*ends, *({"step": name, **way} for way in open_ways.values())])

    def _ways(self, step: dict[str, Any]) -> dict[str, dict[str, Any]]:
        named = ("IF_TRUE", "IF_FALSE") if step["type"] == "condition" else ("DEFAULT",)
        ways = [{"branch": branch} for branch in named]
        return {repr(way): way for way in ways}


def _without_triggers(nodes: list[Node]) -> list[Node]:
    """Put what a TRIGGER holds into its place."""
    found: list[Node] = []
    for node in nodes:
        held = [inner for branch in node.branches for inner in branch.nodes]
        found += _without_triggers(held) if is_trigger(node) else [node]
    return found


def _distinct(needs: Needs) -> Needs:
    found: Needs = []
    for need in needs:
        if need not in found:
            found.append(need)
    return found


def _ordered(step: dict[str, Any]) -> dict[str, Any]:
    kept = without_nothing(step) | {"depends_on": step["depends_on"]}
    return {key: kept[key] for key in STEP_KEYS[StepType(kept["type"])] if key in kept}


def _without_implied(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out dependencies that go without saying: on the step before, and nothing for the first."""
    for before, step in zip([None, *steps], steps, strict=False):
        if step["depends_on"] == ([before["name"]] if before is not None else []):
            del step["depends_on"]
    return steps
