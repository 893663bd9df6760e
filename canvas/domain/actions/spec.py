"""A user-defined action as the catalogue shows it: like any other, with what its body tells of itself."""

import re
from typing import Any, Final

from canvas.domain.actions.arguments import arguments_schema
from canvas.domain.actions.values import Argument, Body, UserAction
from canvas.domain.catalog import ActionSpec, Catalog
from canvas.domain.connections import Call, is_name, named_in
from canvas.domain.states import ActionOrigin, ActionState, ArgumentType

CATEGORY = "Yours"
_PASSED_ON: Final = re.compile(r"\{\{\s*args\.(\w+)\s*\}\}")
_WIDGETS: Final = ("x-widget", "x-connection", "enum")
_SAMPLES: dict[ArgumentType, Any] = {
    ArgumentType.STRING: "text",
    ArgumentType.INTEGER: 1,
    ArgumentType.FLOAT: 1.5,
    ArgumentType.BOOLEAN: True,
    ArgumentType.LIST: [],
}


def spec_of(action: UserAction, version: int, known: Catalog) -> ActionSpec:
    """Describe an action for the palette, the forms and the validator.

    Args:
        version: How often it was saved.
        known: The registered actions, of which its body may be one.
    """
    body = action.body
    inner = known.actions.get(body.action)
    return ActionSpec(
        name=action.name,
        version=version,
        title=action.title or action.name,
        description=action.description,
        category=CATEGORY,
        icon=action.icon,
        arguments_schema=_with_widgets(arguments_schema(action), action, inner),
        result_schema=inner.result_schema if inner else {},
        example_arguments={one.name: sample(one) for one in action.arguments if one.required},
        example_result=inner.example_result if inner else {},
        idempotent=action.read_only or bool(inner and inner.idempotent),
        partly_idempotent=not action.read_only and bool(inner and inner.partly_idempotent),
        touches_world=inner.touches_world if inner else True,
        permissions=inner.permissions if inner else (),
        security=_security(action, inner),
        always_uses=_always_used(body, known),
        origin=ActionOrigin.USER,
        origin_detail=body.action or body.workflow,
        starts=body.workflow,
        is_archived=action.state is ActionState.ARCHIVED,
    )


def _always_used(body: Body, known: Catalog) -> dict[str, tuple[str, ...]]:
    texts = {name: value for name, value in body.parameters.items() if is_name(value)}
    found = named_in([Call("", body.action, texts)], known.actions)
    return {named.connection: named.kinds for named in found}


def _with_widgets(schema: dict[str, Any], action: UserAction, inner: ActionSpec | None) -> dict[str, Any]:
    """Show an argument that is passed on unchanged the way the inner action's form does."""
    properties = schema.get("properties")
    if inner is None or not isinstance(properties, dict):
        return schema
    shown = dict(properties)
    for key, theirs in inner.arguments_schema.get("properties", {}).items():
        found = _PASSED_ON.fullmatch(str(action.body.parameters.get(key, "")))
        if found and isinstance(ours := shown.get(found[1]), dict):
            shown[found[1]] = {**{word: theirs[word] for word in _WIDGETS if word in theirs}, **ours}
    return {**schema, "properties": shown}


def sample(argument: Argument) -> Any:
    """Give a value that an argument may have, as far as that can be told: its default, or one within its bounds."""
    if argument.default is not None:
        return argument.default
    value = _SAMPLES[argument.type]
    if argument.type in (ArgumentType.INTEGER, ArgumentType.FLOAT):
        value = value if argument.min_value is None else max(value, argument.min_value)
        return value if argument.max_value is None else min(value, argument.max_value)
    return value


def _security(action: UserAction, inner: ActionSpec | None) -> str:
    if action.body.workflow:
        return f"Starts the workflow `{action.body.workflow}`, and may do whatever its published version does."
    return f"Calls `{action.body.action}`. {inner.security if inner else ''}".strip()
