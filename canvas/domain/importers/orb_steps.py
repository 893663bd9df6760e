"""One step of an Orb workflow, without its place: its type, its configuration, retries and limits."""

from collections.abc import Mapping
from typing import Any

from canvas.domain.importers.foreign_actions import FOREIGN_ACTIONS
from canvas.domain.importers.imported import first_of, number_of, snake_case, snake_keys, text_of
from canvas.domain.importers.naming import slug
from canvas.domain.importers.orb_arguments import arguments_of
from canvas.domain.importers.orb_conditions import condition_text, constant, is_expression
from canvas.domain.importers.orb_messages import messages_arguments
from canvas.domain.importers.orb_tree import Branch, Node
from canvas.domain.importers.rewriting import Rewriter
from canvas.domain.problems import Report

Step = dict[str, Any]

_SWITCHED_ON = ("switch_on", "on", "switch_value", "expression", "field", "variable", "value", "condition")
_DECISIONS = ("CONDITION", "CONDITIONAL_BRANCH", "SWITCH")
_UNITS = {"ms": 0.001, "milliseconds": 0.001, "s": 1, "seconds": 1, "m": 60, "minutes": 60, "h": 3600, "hours": 3600,
          "d": 86400, "days": 86400}  # fmt: skip
_BESIDE = frozenset(
    {"action_type", "retry", "retry_policy", "retry_count", "max_retries", "timeout", "timeout_ms", "timeout_seconds",
     "output_variable", "continue_on_error", "on_error"}
)  # fmt: skip


def kind_of(node: Node) -> str:
    """Name what a step does, in Orb's words: its action type, or its type where it has none."""
    kind = text_of(node.source.get("type") or node.source.get("step_type")).upper()
    called = text_of(first_of(node.config, "action_type") or first_of(node.source, "action_type", "action"))
    if kind in ("", "ACTION"):
        return snake_case(called).upper() if called else kind or "ACTION"
    return kind


def is_trigger(node: Node) -> bool:
    """Tell whether a step is what starts the workflow."""
    return kind_of(node) == "TRIGGER"


def is_loop(node: Node) -> bool:
    """Tell whether a step repeats those it holds."""
    return kind_of(node) == "LOOP"


