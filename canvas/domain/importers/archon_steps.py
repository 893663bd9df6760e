"""One step of an Archon template, without where it leads to: its type, its own keys, retries and limits."""

from collections.abc import Callable, Mapping
from typing import Any

from canvas.domain.importers.foreign_actions import FOREIGN_ACTIONS
from canvas.domain.importers.imported import first_of, list_of, number_of, text_of
from canvas.domain.importers.naming import slug
from canvas.domain.importers.rewriting import Rewriter
from canvas.domain.problems import Report, child

Step = dict[str, Any]

ROUTES = ("on_true", "on_false", "on_success", "on_failure")
"The keys that say where a step leads to."
_KNOWN = frozenset(
    {
        *ROUTES, "name", "id", "title", "description", "type", "step_type", "enabled", "tool_name", "tool", "action",
        "parameters", "tool_parameters", "arguments", "inputs", "condition", "workflow_name", "workflow",
        "workflow_template_name", "wait_for_completion", "wait", "steps", "branches", "collection", "items",
        "item_variable", "while", "times", "count", "max_iterations", "max_concurrency", "concurrency", "wait_for",
        "join", "continue_on_error", "seconds", "duration_seconds", "until", "retry_count", "max_retries",
        "retry_delay", "retry_delay_seconds", "timeout_seconds", "timeout", "timeout_minutes",
    }
)  # fmt: skip
_ALIASES = {
    "tool": "action",
    "mcp_tool": "action",
    "if": "condition",
    "decision": "condition",
    "sub_workflow": "workflow_link",
    "subworkflow": "workflow_link",
    "workflow": "workflow_link",
    "foreach": "loop",
    "for_each": "loop",
    "delay": "wait",
    "sleep": "wait",
}


def type_of(source: Mapping[str, Any]) -> str:
    """Name a step's type, guessed from its keys if it does not say."""
    given = text_of(first_of(source, "type", "step_type")).lower()
    if given:
        return _ALIASES.get(given, given)
    if "condition" in source and "steps" not in source:
        return "condition"
    if first_of(source, "workflow_name", "workflow_template_name", "workflow") is not None:
        return "workflow_link"
    if first_of(source, "collection", "while", "times") is not None:
        return "loop"
    return "parallel" if "steps" in source or "branches" in source else "action"


def base_name(source: Mapping[str, Any]) -> str:
    """Find a name for a step that has none: what it calls, or its type."""
    called = text_of(first_of(source, "tool_name", "tool", "workflow_name", "workflow", "action"))
    return slug(called, slug(type_of(source), "step"))


