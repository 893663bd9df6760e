"""Templates in the shape of Archon: a list of steps with jumps, said as a graph of dependencies."""

from collections.abc import Mapping
from typing import Any

from canvas.domain.dsl.grammar import STEP_KEYS
from canvas.domain.importers.archon_routes import Placed, Router
from canvas.domain.importers.archon_steps import ROUTES, StepReader, base_name, type_of
from canvas.domain.importers.fields import declare_parameters, read_outputs, read_parameters, read_top
from canvas.domain.importers.imported import Imported, snake_keys, text_of, without_nothing
from canvas.domain.importers.naming import Names, slug
from canvas.domain.importers.rewriting import Rewriter
from canvas.domain.problems import Report, child
from canvas.domain.states import StepType

_PREFIXES = {
    ("context",): "workflow.parameters",
    ("parameters",): "workflow.parameters",
    ("params",): "workflow.parameters",
    ("inputs",): "workflow.parameters",
    ("input_parameters",): "workflow.parameters",
    ("workflow", "input"): "workflow.parameters",
    ("workflow", "inputs"): "workflow.parameters",
    ("workflow", "input_parameters"): "workflow.parameters",
}
_BEFORE = {("previous_step",): "workflow.parameters.previous_step"}
_IGNORED = ("id", "created_by", "created_at", "updated_at", "is_public", "version_number", "change_summary")
_CONTAINERS = ("parallel", "loop")
_STEP_MARKS = {"type", "step_type", "tool_name", "steps", "workflow_name", "condition"}

Items = list[tuple[Any, str]]
"Steps as they stand in the source, each with its pointer."


def import_archon(source: Mapping[str, Any], *, is_alone: bool = False) -> Imported:
    """Say an Archon template, a mapping with a list of `steps`, in canonical form.

    Args:
        source: The template.
        is_alone: Whether it is a single step taken out of its template, so that what came before is a parameter.
    """
    return _Template(source, _PREFIXES | (_BEFORE if is_alone else {})).imported()