class OrbReader:
    """Turns single steps into canonical ones."""

    def __init__(self, rewriter: Rewriter, report: Report) -> None:
        self._rewriter = rewriter
        self._report = report

    def read(self, node: Node, name: str) -> Step:
        """Read a step's own keys under its new name."""
        given = text_of(first_of(node.source, "title", "name", "label"))
        step: Step = {
            "name": name,
            "title": "" if given == name else given,
            "description": text_of(node.source.get("description")),
        }
        kind = kind_of(node)
        if kind in _DECISIONS:
            step.update(self._decision(node))
        elif kind == "LOOP":
            step.update(self._loop(node))
        elif kind in ("DELAY", "WAIT"):
            step.update(self._delay(node))
        else:
            step.update(self._action(node, kind))
        return step | self._limits(node)

    # actions

    def _action(self, node: Node, kind: str) -> Step:
        action = FOREIGN_ACTIONS.get(kind)
        if action is None:
            action = f"tool/{slug(kind, 'unnamed')}"
            text = f"The action type `{kind[:80]}` becomes `{action}`; it runs on the MCP server that has it."
            self._report.warning("tool_as_action", node.at, text)
        config = {key: value for key, value in node.config.items() if key not in _BESIDE}

        def warn(code: str, text: str) -> None:
            self._report.warning(code, node.at, text)

        parameters = messages_arguments(action, arguments_of(action, config), warn)
        return {"type": "action", "action": action, "parameters": self._rewriter.value(parameters)}

    def _limits(self, node: Node) -> Step:
        keys = {**node.source, **node.config}
        policy = first_of(keys, "retry_policy", "retry")
        policy = snake_keys(policy) if isinstance(policy, dict) else {}
        attempts = number_of(policy.get("max_attempts"))
        retries = number_of(first_of(policy, "max_retries", "count") or first_of(keys, "retry_count", "max_retries"))
        count = attempts if attempts is not None else (retries + 1 if retries is not None else 1)
        limits: Step = {"timeout_seconds": self._timeout(node, keys)}
        if count > 1:
            limits["retry"] = {"max_attempts": int(min(count, 100))}
        if keys.get("continue_on_error") is True or text_of(keys.get("on_error")).lower() == "continue":
            limits["on_error"] = "continue"
        return limits

    def _timeout(self, node: Node, keys: Mapping[str, Any]) -> float | None:
        seconds = number_of(keys.get("timeout_seconds"))
        if seconds is None:
            milliseconds = number_of(first_of(keys, "timeout_ms", "timeout"))
            if milliseconds is not None and keys.get("timeout_ms") is None:
                self._report.warning("read_as_milliseconds", node.at, "`timeout` is read as milliseconds.")
            seconds = milliseconds / 1000 if milliseconds is not None else None
        return seconds if seconds is not None and seconds > 0 else None

    # waiting and repeating

    def _delay(self, node: Node) -> Step:
        config = node.config
        if config.get("until") is not None and config.get("duration") is None:
            return {"type": "wait", "for": [{"until": self._rewriter.value(config["until"])}]}
        given = first_of(config, "seconds", "duration_seconds")
        if given is not None:
            return {"type": "wait", "for": [{"seconds": self._rewriter.value(given)}]}
        unit = text_of(first_of(config, "unit", "duration_unit")).lower() or "ms"
        return {
            "type": "wait",
            "for": [{"seconds": self._seconds(first_of(config, "duration", "delay", "amount"), unit, node)}],
        }

    def _seconds(self, given: Any, unit: str, node: Node) -> Any:
        factor = _UNITS.get(unit, 0.001)
        number = number_of(given)
        if number is not None:
            seconds = number * factor
            return int(seconds) if seconds == int(seconds) else round(seconds, 3)
        text = text_of(given)
        if "{{" in text:
            return self._rewriter.value(f"{{{{ {text} * {factor} }}}}")
        if text:
            return f"{{{{ duration('{text}') }}}}" if "'" not in text and "\\" not in text else 0
        self._report.error("no_duration", node.at, "This delay does not say how long it is.")
        return 0

    def _loop(self, node: Node) -> Step:
        config = node.config
        step: Step = {"type": "loop"}
        collection = first_of(config, "collection", "items", "array", "iterate_over", "source")
        if collection is not None:
            step["collection"] = self._rewriter.value(_braced(collection))
        elif first_of(config, "while", "condition") is not None:
            step["while"] = self._condition(first_of(config, "while", "condition"), node.at)
        else:
            step["times"] = self._rewriter.value(first_of(config, "iterations", "count", "times"))
        item = slug(text_of(first_of(config, "item_variable", "item_name", "iterator")), "item")
        step["item_variable"] = None if item == "item" else item
        for key, names in (("max_iterations", ("max_iterations",)), ("concurrency", ("concurrency", "parallelism"))):
            number = number_of(first_of(config, *names))
            step[key] = int(number) if number is not None and number >= 1 else None
        return step

    # decisions

    def _decision(self, node: Node) -> Step:
        kinds = {branch.kind for branch in node.branches}
        if kind_of(node) == "SWITCH" or kinds & {"SWITCH_CASE", "DEFAULT"}:
            return self._switch(node)
        given = first_of(node.config, "condition", "expression", "rules", "conditions")
        if given is None:
            given = node.config if "field" in node.config else node.source.get("condition")
        if given is None:
            given = next((one.condition for one in node.branches if one.kind == "IF_TRUE"), None)
            text = "The condition is that of the IF_TRUE branch; IF_FALSE is taken whenever it is not true."
            self._report.warning("condition_of_branch", node.at, text)
        return {"type": "condition", "condition": self._condition(given, node.at) or "false"}

    def _condition(self, given: Any, at: str) -> str:
        text = condition_text(given)
        rewritten = self._rewriter.condition(text)
        if not rewritten:
            self._report.error("no_condition", at, "Nothing here can be read as a condition; it is never true.")
        elif not isinstance(given, str) or rewritten != text:
            self._report.warning("condition_rewritten", at, f"The condition is read as `{rewritten[:200]}`.")
        return rewritten

    def _switch(self, node: Node) -> Step:
        on = first_of(node.config, *_SWITCHED_ON) or first_of(node.source, *_SWITCHED_ON)
        step: Step = {"type": "switch"}
        if isinstance(on, str):
            step["on"] = self._rewriter.value(_braced(on))
        cases = [self._case(branch, has_value=isinstance(on, str)) for branch in node.branches if _is_case(branch)]
        return {**step, "cases": cases}

    def _case(self, branch: Branch, *, has_value: bool) -> Any:
        if branch.value is not None and not isinstance(branch.value, dict | list):
            return branch.value
        text = condition_text(branch.condition)
        if text and (is_expression(text) or not has_value):
            when = self._condition(branch.condition, branch.at)
            return {"value": when.replace("{{", "").replace("}}", "").strip()[:80], "when": when}
        if not text:
            self._report.error("no_case", branch.at, "This case does not say when it is taken.")
        return constant(text)

    def ways(self, node: Node, step: Step) -> list[tuple[Branch, Step]]:
        """Pair a decision's branches with the way out of the canonical step that leads there."""
        found: list[tuple[Branch, Step]] = []
        cases = iter(step.get("cases", []))
        for index, branch in enumerate(node.branches):
            if step["type"] == "condition":
                found.append((branch, {"branch": self._side(branch, index)}))
            elif _is_case(branch):
                case = next(cases)
                value = case["value"] if isinstance(case, dict) else case
                found.append((branch, {"branch": "SWITCH_CASE", "value": value}))
            else:
                found.append((branch, {"branch": "DEFAULT"}))
        return found

    def _side(self, branch: Branch, index: int) -> str:
        if branch.kind in ("IF_TRUE", "IF_FALSE"):
            return branch.kind
        side = "IF_TRUE" if index == 0 else "IF_FALSE"
        self._report.warning("implied_branch", branch.at, f"A branch without a type is read as {side}.")
        return side


def _is_case(branch: Branch) -> bool:
    return branch.kind in ("SWITCH_CASE", "IF_TRUE") or (not branch.kind and branch.condition is not None)


def _braced(given: Any) -> Any:
    return f"{{{{ {given} }}}}" if isinstance(given, str) and given.strip() and "{{" not in given else given
