"""JSON Schemas out of the grammar: of the whole text form, of one step's form, and of what a run is started with."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from canvas.domain.definition import SCHEMA_ID, Definition, Parameter
from canvas.domain.dsl.grammar import STEPS, TOP
from canvas.domain.dsl.kinds import Field, with_default
from canvas.domain.states import ParameterType, StepType

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_ABOUT: Mapping[StepType, tuple[str, str]] = {
    StepType.ACTION: ("Action", "Calls a registered action."),
    StepType.CONDITION: ("Condition", "Goes one way or the other: IF_TRUE or IF_FALSE."),
    StepType.SWITCH: ("Switch", "Goes the way of the case that fits, or DEFAULT."),
    StepType.PARALLEL: ("Parallel", "Runs the steps inside at the same time."),
    StepType.LOOP: ("Loop", "Runs the steps inside for each item, so many times, or while a condition holds."),
    StepType.WORKFLOW_LINK: ("Sub-workflow", "Runs another workflow."),
    StepType.WAIT: ("Wait", "Waits for a time span or a moment, holding nothing."),
    StepType.TASK: ("Task", "Raises a task for people or an AI, and waits until it has ended."),
    StepType.SET: ("Set", "Writes values to `context` for later steps."),
    StepType.STOP: ("Stop", "Ends the run at once."),
}
_JSON_TYPES: Mapping[ParameterType, str] = {
    one: "array" if one is ParameterType.LIST else str(one) for one in ParameterType if one is not ParameterType.ANY
}
_NOT_IN_A_FORM = {"edges"}


@cache
def _whole_schema() -> dict[str, Any]:
    top = TOP.schema()
    nested = {"type": "array", "items": {"$ref": "#/$defs/step"}}
    place = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    properties = {
        "dsl": {"const": SCHEMA_ID, "description": "The form of this file."},
        **top["properties"],
        "steps": {**nested, "title": "Steps"},
        "layout": {"type": "object", "additionalProperties": place, "description": "Where each step lies: [x, y]."},
    }
    return {
        "$schema": DRAFT,
        "$id": f"urn:{SCHEMA_ID.replace('/', ':')}",
        "title": "A Canvas workflow",
        **top,
        "properties": properties,
        "required": ["dsl", *top["required"]],
        "$defs": {"step": _any_step(), **{f"{one}_step": _step(one, nested) for one in StepType}},
    }


def definition_schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of the text form: what it takes reads without a problem of form."""
    return dict(_whole_schema())


def step_schema(step_type: StepType) -> dict[str, Any]:
    """Give the schema of the form that edits one step: its keys in order, without the lines and the steps inside.

    Each property has `title`, mostly a `description`, and where text is not just text an `x-widget`: `expression`,
    `template`, `value`, `values`, `arguments`, `action`, `workflow`, `long_text`. `x-group` is `advanced` for what few
    people need.
    """
    record = STEPS[step_type]
    shown = [one for one in record.fields if one.group not in _NOT_IN_A_FORM]
    title, description = _ABOUT[step_type]
    return {
        "type": "object",
        "title": title,
        "description": description,
        "properties": {one.key: _with_title(one, record.build) for one in shown},
        "required": [one.key for one in shown if one.required],
        "additionalProperties": False,
    }


def parameters_schema(definition: Definition) -> dict[str, Any]:
    """Give the schema of what a run is started with, for the form behind the Run button."""
    required = [name for name, one in definition.parameters.items() if one.required and one.default is None]
    return {
        "type": "object",
        "properties": {name: _parameter(name, one) for name, one in definition.parameters.items()},
        "required": required,
        "additionalProperties": False,
    }


def _any_step() -> dict[str, Any]:
    chosen = [
        {
            "if": {"properties": {"type": {"const": str(one)}}, "required": ["type"]},
            "then": {"$ref": f"#/$defs/{one}_step"},
        }
        for one in StepType
    ]
    return {
        "type": "object",
        "properties": {"type": {"enum": [str(one) for one in StepType]}},
        "required": ["name", "type"],
        "allOf": chosen,
    }


def _step(step_type: StepType, nested: dict[str, Any]) -> dict[str, Any]:
    title, description = _ABOUT[step_type]
    schema = {"title": title, "description": description, **STEPS[step_type].schema()}
    if step_type.is_container:
        schema["properties"] = {**schema["properties"], "steps": {**nested, "title": "Steps inside"}}
        schema["required"] = [*schema["required"], "steps"]
    return schema


def _with_title(one: Field, owner: Any) -> dict[str, Any]:
    return {"title": one.title or one.key, **with_default(one, owner)}


def _parameter(name: str, parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"title": parameter.title or name}
    if parameter.description:
        schema["description"] = parameter.description
    if parameter.type in _JSON_TYPES:
        schema["type"] = _JSON_TYPES[parameter.type]
    if parameter.enum:
        schema["enum"] = list(parameter.enum)
    if parameter.default is not None:
        schema["default"] = parameter.default
    return schema
