"""The text form of a user-defined action: the same keys in YAML, in JSON, over the API and in the browser."""

from dataclasses import dataclass
from typing import Any, Final

from canvas.domain.actions.values import Actors, Argument, Body, Invariant, UserAction
from canvas.domain.definition import SCHEMA_ID
from canvas.domain.dsl.kinds import (
    UNREADABLE,
    Anything,
    Field,
    Flag,
    ListOf,
    Number,
    Record,
    Text,
    Values,
    Word,
    misfit,
)
from canvas.domain.problems import Report
from canvas.domain.states import ArgumentType

ARGUMENT_TYPES: Final = (
    ArgumentType.STRING,
    ArgumentType.INTEGER,
    ArgumentType.FLOAT,
    ArgumentType.BOOLEAN,
    ArgumentType.LIST,
)
"What an argument of a user-defined action can be."

_ARGUMENT = Record(
    Argument,
    (
        Field("name", Text(), "Name", "Small letters, digits and _.", required=True),
        Field("type", Word(ArgumentType, ARGUMENT_TYPES), "Type", always=True),
        Field("required", Flag(), "Required"),
        Field("default", Anything(), "Default", "Taken when it is not given."),
        Field("min_value", Number(), "At least", "The least number, length or number of items."),
        Field("max_value", Number(), "At most", "The greatest."),
        Field("pattern", Text("line"), "Pattern", "What a text has to fit, in RE2's syntax."),
        Field("description", Text("long_text"), "Description"),
    ),
)
_INVARIANT = Record(
    Invariant,
    (
        Field("text", Text(), "Text", "An expression over `args` and `output`, or a sentence.", required=True),
        Field("is_expression", Flag(), "Checked", "Left out: whatever reads as an expression is checked."),
    ),
)
_ACTORS = Record(
    Actors,
    tuple(
        Field(name, Text(), name.capitalize())
        for name in ("strategy", "execution", "review", "apply", "estimation", "invariant")
    ),
)
_BODY = Record(
    Body,
    (
        Field("action", Text("action"), "Action", "A registered action: `namespace/name`."),
        Field("workflow", Text("workflow"), "Workflow", "Or a workflow."),
        Field("version", Number(whole=True, at_least=1), "Version", "Of the workflow; left out, the published one."),
        Field("parameters", Values("arguments"), "Parameters", "Templates over `args`."),
    ),
)


@dataclass(frozen=True)
class _InvariantKind:
    """A sentence or expression alone, or `{text, is_expression}`."""

    def read(self, value: Any, at: str, report: Report) -> Any:
        """Take either."""
        if isinstance(value, str):
            return Invariant(text=value)
        if not isinstance(value, dict):
            return misfit(report, at, "text or {text, is_expression}", value)
        return _INVARIANT.read(value, at, report)

    def write(self, value: Any) -> Any:
        """Write the text alone if that says it all."""
        return value.text if value.is_expression is None else _INVARIANT.write(value)

    def schema(self) -> dict[str, Any]:
        """Either."""
        return {"anyOf": [{"type": "string"}, _INVARIANT.schema()]}


ACTION: Final = Record(
    UserAction,
    (
        Field("name", Text(), "Name", "`namespace/name` in small letters, digits and _.", required=True),
        Field("title", Text(), "Title", "What people read in the palette."),
        Field("description", Text("long_text"), "Description", "What it does, in a sentence or two."),
        Field("long_description", Text("long_text"), "Long description", "Everything else people should know."),
        Field("definition_of_done", Text("long_text"), "Definition of done", "What has to be true in the end."),
        Field("icon", Text(), "Icon", "A Lucide icon's name."),
        Field("tags", ListOf(Text()), "Tags"),
        Field("reusable", Flag(), "Reusable", "Whether a plan may apply it more than once."),
        Field("read_only", Flag(), "Read only", "It changes nothing, so a lost call is made again."),
        Field("automation_profile", Text(), "Automation profile", "How much of a plan goes on without a person."),
        Field("actors", _ACTORS, "Actors", "Who does the parts of a plan, as `namespace/name`."),
        Field("arguments", ListOf(_ARGUMENT), "Arguments", "In order."),
        Field("invariants", ListOf(_InvariantKind()), "Invariants", "In order."),
        Field("inputs_schema", Values("value"), "Inputs schema", "A JSON Schema; left out, the arguments give it."),
        Field("body", _BODY, "Body", "What it calls.", always=True),
    ),
    what="a mapping: the action",
    fixed={"dsl": SCHEMA_ID, "kind": "action"},
)


def read_action(document: Any, report: Report) -> UserAction | None:
    """Read an action from plain data; None when it has no name. Whether it makes sense is for the validator.

    Args:
        document: With or without the two keys that say what it is, `dsl` and `kind`.
        report: Where problems go.
    """
    if isinstance(document, dict):
        for key, word in ACTION.fixed.items():
            if document.get(key, word) != word:
                text = f"This must be `{word}`, not `{str(document[key])[:80]}`."
                report.error("unsupported_dsl", f"/{key}", text, "Workflows are imported on their own page.")
    action = ACTION.read(document, "", report)
    return None if action is UNREADABLE else action


def write_action(action: UserAction) -> dict[str, Any]:
    """Give an action as plain data in canonical form."""
    written: dict[str, Any] = ACTION.write(action)
    return written


def action_schema() -> dict[str, Any]:
    """Give the JSON Schema of the text form; the two keys that say what it is may be left out."""
    schema = ACTION.schema()
    return {**schema, "title": "A user-defined action", "required": ["name", "body"]}
