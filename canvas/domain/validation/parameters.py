"""The parameters that a workflow declares: whether they make sense, and whether what a run is given fits them."""

from collections.abc import Mapping
from typing import Any

import orjson

from canvas.domain.definition import Parameter
from canvas.domain.problems import Problem, Report, child
from canvas.domain.states import ParameterType
from canvas.domain.validation.names import NAME_HINT, is_name
from canvas.domain.validation.survey import Survey

_TYPES: Mapping[ParameterType, tuple[type, ...]] = {
    ParameterType.STRING: (str,),
    ParameterType.INTEGER: (int,),
    ParameterType.NUMBER: (int, float),
    ParameterType.BOOLEAN: (bool,),
    ParameterType.LIST: (list,),
    ParameterType.OBJECT: (dict,),
}
_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", list: "list", dict: "object"}


def fits(value: Any, type: ParameterType) -> bool:
    """Tell whether a value is of a parameter's type; `3.0` is an integer, as in JSON Schema."""
    if type is ParameterType.ANY:
        return True
    if isinstance(value, bool):
        return type is ParameterType.BOOLEAN
    if type is ParameterType.INTEGER and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[type])


def kind_of_value(value: Any) -> str:
    """Name a JSON value's type in a parameter's words."""
    return "nothing" if value is None else _KINDS.get(type(value), "something else")


def check_parameters(
    parameters: Mapping[str, Parameter], given: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Judge what a run is to be started with, and fill in the defaults.

    Args:
        parameters: What the workflow declares.
        given: What the caller gives; not changed.

    Returns:
        A value for every parameter that has one, and all problems, their pointers into `given`. A parameter that is
        neither given nor has a default is null, so that expressions can name it.
    """
    report = Report()
    values: dict[str, Any] = {}
    for name in given:
        if name not in parameters:
            known = f"It takes {', '.join(parameters)}." if parameters else "It takes none."
            text = f"There is no parameter `{str(name)[:80]}`."
            report.error("unknown_parameter", child("", name), text, report.near(name, parameters) or known)
    for name, parameter in parameters.items():
        value = given.get(name)
        if value is None:
            value = parameter.default
        if value is not None:
            _check_value(report, child("", name), f"`{name}`", value, parameter)
        elif parameter.required:
            text = f"The parameter `{name}` is missing."
            report.error("missing_parameter", child("", name), text, parameter.description)
        values[name] = value
    return values, report.problems


def check_declared(survey: Survey) -> None:
    """Report parameters and outputs whose declaration does not make sense."""
    report = survey.report
    for name, parameter in survey.definition.parameters.items():
        at = child("/parameters", name)
        if not is_name(name):
            report.error("bad_name", at, f"`{name[:80]}` is no name for a parameter.", NAME_HINT)
        for index, choice in enumerate(parameter.enum):
            if not fits(choice, parameter.type):
                text = f"This choice is of type {kind_of_value(choice)}, not {parameter.type}."
                report.error("wrong_type", f"{at}/enum/{index}", text)
        if parameter.default is not None:
            _check_value(report, f"{at}/default", "The default", parameter.default, parameter)
    for name in survey.definition.outputs:
        if not is_name(name):
            report.error("bad_name", child("/outputs", name), f"`{name[:80]}` is no name for an output.", NAME_HINT)


def _check_value(report: Report, at: str, what: str, value: Any, parameter: Parameter) -> None:
    if not fits(value, parameter.type):
        text = f"{what} must be of type {parameter.type}, not {kind_of_value(value)}."
        report.error("wrong_type", at, text)
    elif parameter.enum and not any(value == one and type(value) is type(one) for one in parameter.enum):
        listed = orjson.dumps(list(parameter.enum)).decode()[1:-1]
        report.error("not_a_choice", at, f"{what} must be one of {listed[:200]}.")
