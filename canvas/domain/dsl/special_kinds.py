"""Kinds of value with a short and a long way of writing them."""

import re
from dataclasses import dataclass
from typing import Any

from canvas.domain.dsl.kinds import UNREADABLE, Anything, Field, Record, Text, Word, misfit, unknown_key
from canvas.domain.problems import Report, child
from canvas.domain.states import Branch
from canvas.domain.steps import Case, Dependency

_BRANCHES = frozenset(str(branch) for branch in Branch if branch is not Branch.OUTCOME)
_OUTCOME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True)
class BranchWord:
    """A branch; whatever else is written in capitals is an outcome of a task, whose step knows which it has."""

    _word = Word(Branch, tuple(branch for branch in Branch if branch is not Branch.OUTCOME))

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take a branch, or leave an outcome as the text it is."""
        if isinstance(value, str) and _OUTCOME.fullmatch(value) and value not in _BRANCHES:
            return value
        return self._word.read(value, at, report)

    def write(self, value: Any) -> Any:
        """The word."""
        return str(value)

    def schema(self) -> dict[str, Any]:
        """A word in capitals."""
        return {
            "type": "string",
            "pattern": f"^{_OUTCOME.pattern}$",
            "examples": sorted(_BRANCHES),
        }


_VERSIONED = re.compile(r"(?P<name>.+)@(?P<version>[1-9][0-9]{0,8})")
_DEPENDENCY = Record(
    Dependency,
    (
        Field("step", Text(), "Step", "The name of the step it waits for.", required=True),
        Field("branch", BranchWord(), "Branch"),
        Field("value", Anything("value"), "Case", "For SWITCH_CASE: which case."),
    ),
)
_CASE = Record(
    Case,
    (
        Field("value", Anything("value"), "Value", "What `on` must equal; it names the case.", required=True),
        Field("when", Text("expression"), "When", "A condition that takes this case instead."),
    ),
)


@dataclass(frozen=True)
class ActionName:
    """`namespace/name`, or with a version `namespace/name@2`; carried as a pair."""

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take the name and the version apart."""
        text = Text().read(value, at, report)
        if text is UNREADABLE:
            return UNREADABLE
        found = _VERSIONED.fullmatch(text)
        return (found["name"], int(found["version"])) if found else (text, None)

    def write(self, value: Any) -> Any:
        """Put them together again."""
        name, version = value
        return name if version is None else f"{name}@{version}"

    def schema(self) -> dict[str, Any]:
        """A string."""
        return {"type": "string", "x-widget": "action"}


@dataclass(frozen=True)
class DependencyKind:
    """A step's name for its SUCCESS, or `{step, branch, value}`."""

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take either."""
        if isinstance(value, str):
            return Dependency(value)
        if not isinstance(value, dict):
            return misfit(report, at, "a step's name or {step, branch}", value)
        read = _DEPENDENCY.read(value, at, report)
        if read is UNREADABLE or isinstance(read.branch, Branch):
            return read
        if read.value is not None:
            report.error("needless_value", f"{at}/value", f"The outcome {read.branch} takes no `value`.")
        return Dependency(read.step, Branch.OUTCOME, read.branch)

    def write(self, value: Any) -> Any:
        """Write the name alone if that says it all."""
        if value.branch is Branch.SUCCESS and value.value is None:
            return value.step
        if value.branch is Branch.OUTCOME:
            return {"step": value.step, "branch": value.value}
        written = {"step": value.step, "branch": str(value.branch)}
        return written | (
            {"value": value.value} if value.value is not None or value.branch is Branch.SWITCH_CASE else {}
        )

    def schema(self) -> dict[str, Any]:
        """Either."""
        return {"anyOf": [{"type": "string"}, _DEPENDENCY.schema()]}


@dataclass(frozen=True)
class CaseKind:
    """A value, or `{value, when}`; a value that is a mapping needs the long form."""

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take either."""
        return _CASE.read(value, at, report) if isinstance(value, dict) else Case(value)

    def write(self, value: Any) -> Any:
        """Write the value alone if that says it all."""
        if value.when is None and not isinstance(value.value, dict):
            return value.value
        return _CASE.write(value)

    def schema(self) -> dict[str, Any]:
        """Either."""
        return {"anyOf": [{"type": ["string", "number", "boolean", "null", "array"]}, _CASE.schema()]}


@dataclass(frozen=True)
class OneOf:
    """One of several records, told apart by a key's value, or by which key there is."""

    key: str
    records: tuple[Record, ...]

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Find out which record it is and read that."""
        if not isinstance(value, dict):
            return misfit(report, at, "a mapping", value)
        record = next((one for one in self.records if self._fits(one, value)), None)
        return record.read(value, at, report) if record else self._report(value, at, report)

    def write(self, value: Any) -> Any:
        """Write it as the record it is."""
        return next(one for one in self.records if one.build is type(value)).write(value)

    def schema(self) -> dict[str, Any]:
        """Exactly one of them."""
        return {"oneOf": [one.schema() for one in self.records]}

    def _fits(self, record: Record, value: dict[str, Any]) -> bool:
        if record.fixed:
            return bool(value.get(self.key) == record.fixed[self.key])
        return record.fields[0].key in value

    def _report(self, value: dict[str, Any], at: str, report: Report) -> Any:
        words = [str(one.fixed.get(self.key, one.fields[0].key)) for one in self.records]
        listed = ", ".join(f"`{word}`" for word in words)
        if not self.records[0].fixed:
            for key in value:
                unknown_key(report, at, key, words)
            if not value:
                report.error("missing_key", at, f"One of the keys {listed} is missing.")
        elif self.key not in value:
            report.error("missing_key", child(at, self.key), f"The key `{self.key}` is missing.", f"One of {listed}.")
        else:
            given = value[self.key]
            hint = report.near(given, words) if isinstance(given, str) else ""
            report.error("bad_word", child(at, self.key), f"`{str(given)[:80]}` is not one of {listed}.", hint)
        return UNREADABLE
