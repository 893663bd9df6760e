"""Where the steps of an Archon scope lead to: `on_success: next` and its kind, turned into a graph."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from canvas.domain.importers.archon_steps import type_of
from canvas.domain.importers.flow import Flow, Jump
from canvas.domain.importers.imported import text_of
from canvas.domain.problems import Report, child

_RESERVED = {"": "next", "next": "next", "end": "end", "fail": "fail", "retry": "fail"}
"What Archon's own words say; a retry is a matter of the step, and when it gives up it fails."
_SYNONYMS = {
    "continue": "next",
    "stop": "end",
    "complete": "end",
    "finish": "end",
    "abort": "fail",
    "error": "fail",
}
"What is read in the same way unless a step is called so."


@dataclass(slots=True)
class Placed:
    """One step of a scope, with what is known before anything is routed."""

    name: str
    source: Mapping[str, Any]
    at: str
    following: str | None = None
    "The step that `next` means; None at the end."
    inline: dict[str, list[str]] = field(default_factory=dict)
    "The first of the steps that stand right inside a route, by the route's key."

    @property
    def is_condition(self) -> bool:
        """Whether it decides between two ways."""
        return type_of(self.source) == "condition"


class Router:
    """Makes the flow of one scope from its steps in order."""

    def __init__(self, placed: list[Placed], named: Mapping[str, str], report: Report, *, in_container: bool) -> None:
        """Prepare to route.

        Args:
            placed: The steps of the scope, inline ones right behind the step they stand in.
            named: What the source calls each step of the definition, to its name.
            report: Told of what had to be interpreted.
            in_container: Whether the scope is inside a `parallel` or `loop`.
        """
        self._placed = {one.name: one for one in placed}
        self._position = {one.name: index for index, one in enumerate(placed)}
        self._named = named
        self._report = report
        self._in_container = in_container
        self._heads = self._find_heads()
        self.flow = Flow(order=[one.name for one in placed])
        self.stops: dict[str, dict[str, Any]] = {}
        "Steps of type `stop` that ways out of the run lead to, by name and without dependencies."
        self.continuing: set[str] = set()
        "Steps whose failure goes on, though nothing follows."

    def route(self, entries: list[str]) -> Flow:
        """Follow every way out of every step."""
        self.flow.entries = entries
        for one in self._placed.values():
            for branch, key in self._ways(one):
                for target in self._targets(one, key):
                    self.flow.jumps.append(Jump(one.name, branch, target, child(one.at, key)))
        for jump in self.flow.backward():
            text = f"`{jump.source}` leads back to `{jump.target}`, and a scope has no circles: this way ends the run."
            self._report.error("backward_jump", jump.pointer, text, "Put the steps that are repeated into a `loop`.")
            self.flow.without([jump])
            stop = self._stop(jump.source, "failed", f"The jump back to {jump.target} could not be imported.")
            self.flow.jumps.append(Jump(jump.source, jump.branch, stop, jump.pointer))
        return self.flow

    def _ways(self, one: Placed) -> list[tuple[str, str]]:
        ways = [("IF_TRUE", "on_true"), ("IF_FALSE", "on_false")] if one.is_condition else [("SUCCESS", "on_success")]
        if one.is_condition and "on_true" not in one.source and "on_false" not in one.source:
            ways = [("SUCCESS", "on_success")]
        return [*ways, ("FAILURE", "on_failure")] if "on_failure" in one.source else ways

    def _targets(self, one: Placed, key: str) -> list[str]:
        if key in one.inline:
            return one.inline[key]
        given = one.source.get(key)
        texts = [text_of(item) for item in given] if isinstance(given, list) else [_word_of(given)]
        return [target for text in texts or [""] for target in self._target(one, key, text)]

    def _target(self, one: Placed, key: str, text: str) -> list[str]:
        name = self._named.get(text, text)
        word = _RESERVED.get(text.lower()) or ("" if name in self._position else _SYNONYMS.get(text.lower()))
        if word == "next":
            return self._next(one, key)
        if word == "end":
            return self._end(one, key)
        if word == "fail":
            return [] if key == "on_failure" else [self._stop(one.name, "failed", f"{one.name} ends the run.")]
        if name in self._position:
            return [name] if name != one.name else self._itself(one, key)
        self._report.error("unknown_target", child(one.at, key), f"There is no step `{text[:80]}` here to go on with.")
        return [self._stop(one.name, "failed", f"There is no step {text[:80]} to go on with.")]

    def _itself(self, one: Placed, key: str) -> list[str]:
        if key == "on_failure":
            self._report.warning("read_as_retry", child(one.at, key), f"`{one.name}` leads to itself: read as `retry`.")
            return []
        return [one.name]

    def _end(self, one: Placed, key: str) -> list[str]:
        """At the top level nothing else is going on, so that an end is a way that leads nowhere."""
        if key != "on_failure" and not self._in_container:
            return []
        if self._in_container:
            self._report.warning("ends_the_run", child(one.at, key), f"`end` after `{one.name}` ends the whole run.")
        return [self._stop(one.name, "completed", f"Ended after {one.name}.")]

    def _stop(self, after: str, status: str, message: str) -> str:
        name = f"{'end' if status == 'completed' else 'fail'}_after_{after}"[:64]
        while name in self._placed:
            name = f"x{name}"[:64]
        if name not in self.stops:
            self.stops[name] = {"name": name, "type": "stop", "status": status, "message": message}
            self.flow.order.append(name)
        return name

    # what `next` means

    def _next(self, one: Placed, key: str) -> list[str]:
        following = self._following(one, key)
        if following is None and key == "on_failure":
            self.continuing.add(one.name)
        other = "on_true" if key == "on_false" else "on_false"
        if one.is_condition and key not in one.source and other in one.source:
            where = f"goes on with `{following}`" if following else "ends here"
            text = f"`{key}` of `{one.name}` is not given; then the run {where}."
            self._report.warning("implied_branch", child(one.at, other), text)
        return [following] if following else []

    def _following(self, one: Placed, key: str) -> str | None:
        following = one.following
        if key in one.source and text_of(one.source[key]):
            return following
        while following is not None and self._is_other_arm(one, following):
            skipped, following = following, self._placed[following].following
            if not one.is_condition:
                where = f"goes on with `{following}`" if following else "ends there"
                text = f"`{skipped}`, behind `{one.name}`, is the other way of a condition; `{one.name}` {where}."
                self._report.warning("branch_arms", one.at, text, "Write `on_success: next` where it should follow.")
        return following

    def _find_heads(self) -> list[tuple[str, set[str]]]:
        found = []
        for one in self._placed.values():
            names = [self._named.get(_word_of(one.source.get(key)), "") for key in ("on_true", "on_false")]
            if one.is_condition and any(name in self._position for name in names):
                found.append((one.name, {name for name in names if name in self._position}))
        return found

    def _is_other_arm(self, one: Placed, following: str) -> bool:
        """Whether falling into a step would enter the other way of a condition that one of the two ways led here."""
        here = self._position[one.name]
        for condition, heads in self._heads:
            if following not in heads or self._position[condition] > here:
                continue
            if one.name == condition:
                return True
            others = [self._position[head] for head in heads if head != following]
            if any(self._position[condition] < other <= here < self._position[following] for other in others):
                return True
        return False


def _word_of(given: Any) -> str:
    if isinstance(given, dict):
        return next((text_of(given[key]) for key in ("next", "goto", "step", "name") if text_of(given.get(key))), "")
    return text_of(given)
