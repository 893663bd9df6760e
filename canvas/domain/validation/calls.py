"""Checks of what a definition calls: actions with their arguments, and other workflows with their parameters."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
import orjson

from canvas.domain.catalog import ActionSpec, Catalog, WorkflowSignature
from canvas.domain.connections import is_name
from canvas.domain.json_schemas import validator as linear_validator
from canvas.domain.problems import Report, child
from canvas.domain.states import ActionOrigin
from canvas.domain.steps import ActionStep, WorkflowLinkStep
from canvas.domain.validation.parameters import fits, kind_of_value
from canvas.domain.validation.survey import Survey
from canvas.domain.validation.templates import templates_in
from canvas.domain.validation.tools import names_tool, tool_of_any_server

_WHATEVER_IS_INSIDE = {
    "required",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "dependentRequired",
}
"Keywords that hold or fail whatever the templates inside turn out to be."
Validators = dict[str, jsonschema_rs.Validator]
_WORDS_OF_UNKNOWN_KEY = {"additionalProperties", "unevaluatedProperties"}


def check_calls(survey: Survey, catalog: Catalog, *, allow_unregistered: bool) -> None:
    """Report actions and workflows that are not there, and arguments that do not fit.

    Args:
        survey: The definition.
        catalog: What there is.
        allow_unregistered: Whether an unknown action or workflow is only worth a warning, as in a dry run.
    """
    validators: Validators = {}
    _check_error_workflow(survey, catalog, allow_unregistered)
    for placed in survey.each_step():
        step, at, report = placed.step, placed.pointer, survey.report
        if isinstance(step, ActionStep) and step.action:
            spec = catalog.actions.get(step.action) or tool_of_any_server(report, step, at, catalog)
            if spec is None and names_tool(step.action):
                continue
            if spec is None:
                _report_unknown_action(report, step, at, catalog, allow_unregistered)
            else:
                _check_action(report, step, at, spec, validators)
                check_connections(report, step.parameters, f"{at}/parameters", spec, catalog.connections)
                _check_started(survey, spec, at, catalog)
        elif isinstance(step, WorkflowLinkStep) and step.workflow:
            _check_link(survey, step, at, catalog, allow_unregistered)


def _report_unknown_action(report: Report, step: ActionStep, at: str, catalog: Catalog, allowed: bool) -> None:
    text = f"There is no action `{step.action[:80]}`."
    known = next((name for name, spec in catalog.actions.items() if step.action in spec.aliases), None)
    meant = f"Here it is called `{known}`." if known else report.near(step.action, catalog.actions)
    hint = meant or "`canvas actions` lists them."
    tell = report.warning if allowed else report.error
    tell("unknown_action", f"{at}/action", text, f"A dry run answers it from a fixture. {hint}" if allowed else hint)


def _check_action(report: Report, step: ActionStep, at: str, spec: ActionSpec, validators: Validators) -> None:
    if step.version is not None and step.version != spec.version:
        text = f"`{spec.name}` has no version {step.version}."
        report.error("unknown_action_version", f"{at}/action", text, f"It is at version {spec.version}.")
    if spec.is_archived:
        hint = "Take another action, or restore this one on the Actions page."
        report.error("archived_action", f"{at}/action", f"`{spec.name}` is archived.", hint)
    if spec.name not in validators:
        validators[spec.name] = _validator_for(spec)
    check_given(report, dict(step.parameters), f"{at}/parameters", spec, validators[spec.name])


def check_given(
    report: Report, given: Any, at: str, spec: ActionSpec, validator: jsonschema_rs.Validator | None = None
) -> None:
    """Report what an action cannot be called with; what templates give is known only in a run.

    Args:
        given: The parameters by name.
        at: Where they stand.
        validator: Of the action's schema, for whoever checks many calls of it.
    """
    properties = spec.arguments_schema.get("properties", {})
    unsure = _around_templates(given)
    for code, pointer, text, hint in _faults(validator or _validator_for(spec), given, unsure, properties, report):
        report.error(code, at + pointer, text, hint)
    for name in (name for name, schema in properties.items() if schema.get("x-literal")):
        for pointer, _ in templates_in(given.get(name), child(at, name)):
            text = f"`{name}` is taken as it is written, and no `{{{{ … }}}}` may stand in it."
            report.error(
                "template_not_allowed", pointer, text, "Hand values over beside it, as parameters of their own."
            )


def _validator_for(spec: ActionSpec) -> jsonschema_rs.Validator:
    if spec.origin is ActionOrigin.USER:
        return linear_validator(spec.arguments_schema)
    return jsonschema_rs.validator_for(dict(spec.arguments_schema), offline=True)


def _check_started(survey: Survey, spec: ActionSpec, at: str, catalog: Catalog) -> None:
    """Report a user-defined action that would start this very workflow again, by whatever way."""
    own = survey.definition.name
    if spec.starts and (path := path_back(spec.starts, own, catalog)):
        text = f"These would start each other without end: {' → '.join([own, spec.name, *path])}."
        survey.report.error("recursion", f"{at}/action", text, "Take one of these links out.")


def check_connections(
    report: Report, given: Mapping[str, Any], at: str, spec: ActionSpec, connections: Mapping[str, str]
) -> None:
    """Report connections that are not there, or of a kind that the action cannot use."""
    for argument, kinds in spec.connections.items():
        name = given.get(argument)
        if not is_name(name):
            continue
        here, wanted = child(at, argument), " or ".join(kinds)
        if name not in connections:
            fitting = [known for known, kind in connections.items() if kind in kinds]
            text = f"There is no connection `{name[:80]}`."
            hint = report.near(name, fitting) or f"Add it on the Connections page, of kind {wanted}."
            report.warning("unknown_connection", here, text, hint)
        elif connections[name] not in kinds:
            text = f"The connection `{name[:80]}` is of kind {connections[name]}; `{spec.name}` needs {wanted}."
            fitting = [f"`{known}`" for known, kind in connections.items() if kind in kinds][:5]
            report.error("wrong_connection_kind", here, text, f"Use {' or '.join(fitting)}." if fitting else "")


def _faults(
    validator: jsonschema_rs.Validator, given: Any, unsure: set[str], properties: Mapping[str, Any], report: Report
) -> Iterator[tuple[str, str, str, str]]:
    for error in validator.iter_errors(given):
        pointer = ""
        for part in error.instance_path:
            pointer = child(pointer, part)
        keyword, told = str(error.kind.name), error.kind.as_dict()
        is_sure = keyword in _WHATEVER_IS_INSIDE
        if pointer in unsure and not is_sure:
            continue
        if keyword == "required":
            name = str(told.get("property"))
            description = str(properties.get(name, {}).get("description", "")) if not pointer else ""
            yield "missing_parameter", child(pointer, name), f"The parameter `{name}` is missing.", description
        elif keyword in _WORDS_OF_UNKNOWN_KEY:
            for name in told.get("unexpected", ()):
                hint = report.near(name, properties) if not pointer else ""
                known = f"It takes {', '.join(properties)}." if properties and not pointer else ""
                yield "unknown_parameter", child(pointer, name), f"There is no parameter `{name[:80]}`.", hint or known
        else:
            yield "bad_parameter", pointer, f"{_capital(error.message)}.", ""


def _around_templates(value: Any) -> set[str]:
    """Give the pointers of all templates in a value and of everything that holds one."""
    around: set[str] = set()
    for pointer, _ in templates_in(value, ""):
        while pointer not in around:
            around.add(pointer)
            pointer = pointer.rpartition("/")[0]
    return around


def _capital(text: str) -> str:
    text = text if len(text) <= 200 else f"{text[:200]}…"
    return text[:1].upper() + text[1:]


def _check_link(survey: Survey, step: WorkflowLinkStep, at: str, catalog: Catalog, allowed: bool) -> None:
    report, own = survey.report, survey.definition.name
    if step.workflow == own:
        report.error("recursion", f"{at}/workflow", f"`{own}` would start itself without end.", "Use a loop.")
        return
    signature = catalog.workflows.get(step.workflow)
    if signature is None:
        text = f"There is no workflow `{step.workflow[:80]}`."
        hint = report.near(step.workflow, catalog.workflows) or "It has to be published before this one."
        tell = report.warning if allowed else report.error
        tell(
            "unknown_workflow",
            f"{at}/workflow",
            text,
            f"A dry run answers it from a fixture. {hint}" if allowed else hint,
        )
        return
    if path := path_back(step.workflow, own, catalog):
        text = f"These workflows would start each other without end: {' → '.join([own, *path])}."
        report.error("recursion", f"{at}/workflow", text, "Take one of these links out.")
    if step.version is None:
        check_linked(report, step.parameters, f"{at}/parameters", signature)


def _check_error_workflow(survey: Survey, catalog: Catalog, allowed: bool) -> None:
    name, at, report = survey.definition.settings.error_workflow, "/settings/error_workflow", survey.report
    if not name:
        return
    signature = catalog.workflows.get(name)
    if name == survey.definition.name:
        text = f"`{name}` cannot be its own error workflow: it would fail without end."
        report.error("recursion", at, text, "Name another workflow.")
    elif signature is None:
        tell = report.warning if allowed else report.error
        hint = report.near(name, catalog.workflows) or "It has to be there before this one is published."
        tell("unknown_workflow", at, f"There is no workflow `{name[:80]}`.", hint)
    else:
        for parameter, declared in signature.parameters.items():
            if declared.required and declared.default is None:
                text = f"`{name}` needs the parameter `{parameter}`, which nothing gives to an error workflow."
                report.error("missing_parameter", at, text, "What failed is told as `trigger.data`.")


def path_back(start: str, goal: str, catalog: Catalog) -> list[str]:
    """Find how links, and actions that start workflows, lead from one workflow to another; empty when they do not."""
    came_from: dict[str, str | None] = {start: None}
    waiting = [start]
    for name in waiting:
        if name == goal:
            path: list[str] = []
            here: str | None = name
            while here is not None:
                path.append(here)
                here = came_from[here]
            return path[::-1]
        for link in catalog.starts(name):
            if link not in came_from:
                came_from[link] = name
                waiting.append(link)
    return []


def check_linked(report: Report, given: Mapping[str, Any], at: str, signature: WorkflowSignature) -> None:
    """Report what a workflow cannot be started with; what templates give is known only in a run."""
    for name, value in given.items():
        parameter = signature.parameters.get(name)
        if parameter is None:
            known = f"It takes {', '.join(signature.parameters)}." if signature.parameters else "It takes none."
            text = f"`{signature.name}` has no parameter `{name[:80]}`."
            report.error("unknown_parameter", child(at, name), text, report.near(name, signature.parameters) or known)
        elif any(True for _ in templates_in(value, "")):
            continue
        elif not fits(value, parameter.type):
            text = f"`{name}` must be of type {parameter.type}, not {kind_of_value(value)}."
            report.error("bad_parameter", child(at, name), text)
        elif parameter.enum and value not in parameter.enum:
            text = f"`{name}` must be one of {orjson.dumps(list(parameter.enum)).decode()[1:-1]}."
            report.error("bad_parameter", child(at, name), text)
    for name, parameter in signature.parameters.items():
        if parameter.required and parameter.default is None and name not in given:
            text = f"`{signature.name}` needs the parameter `{name}`."
            report.error("missing_parameter", child(at, name), text, parameter.description)
