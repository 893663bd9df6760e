"""Plain data to a definition: reports everything that does not fit, and still builds as much as there is.

A step that cannot be read is kept in its place as an action step without an action, so that pointers stay true and
steps that depend on it are not blamed; the validator never lets such a step pass.
"""

from dataclasses import dataclass
from math import isfinite
from typing import Any

from canvas.domain.definition import SCHEMA_ID, Definition, Layout
from canvas.domain.dsl.grammar import MAX_NAME, MAX_STEP_DEPTH, MAX_STEPS, STEPS, TOP
from canvas.domain.dsl.kinds import misfit, unknown_key
from canvas.domain.problems import Report, child
from canvas.domain.states import StepType
from canvas.domain.steps import ActionStep, Dependency, Scope, Step

_TOP_KEYS = ("steps", "layout")
_REQUIRED_TEXT: dict[str, Any] = {"action": "", "condition": "", "workflow": "", "for": (), "values": {}}


def read_definition(data: Any, report: Report) -> Definition | None:
    """Read the whole document, apart from its layout; None when there is not even a mapping.

    Args:
        data: Plain data within the bounds of `document`.
        report: Where problems go.
    """
    if not isinstance(data, dict):
        misfit(report, "", "a mapping: the workflow", data, f"A workflow begins with `dsl: {SCHEMA_ID}`.")
        return None
    _check_schema_id(data, report)
    known = {key: value for key, value in data.items() if key != "dsl" and key not in _TOP_KEYS}
    attributes = _top_attributes(known, report)
    scope = _Steps(report).read_scope(data["steps"], "/steps", 1, starts_at_once=False) if "steps" in data else Scope()
    return Definition(**{"name": "", **attributes}, scope=scope)


def read_layout(data: Any, names: set[str], report: Report) -> Layout:
    """Read where the steps lie.

    Args:
        data: The `layout` of a document.
        names: The steps there are; a place for any other is left out with a warning.
        report: Where problems go.
    """
    if not isinstance(data, dict):
        misfit(report, "/layout", "a mapping of steps to [x, y]", data)
        return {}
    layout: dict[str, tuple[float, float]] = {}
    for name, place in data.items():
        at = child("/layout", name)
        if not _is_position(place):
            report.error("wrong_type", at, "A place must be two numbers: [x, y].")
        elif name not in names:
            report.warning(
                "unknown_step", at, f"There is no step `{name[:MAX_NAME]}` to be placed.", report.near(name, names)
            )
        else:
            layout[name] = (place[0], place[1])
    return layout


def _is_position(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(part, int | float) and not isinstance(part, bool) and isfinite(part) for part in value)
    )


def _check_schema_id(data: dict[str, Any], report: Report) -> None:
    if "dsl" not in data:
        report.error("missing_key", "/dsl", "The key `dsl` is missing.", f"A workflow begins with `dsl: {SCHEMA_ID}`.")
    elif data["dsl"] != SCHEMA_ID:
        hint = "`canvas import` reads other shapes."
        report.error("unsupported_dsl", "/dsl", f"This must be `{SCHEMA_ID}`, not `{str(data['dsl'])[:80]}`.", hint)


def _top_attributes(data: dict[str, Any], report: Report) -> dict[str, Any]:
    keys = {one.key for one in TOP.fields}
    for key in data:
        if key not in keys:
            unknown_key(report, "", key, ["dsl", *(one.key for one in TOP.fields), *_TOP_KEYS])
    return TOP.attributes({key: value for key, value in data.items() if key in keys}, "", report)


@dataclass
class _Steps:
    report: Report
    count: int = 0

    def read_scope(self, data: Any, at: str, depth: int, *, starts_at_once: bool) -> Scope:
        """Read a list of steps; `starts_at_once`: steps without `depends_on` wait for nothing, as in a parallel."""
        if not isinstance(data, list):
            misfit(self.report, at, "a list of steps", data)
            return Scope()
        if depth > MAX_STEP_DEPTH:
            text = f"Steps are nested more than {MAX_STEP_DEPTH} deep here."
            self.report.error("steps_too_deep", at, text, "Put the inner part into a workflow of its own.")
            return Scope()
        steps: list[Step] = []
        for index, one in enumerate(data):
            if not self._may_be_read(f"{at}/{index}"):
                break
            before = steps[-1].name if steps and not starts_at_once else None
            self.report.step = one["name"] if isinstance(one, dict) and isinstance(one.get("name"), str) else None
            steps.append(self._read_step(one, f"{at}/{index}", before, depth))
        self.report.step = None
        return Scope(tuple(steps))

    def _may_be_read(self, at: str) -> bool:
        self.count += 1
        if self.count == MAX_STEPS + 1:
            self.report.step = None
            text = f"A workflow has at most {MAX_STEPS:,} steps; what follows is not read."
            self.report.error("too_many_steps", at, text, "Use a loop, or other workflows.")
        return self.count <= MAX_STEPS

    def _read_step(self, data: Any, at: str, before: str | None, depth: int) -> Step:
        implied = () if before is None else (Dependency(before),)
        name = f"step_at{at.replace('/', '_')}"
        if not isinstance(data, dict):
            misfit(self.report, at, "a step: a mapping with `name` and `type`", data)
            return ActionStep(name=name, action="", depends_on=implied)
        if isinstance(data.get("name"), str):
            name = data["name"]
        step_type = self._type_of(data, at)
        if step_type is None:
            return ActionStep(name=name, action="", depends_on=implied)
        return self._build(step_type, data, at, {"name": name, "depends_on": implied}, depth)

    def _build(self, step_type: StepType, data: dict[str, Any], at: str, given: dict[str, Any], depth: int) -> Step:
        record = STEPS[step_type]
        nested = step_type.is_container
        if not nested and "steps" in data:
            text = f"A step of type `{step_type}` holds no steps."
            self.report.error("unknown_key", f"{at}/steps", text, "Only `parallel` and `loop` do.")
        read = record.attributes({key: value for key, value in data.items() if key != "steps"}, at, self.report)
        for one in record.fields:
            if one.required and one.key in _REQUIRED_TEXT:
                read.setdefault(one.name, _REQUIRED_TEXT[one.key])
        if nested:
            read["steps"] = self._nested(step_type, data, at, depth)
        step: Step = record.build(**{**given, **read})
        return step

    def _nested(self, step_type: StepType, data: dict[str, Any], at: str, depth: int) -> Scope:
        here = self.report.step
        if "steps" not in data:
            self.report.error("missing_key", f"{at}/steps", "The key `steps` is missing.", "List the steps inside.")
            return Scope()
        at_once = step_type is StepType.PARALLEL
        scope = self.read_scope(data["steps"], f"{at}/steps", depth + 1, starts_at_once=at_once)
        self.report.step = here
        return scope

    def _type_of(self, data: dict[str, Any], at: str) -> StepType | None:
        words = [str(word) for word in StepType]
        if "type" not in data:
            self.report.error("missing_key", f"{at}/type", "The key `type` is missing.", f"One of {', '.join(words)}.")
        elif not isinstance(data["type"], str):
            misfit(self.report, f"{at}/type", "the type of a step", data["type"], f"One of {', '.join(words)}.")
        elif data["type"] not in words:
            hint = self.report.near(data["type"], words) or f"One of {', '.join(words)}."
            self.report.error("unknown_step_type", f"{at}/type", f"There is no step type `{data['type'][:80]}`.", hint)
        else:
            return StepType(data["type"])
        return None
