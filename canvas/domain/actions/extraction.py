"""Proposing an action that does what a step does: what the step fills in from its run becomes an argument."""

import re
from collections.abc import Mapping
from typing import Any


def document_from_step(step: Mapping[str, Any]) -> dict[str, Any] | None:
    """Propose an action's document, without a name; None for a step that calls nothing.

    A text with braces anywhere in the parameters becomes a required argument, named after its key; everything else
    stays in the body as it is.
    """
    kind = {"action": "action", "workflow_link": "workflow"}.get(str(step.get("type")))
    target = step.get(kind) if kind else None
    if not isinstance(target, str):
        return None
    arguments: dict[str, dict[str, Any]] = {}
    parameters = step.get("parameters")
    mapped = _mapped(parameters, "value", arguments) if isinstance(parameters, dict) else {}
    body = {kind: target.partition("@")[0], "parameters": mapped}
    told = {key: text for key in ("title", "description") if isinstance(text := step.get(key), str) and text}
    return {"name": "", **told, "arguments": list(arguments.values()), "invariants": [], "body": body}


def _mapped(value: Any, key: str, arguments: dict[str, dict[str, Any]]) -> Any:
    if isinstance(value, dict):
        return {name: _mapped(one, str(name), arguments) for name, one in value.items()}
    if isinstance(value, list):
        return [_mapped(one, key, arguments) for one in value]
    if not isinstance(value, str) or "{{" not in value:
        return value
    name = _free(key, arguments)
    arguments[name] = {"name": name, "type": "string", "required": True, "description": f"Was {value[:200]}"}
    return f"{{{{ args.{name} }}}}"


def _free(wish: str, taken: Mapping[str, Any]) -> str:
    word = re.sub(r"[^a-z0-9]+", "_", wish.lower()).strip("_")[:40] or "value"
    word = f"_{word}" if word[0].isdigit() else word
    name, number = word, 2
    while name in taken:
        name, number = f"{word}_{number}", number + 1
    return name