class StepReader:
    """Turns single steps into canonical ones; where they lead to, and what they hold, is filled in afterwards."""

    def __init__(self, rewriter: Rewriter, report: Report) -> None:
        self._rewriter = rewriter
        self._report = report

    def read(self, source: Mapping[str, Any], name: str, at: str) -> Step:
        """Read a step's own keys.

        Args:
            source: The step with its keys in snake case.
            name: What it is called from now on.
            at: Pointer to it in the document that is imported.
        """
        kind = type_of(source)
        step: Step = {
            "name": name,
            "title": self._title(source, name),
            "description": text_of(source.get("description")),
        }
        step.update(_KINDS.get(kind, StepReader._unknown)(self, source, at))
        step["timeout_seconds"] = _timeout(source)
        step["retry"] = _retry(source)
        if source.get("enabled") is False:
            step["enabled"] = False
        for key in source.keys() - _KNOWN if kind in _KINDS else ():
            self._report.warning("ignored_key", child(at, key), f"`{key[:80]}` has no meaning here and is left out.")
        return step

    def _title(self, source: Mapping[str, Any], name: str) -> str:
        title, given = text_of(source.get("title")), text_of(source.get("name"))
        return title or (given if given != name else "")

    def _action(self, source: Mapping[str, Any], at: str) -> Step:
        given = text_of(first_of(source, "tool_name", "tool", "action"))
        key = next((key for key in ("tool_name", "tool", "action") if source.get(key) is not None), "tool_name")
        action = given if _is_action(given) else FOREIGN_ACTIONS.get(given) or f"tool/{slug(given, 'unnamed')}"
        if action != given and given not in FOREIGN_ACTIONS:
            text = f"The tool `{given[:80]}` becomes the action `{action}`; it runs on the MCP server that has it."
            self._report.warning("tool_as_action", child(at, key), text)
        return {"type": "action", "action": action, "parameters": self._parameters(source, at)}

    def _parameters(self, source: Mapping[str, Any], at: str) -> Any:
        key = next((key for key in ("parameters", "tool_parameters", "arguments", "inputs") if source.get(key)), None)
        if key is None:
            return {}
        if isinstance(source[key], dict):
            return self._rewriter.value(source[key])
        self._report.warning("ignored_key", child(at, key), "Parameters are a mapping; these are left out.")
        return {}

    def _condition(self, source: Mapping[str, Any], at: str) -> Step:
        return {"type": "condition", "condition": self._expression(source.get("condition"), child(at, "condition"))}

    def _expression(self, given: Any, at: str) -> str:
        if isinstance(given, bool):
            return "true" if given else "false"
        text = text_of(given)
        rewritten = self._rewriter.condition(text)
        if rewritten != text:
            sentence = f"The condition is read as `{rewritten[:200]}`."
            self._report.warning("condition_rewritten", at, sentence)
        return rewritten

    def _link(self, source: Mapping[str, Any], at: str) -> Step:
        given = text_of(first_of(source, "workflow_name", "workflow_template_name", "workflow"))
        step = {"type": "workflow_link", "workflow": slug(given, given), "parameters": self._parameters(source, at)}
        if step["workflow"] != given:
            self._report.warning("renamed", at, f"The workflow `{given[:80]}` is called `{step['workflow']}` here.")
        if first_of(source, "wait_for_completion", "wait") is False:
            step["wait"] = False
        return step

    def _parallel(self, source: Mapping[str, Any], at: str) -> Step:
        step: Step = {"type": "parallel"}
        if text_of(first_of(source, "wait_for", "join")).lower() in ("any", "first"):
            step["join"] = {"mode": "any"}
        return step

    def _loop(self, source: Mapping[str, Any], at: str) -> Step:
        step: Step = {"type": "loop", "item_variable": self._item_variable(source, at)}
        collection, key = first_of(source, "collection", "items"), "collection" if "collection" in source else "items"
        if collection is not None:
            step["collection"] = self._collection(collection, child(at, key))
        elif first_of(source, "while", "condition") is not None:
            key = "while" if source.get("while") is not None else "condition"
            step["while"] = self._expression(source[key], child(at, key))
        else:
            step["times"] = self._rewriter.value(first_of(source, "times", "count"))
        step["max_iterations"] = _whole(source.get("max_iterations"))
        step["concurrency"] = _whole(first_of(source, "concurrency", "max_concurrency"))
        step["on_item_failure"] = "continue" if source.get("continue_on_error") is True else None
        return step

    def _item_variable(self, source: Mapping[str, Any], at: str) -> str | None:
        given = text_of(source.get("item_variable"))
        name = slug(given, "item")
        if given and name != given:
            text = f"The item is called `{name}`; expressions that name `{given[:80]}` have to be changed."
            self._report.warning("renamed", child(at, "item_variable"), text)
        return None if name == "item" else name

    def _collection(self, given: Any, at: str) -> Any:
        if isinstance(given, str) and "{{" not in given:
            self._report.warning("read_as_expression", at, f"`{given[:80]}` is read as an expression.")
            given = f"{{{{ {given} }}}}"
        return self._rewriter.value(given)

    def _wait(self, source: Mapping[str, Any], at: str) -> Step:
        until = source.get("until")
        if until is not None:
            return {"type": "wait", "for": [{"until": self._rewriter.value(until)}]}
        seconds = first_of(source, "seconds", "duration_seconds", "timeout_seconds")
        return {"type": "wait", "for": [{"seconds": self._rewriter.value(0 if seconds is None else seconds)}]}

    def _unknown(self, source: Mapping[str, Any], at: str) -> Step:
        kind = type_of(source)
        action = f"tool/{slug(kind, 'unnamed')}"
        text = (
            f"There is no step type `{kind[:80]}`; it becomes the action `{action}`, which has to be registered first."
        )
        self._report.warning("unknown_step_type", child(at, "type"), text)
        own = {key: value for key, value in source.items() if key not in _KNOWN}
        return {
            "type": "action",
            "action": action,
            "parameters": {**self._rewriter.value(own), **self._parameters(source, at)},
        }


_KINDS: dict[str, Callable[[StepReader, Mapping[str, Any], str], Step]] = {
    "action": StepReader._action,
    "condition": StepReader._condition,
    "workflow_link": StepReader._link,
    "parallel": StepReader._parallel,
    "loop": StepReader._loop,
    "wait": StepReader._wait,
}


def _is_action(text: str) -> bool:
    namespace, _, name = text.partition("/")
    return bool(name) and slug(namespace, "") == namespace and slug(name, "") == name


def _timeout(source: Mapping[str, Any]) -> float | None:
    seconds = number_of(first_of(source, "timeout_seconds", "timeout"))
    if seconds is not None:
        return seconds if seconds > 0 and type_of(source) != "wait" else None
    minutes = number_of(source.get("timeout_minutes"))
    return minutes * 60 if minutes is not None and minutes > 0 else None


def _retry(source: Mapping[str, Any]) -> dict[str, Any] | None:
    count = _whole(first_of(source, "retry_count", "max_retries"))
    if count is None:
        count = 3 if "retry" in [text_of(item).lower() for item in list_of(source.get("on_failure"))] else 0
    if count <= 0:
        return None
    retry: dict[str, Any] = {"max_attempts": min(count + 1, 100)}
    delay = number_of(first_of(source, "retry_delay_seconds", "retry_delay"))
    if delay is not None and delay >= 0:
        retry["delay_seconds"] = delay
    return retry


def _whole(value: Any) -> int | None:
    number = number_of(value)
    return int(number) if number is not None and number >= 1 else None
