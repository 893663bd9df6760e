"""What changed between two definitions, in meaning: where steps lie does not count."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from canvas.domain.documents import every_step
from canvas.domain.editing import with_explicit_dependencies
from canvas.domain.states import ChangeType, StepType

_OWN_PLACE = ("steps", "layout", "dsl", "status", "version")
"Keys of a document that are compared elsewhere, or do not make a version different."


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value that differs."""

    pointer: str
    "JSON pointer inside the step or the document."
    old: Any
    "None when it was not there."
    new: Any
    "None when it is gone."


@dataclass(frozen=True, slots=True)
class StepChange:
    """A step that is in both definitions and says something else."""

    name: str
    "As it is called now."
    old_name: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """The difference of two definitions, and how heavy it is for those who use the workflow."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[StepChange, ...] = ()
    meta: tuple[FieldChange, ...] = ()
    "Changes outside the steps: parameters, outputs, settings, triggers, texts."
    breaking: tuple[str, ...] = field(default=())
    "Sentences that say what will no longer work for a caller."

    @property
    def is_empty(self) -> bool:
        """Whether both definitions mean the same."""
        return not (self.added or self.removed or self.changed or self.meta)

    @property
    def change_type(self) -> ChangeType:
        """What kind of step the semantic version should take: breaking is major, new abilities are minor."""
        if self.breaking:
            return ChangeType.MAJOR
        grows = self.added or self.removed or any(change.old is None for change in self.meta)
        return ChangeType.MINOR if grows else ChangeType.PATCH


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> Diff:
    """Compare two documents in the canonical form.

    A step whose name is gone is taken for renamed when a new one has the same type and says the same.
    """
    before, after = _steps(old), _steps(new)
    renamed = _renames(before, after)
    pairs = {**{name: name for name in after if name in before}, **renamed}
    changes = [
        StepChange(n, o, f) for n, o in pairs.items() if (f := _step_fields(before[o], after[n], renamed)) or n != o
    ]
    return Diff(
        added=tuple(name for name in after if name not in pairs),
        removed=tuple(name for name in before if name not in pairs.values()),
        changed=tuple(changes),
        meta=tuple(_changes(_meta(old), _meta(new))),
        breaking=tuple(_breaking(old, new)),
    )


def _steps(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    explicit = with_explicit_dependencies(document)
    found = {}
    for step, holder in every_step(explicit):
        inside = holder.get("name") if holder is not explicit else None
        found[step["name"]] = {key: value for key, value in step.items() if key not in ("name", "steps")} | {
            "parent": inside
        }
    return found


def _renames(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    gone = {name: step for name, step in before.items() if name not in after}
    renamed = {}
    for name, step in after.items():
        if name in before or step.get("type") in (StepType.PARALLEL, StepType.LOOP):
            continue
        same = next((o for o, s in gone.items() if _body(s) == _body(step)), None)
        if same is not None:
            renamed[name] = same
            del gone[same]
    return renamed


def _body(step: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in step.items() if key not in ("depends_on", "parent")}


def _step_fields(old: dict[str, Any], new: dict[str, Any], renamed: Mapping[str, str]) -> tuple[FieldChange, ...]:
    """Compare two states of a step; a dependency on a step that was only renamed is no change."""
    waits = [{**wanted, "step": renamed.get(wanted["step"], wanted["step"])} for wanted in new["depends_on"]]
    return tuple(_changes(old, {**new, "depends_on": waits}))


def _meta(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _OWN_PLACE}


def _changes(old: Any, new: Any, pointer: str = "") -> list[FieldChange]:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = dict.fromkeys([*old, *new])
        return [c for key in keys for c in _changes(old.get(key), new.get(key), f"{pointer}/{_escaped(key)}")]
    if isinstance(old, list) and isinstance(new, list) and any(isinstance(item, dict | list) for item in (*old, *new)):
        pairs = enumerate(zip_longest(old, new))
        return [c for index, (a, b) in pairs for c in _changes(a, b, f"{pointer}/{index}")]
    return [] if repr(old) == repr(new) else [FieldChange(pointer, old, new)]  # 1, 1.0 and true are three values


def _breaking(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    before, after = _part(old, "parameters"), _part(new, "parameters")
    sentences = [f"The parameter {name!r} is gone." for name in before if name not in after]
    sentences += [
        f"The parameter {name!r} is now needed."
        for name in after
        if _needed(after[name]) and not _needed(before.get(name))
    ]
    sentences += _retyped("parameter", before, after)
    outputs, outputs_now = _part(old, "outputs"), _part(new, "outputs")
    sentences += [f"The output {name!r} is gone." for name in outputs if name not in outputs_now]
    return sentences + _retyped("output", outputs, outputs_now)


def _retyped(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    types = {name: (before[name].get("type"), after[name].get("type")) for name in before if name in after}
    return [f"The {what} {name!r} is now {new or 'untyped'}." for name, (old, new) in types.items() if old != new]


def _needed(parameter: Mapping[str, Any] | None) -> bool:
    return parameter is not None and parameter.get("required") is True and parameter.get("default") is None


def _part(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    part = document.get(key)
    return {name: value for name, value in part.items() if isinstance(value, dict)} if isinstance(part, dict) else {}


def _escaped(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