class _Template:
    def __init__(self, source: Mapping[str, Any], prefixes: Mapping[tuple[str, ...], str]) -> None:
        self._source = snake_keys(source)
        self._report = Report()
        self._names = Names()
        self._claimed: dict[str, str] = {}
        self._items = _items(self._source["steps"], "/steps")
        self._claim_all(self._items)
        self._rewriter = Rewriter(self._names.renamed, prefixes)
        self._reader = StepReader(self._rewriter, self._report)

    def imported(self) -> Imported:
        document = read_top(self._source, self._report, ignored=_IGNORED)
        steps = self._scope([self._items], in_container=False, in_parallel=False)
        outputs = read_outputs(self._source.get("outputs"), self._rewriter, self._report)
        parameters = read_parameters(self._source.get("parameters"), self._report)
        declare_parameters(parameters, self._rewriter.parameters, self._report)
        document.update(without_nothing({"parameters": parameters, "outputs": outputs}))
        document["steps"] = steps
        return Imported(document, self._report.problems)

    # names first, so that every route and expression can be read

    def _claim_all(self, items: Items) -> None:
        for step, at in items:
            if isinstance(step, dict):
                self._claim(snake_keys(step), at)

    def _claim(self, step: Mapping[str, Any], at: str) -> None:
        given = text_of(step.get("name"))
        name = self._names.claim(slug(given, "") or base_name(step), given, text_of(step.get("id")))
        self._claimed[at] = name
        if not given:
            self._report.warning("generated_name", at, f"A step without a name is called `{name}`.")
        elif name != given:
            self._report.warning("renamed", child(at, "name"), f"The step `{given[:80]}` is called `{name}` here.")
        for key in ROUTES:
            self._claim_all(_inline(step.get(key), child(at, key)))
        for chain in _chains(step, at):
            self._claim_all(chain)

    # scopes

    def _scope(self, chains: list[Items], *, in_container: bool, in_parallel: bool) -> list[dict[str, Any]]:
        """Say one scope: rows of steps that each start with it, unless something in it leads to them."""
        placed: list[Placed] = []
        entries: list[str] = []
        for chain in chains:
            row = self._place(chain, None)
            entries += [row[0].name] if row else []
            placed += row
        if in_parallel:
            named = {target for one in placed for target in self._named_targets(one)}
            entries = [name for name in entries if name not in named] or entries
        router = Router(placed, self._names.renamed, self._report, in_container=in_container)
        router.route(entries)
        return self._routed(placed, router, in_parallel=in_parallel)

    def _named_targets(self, one: Placed) -> set[str]:
        return {self._names.renamed.get(text_of(one.source.get(key)), "") for key in ROUTES} - {one.name}

    def _place(self, items: Items, after: str | None) -> list[Placed]:
        """Lay steps out in a row, those inside routes right behind the step they stand in."""
        steps = [(step, at) for step, at in items if self._is_step(step, at)]
        placed: list[Placed] = []
        for position, (step, at) in enumerate(steps):
            following = self._claimed[steps[position + 1][1]] if position + 1 < len(steps) else after
            one = Placed(self._claimed[at], snake_keys(step), at, following)
            placed.append(one)
            for key in ROUTES:
                inside = self._place(_inline(one.source.get(key), child(at, key)), following)
                if inside:
                    one.inline[key] = [inside[0].name]
                    placed += inside
        return placed

    def _is_step(self, step: Any, at: str) -> bool:
        if not isinstance(step, dict):
            self._report.error("not_a_step", at, "A step is a mapping; this is left out.")
        return isinstance(step, dict)

    def _routed(self, placed: list[Placed], router: Router, *, in_parallel: bool) -> list[dict[str, Any]]:
        reachable, needs = router.flow.reachable(), router.flow.dependencies()
        steps = {one.name: self._step(one) for one in placed if one.name in reachable} | router.stops
        for one in placed:
            if one.name not in reachable:
                self._report.warning("unreachable", one.at, f"Nothing leads to `{one.name}`, so it is left out.")
            elif one.name in router.continuing:
                steps[one.name]["on_error"] = "continue"
        kept = [name for name in router.flow.order if name in reachable]
        return [
            _finished(steps[name], _present(needs[name], reachable), before, in_parallel=in_parallel)
            for before, name in zip([None, *kept], kept, strict=False)
        ]

    def _step(self, one: Placed) -> dict[str, Any]:
        step = self._reader.read(one.source, one.name, one.at)
        if step["type"] in _CONTAINERS:
            in_parallel = step["type"] == "parallel"
            step["steps"] = self._scope(_chains(one.source, one.at), in_container=True, in_parallel=in_parallel)
        return step


def _items(steps: list[Any], at: str) -> Items:
    return [(step, f"{at}/{index}") for index, step in enumerate(steps)]


def _inline(given: Any, at: str) -> Items:
    """Take the steps that stand right inside a route; a name, or a mapping that only names a step, is none."""
    if isinstance(given, dict):
        return [(given, at)] if snake_keys(given).keys() & _STEP_MARKS else []
    if isinstance(given, list) and any(isinstance(item, dict) for item in given):
        return _items(given, at)
    return []


def _chains(step: Mapping[str, Any], at: str) -> list[Items]:
    """List what a container holds as rows of steps; those of a `parallel` stand alone unless they are branches."""
    kind = type_of(step)
    if kind not in _CONTAINERS:
        return []
    steps = _items(step["steps"], child(at, "steps")) if isinstance(step.get("steps"), list) else []
    chains = [[item] for item in steps] if kind == "parallel" else [steps]
    branches = step.get("branches")
    for index, branch in enumerate(branches if isinstance(branches, list) else []):
        here = f"{child(at, 'branches')}/{index}"
        if isinstance(branch, dict) and isinstance(branch.get("steps"), list):
            chains.append(_items(branch["steps"], child(here, "steps")))
        else:
            chains.append(_items(branch, here) if isinstance(branch, list) else [(branch, here)])
    return chains


def _present(needs: list[Any], reachable: set[str]) -> list[Any]:
    return [need for need in needs if (need if isinstance(need, str) else need["step"]) in reachable]


def _finished(step: dict[str, Any], needs: list[Any], before: str | None, *, in_parallel: bool) -> dict[str, Any]:
    """Put a step's keys in order, and leave out dependencies that go without saying."""
    implied = [before] if before is not None and not in_parallel else []
    kept = without_nothing(step)
    if needs != implied:
        kept["depends_on"] = needs
    return {key: kept[key] for key in STEP_KEYS[StepType(kept["type"])] if key in kept}
