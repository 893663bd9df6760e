"""Telling the shapes of documents apart by the keys that only one of them has."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from canvas.domain.importers.imported import snake_keys, text_of

DocumentFormat = Literal["canvas", "archon", "orb"]

_ARCHON = frozenset(
    {"tool_name", "workflow_name", "on_success", "on_failure", "on_true", "on_false", "retry_count", "tool_parameters"}
)
_ORB = frozenset(
    {"sequence", "branch_type", "branch_condition", "dependencies", "config", "action_type", "parent_step_id"}
)
_ORB_TYPES = frozenset({"TRIGGER", "ACTION", "CONDITION"})
_STEP_MARKS = _ARCHON | _ORB | {"condition", "collection", "steps"}
_WRAPPERS = ("template_snapshot", "template", "workflow", "workflow_template", "data")
ALONE = "/steps/0"
"What pointers begin with when the document was a single step."
_LOOKED_AT = 500
"Holders of steps; by then the shape is clear."


def unwrap(document: Any) -> tuple[Any, str, str]:
    """Take a workflow out of what stands around it, or put one around a bare step or list of steps.

    Returns:
        The workflow; what pointers into it begin with; what to write instead so that they lead into the document.
    """
    if isinstance(document, list):
        return {"steps": document}, "/steps", ""
    if not isinstance(document, dict):
        return document, "", ""
    keys = snake_keys(document)
    if "steps" not in document:
        for key in document:
            if isinstance(document[key], dict) and "steps" in document[key] and key in _wrappers(document):
                return document[key], "", f"/{key}"
    if isinstance(document.get("type"), str) and keys.keys() & _STEP_MARKS:
        return {"steps": [document, *_named_by(keys)]}, ALONE, ""
    return document, "", ""


def _wrappers(document: Mapping[str, Any]) -> list[str]:
    return [key for key in document if next(iter(snake_keys({key: None}))) in _WRAPPERS]


def _named_by(step: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A step on its own leads to steps that are not there: let them be drawn, each as the tool of its name."""
    names = dict.fromkeys(text_of(step.get(key)) for key in ("on_true", "on_false", "on_success", "on_failure"))
    own = {"", "next", "end", "fail", "retry", text_of(step.get("name"))}
    return [{"name": name, "type": "action", "tool_name": name} for name in names if name not in own]


def detect_format(document: Any) -> DocumentFormat:
    """Name the shape of a document; what looks like none of the others is taken for our own."""
    document, _, _ = unwrap(document)
    if not isinstance(document, dict) or "dsl" in document:
        return "canvas"
    archon = orb = 0
    for step in _steps(document):
        keys = snake_keys(step).keys()
        archon += len(_ARCHON & keys)
        orb += len(_ORB & keys) + 3 * (text_of(step.get("type")) in _ORB_TYPES)
    if archon or orb:
        return "orb" if orb > archon else "archon"
    return "archon" if any("name" not in step for step in _steps(document)) else "canvas"


def _steps(holder: Any) -> Iterator[Mapping[str, Any]]:
    waiting = deque([holder])
    for _ in range(_LOOKED_AT):
        if not waiting:
            return
        steps = waiting.popleft().get("steps")
        for step in steps if isinstance(steps, list) else []:
            if isinstance(step, dict):
                yield step
                waiting.append(step)
