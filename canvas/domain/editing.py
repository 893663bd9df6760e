"""Edits of a draft, as the small operations that the canvas sends. All of a batch is applied, or none of it.

A draft may be half-drawn and wrong; what it means is `validation`'s business. Here only the shape of the operations is
judged, so that an edit never damages a step it does not name.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from canvas.domain.documents import StepDocument, dependencies, every_step, is_container, scope_dependencies, steps_of
from canvas.domain.errors import Invalid
from canvas.domain.expressions import rename_step, rename_step_in_value
from canvas.domain.states import StepType

MAX_OPERATIONS = 10_000
Positions = dict[str, list[float]]

_META = frozenset(
    {"title", "description", "version", "status", "category", "tags", "parameters", "outputs", "settings", "triggers"}
)
_EXPRESSION_KEYS = {StepType.CONDITION: ("condition",), StepType.LOOP: ("while",), StepType.SWITCH: ("on",)}
"Keys whose text is an expression rather than a template."


class InvalidOperation(Invalid):
    """An edit cannot be applied to this draft."""

    code = "invalid_operation"


def with_explicit_dependencies(document: Mapping[str, Any]) -> dict[str, Any]:
    """Copy a document with every dependency written out, so that moving one step changes no other."""
    explicit = copy.deepcopy(dict(document))
    for holder in [explicit, *(step for step, _ in every_step(explicit) if is_container(step))]:
        wanted = scope_dependencies(holder)
        for step in steps_of(holder):
            step["depends_on"] = wanted[step["name"]]
    return explicit


def apply_to_document(
    document: Mapping[str, Any], layout: Mapping[str, Sequence[float]], operations: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], Positions]:
    """Apply a batch of operations to a draft and to where its steps lie.

    Operations, in order:
        `{"op": "put", "step": {…}, "parent": name or null, "index": place in the list or null}` inserts a step at the
        end or at `index`, or replaces the one with its name, moving it when the parent differs; then nothing it leaves
        behind waits for it any more. `step` has no `steps`: a container keeps what it holds.
        `{"op": "drop", "name"}` removes a step, what it holds, and the dependencies on it.
        `{"op": "rename", "name", "to"}` renames it everywhere: dependencies, expressions, layout.
        `{"op": "place", "positions": {name: [x, y]}}` moves steps on the canvas.
        `{"op": "meta", "patch": {key: value or null}}` sets or removes keys of the workflow itself.

    Returns:
        The new document, its dependencies all explicit, and the new layout. What was given is left as it was.

    Raises:
        InvalidOperation: An operation is malformed or names a step that is not there; says which one, counted from 0.
    """
    if len(operations) > MAX_OPERATIONS:
        raise InvalidOperation(f"One edit holds at most {MAX_OPERATIONS} operations; this one has {len(operations)}.")
    draft = _Draft(
        with_explicit_dependencies(document), {name: [float(x), float(y)] for name, (x, y) in layout.items()}
    )
    for index, operation in enumerate(operations):
        try:
            draft.apply(operation)
        except InvalidOperation as error:
            raise InvalidOperation(f"Operation {index}: {error}", index=index) from error
    return draft.document, draft.layout


class _Draft:
    """A draft in the middle of an edit."""

    def __init__(self, document: dict[str, Any], layout: Positions) -> None:
        self.document = document
        self.layout = layout
        document.setdefault("steps", [])
        self._steps = {step["name"]: (step, holder) for step, holder in every_step(document)}

    def apply(self, operation: Mapping[str, Any]) -> None:
        appliers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "put": self._put,
            "drop": self._drop,
            "rename": self._rename,
            "place": self._place,
            "meta": self._meta,
        }
        kind = operation.get("op") if isinstance(operation, Mapping) else None
        if not isinstance(kind, str) or kind not in appliers:
            raise InvalidOperation(f"unknown kind {kind!r}; use one of {', '.join(appliers)}.")
        appliers[kind](operation)

    def _put(self, operation: Mapping[str, Any]) -> None:
        step, index = _step_of(operation), _index(operation.get("index"))
        holder = self._holder(operation.get("parent"), step["name"])
        if is_container(step):
            step["steps"] = []
        if step["name"] in self._steps:
            before, home = self._steps[step["name"]]
            place = _remove(home["steps"], before)
            index = place if home is holder and index is None else index
            if home is not holder:
                _release(steps_of(home), {step["name"]})
            self._keep_inside(before, step)
        holder["steps"].insert(len(holder["steps"]) if index is None else index, step)
        self._steps[step["name"]] = step, holder

    def _keep_inside(self, before: StepDocument, step: StepDocument) -> None:
        """Hand what a replaced container held to the new one, or forget it when the new one is no container."""
        if is_container(step):
            step["steps"] = before.get("steps", [])
            for inner in steps_of(step):
                self._steps[inner["name"]] = inner, step
        else:
            self._forget({inner["name"] for inner, _ in every_step(before)})

    def _drop(self, operation: Mapping[str, Any]) -> None:
        step, home = self._known(operation.get("name"))
        _remove(home["steps"], step)
        self._forget({step["name"], *(inner["name"] for inner, _ in every_step(step))})

    def _forget(self, gone: set[str]) -> None:
        for name in gone:
            self._steps.pop(name, None)
            self.layout.pop(name, None)
        _release([step for step, _ in self._steps.values()], gone)

    def _rename(self, operation: Mapping[str, Any]) -> None:
        step, _ = self._known(operation.get("name"))
        old, new = step["name"], operation.get("to")
        if not isinstance(new, str) or not new:
            raise InvalidOperation(f"{old!r} cannot be renamed to nothing; give `to` a name.")
        if new == old:
            return
        if new in self._steps:
            raise InvalidOperation(f"there is a step called {new!r} already.")
        step["name"] = new
        self._steps = {new if name == old else name: entry for name, entry in self._steps.items()}
        for other, _ in self._steps.values():
            _rename_in_step(other, old, new)
        if "outputs" in self.document:
            self.document["outputs"] = rename_step_in_value(self.document["outputs"], old, new)
        if old in self.layout:
            self.layout[new] = self.layout.pop(old)

    def _place(self, operation: Mapping[str, Any]) -> None:
        positions = operation.get("positions")
        if not isinstance(positions, Mapping):
            raise InvalidOperation("`positions` must map names to [x, y].")
        for name, position in positions.items():
            self._known(name)
            self.layout[name] = _position(name, position)

    def _meta(self, operation: Mapping[str, Any]) -> None:
        patch = operation.get("patch")
        if not isinstance(patch, Mapping):
            raise InvalidOperation("`patch` must map keys to values.")
        for key, value in patch.items():
            if key not in _META:
                raise InvalidOperation(f"{key!r} cannot be set here; the keys are {', '.join(sorted(_META))}.")
            if value is None:
                self.document.pop(key, None)
            else:
                self.document[key] = copy.deepcopy(value)

    def _known(self, name: Any) -> tuple[StepDocument, Any]:
        if not isinstance(name, str) or name not in self._steps:
            raise InvalidOperation(f"there is no step called {name!r}.")
        return self._steps[name]

    def _holder(self, parent: Any, name: str) -> dict[str, Any]:
        if parent is None:
            return self.document
        holder, _ = self._known(parent)
        if not is_container(holder):
            raise InvalidOperation(f"{parent!r} is no container, so it cannot hold {name!r}.")
        if name in self._steps and self._is_within(holder, self._steps[name][0]):
            raise InvalidOperation(f"{name!r} cannot be put inside itself.")
        holder.setdefault("steps", [])
        return holder

    def _is_within(self, holder: Mapping[str, Any], outer: StepDocument) -> bool:
        while holder is not self.document:
            if holder is outer:
                return True
            holder = self._steps[holder["name"]][1]
        return False


def _step_of(operation: Mapping[str, Any]) -> StepDocument:
    step = operation.get("step")
    if not isinstance(step, Mapping) or not isinstance(step.get("name"), str) or not step["name"]:
        raise InvalidOperation("`step` must be an object with a name.")
    if "steps" in step:
        raise InvalidOperation(f"{step['name']!r} is put without what it holds; put inner steps one by one.")
    copied = copy.deepcopy(dict(step))
    copied["depends_on"] = dependencies(copied, None, in_parallel=False)
    return copied


def _remove(steps: list[StepDocument], step: StepDocument) -> int:
    """Take this very step out of a list; its place was."""
    place = next(index for index, other in enumerate(steps) if other is step)
    del steps[place]
    return place


def _release(steps: list[StepDocument], gone: set[str]) -> None:
    """Let steps no longer wait for those that are gone from their list."""
    for step in steps:
        step["depends_on"] = [wanted for wanted in step.get("depends_on", []) if wanted["step"] not in gone]


def _rename_in_step(step: StepDocument, old: str, new: str) -> None:
    for dependency in step.get("depends_on", []):
        if dependency["step"] == old:
            dependency["step"] = new
    expressions = _EXPRESSION_KEYS.get(step.get("type", ""), ())
    for key, value in step.items():
        if key in ("name", "type", "title", "description", "depends_on", "steps", "action", "workflow"):
            continue
        if key in expressions and isinstance(value, str):
            step[key] = rename_step(value, old, new)
        elif key == "cases" and isinstance(value, list):
            step[key] = [_rename_case(case, old, new) for case in value]
        else:
            step[key] = rename_step_in_value(value, old, new)


def _rename_case(case: Any, old: str, new: str) -> Any:
    if isinstance(case, dict) and isinstance(case.get("when"), str):
        return {**case, "when": rename_step(case["when"], old, new)}
    return case


def _position(name: str, position: Any) -> list[float]:
    if not isinstance(position, Sequence) or isinstance(position, str) or len(position) != 2:
        raise InvalidOperation(f"the position of {name!r} must be [x, y].")
    numbers = [float(n) for n in position if isinstance(n, int | float) and not isinstance(n, bool) and abs(n) < 1e7]
    if len(numbers) != 2:
        raise InvalidOperation(f"the position of {name!r} must be two numbers between -10,000,000 and 10,000,000.")
    return numbers


def _index(index: Any) -> int | None:
    if index is None:
        return None
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise InvalidOperation("`index` must be a whole number from 0, or null.")
    return index
