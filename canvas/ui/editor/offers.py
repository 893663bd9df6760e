"""What the editor is told once: what can be added, which forms steps have, and what expressions can call."""

from dataclasses import asdict
from functools import cache
from typing import Any

from canvas.domain.catalog import ActionSpec, Catalog, WorkflowSignature
from canvas.domain.definition import Parameter
from canvas.domain.events import KNOWN_EVENTS
from canvas.domain.expressions import FUNCTIONS, MACROS
from canvas.domain.schema import definition_schema, step_schema
from canvas.domain.states import ParameterType, StepType
from canvas.services import catalog, views
from canvas.services.trials import is_trial

_JSON_TYPES = {ParameterType.LIST: "array", ParameterType.ANY: None}


def editor_catalog(session: Any) -> dict[str, Any]:
    """Give everything the palette, the forms and the completion of expressions show, as JSON."""
    known: Catalog = catalog.catalog(session)
    titles = views.workflow_titles(session)
    return {
        "actions": [_action(spec) for spec in known.actions.values() if not spec.is_archived],
        "workflows": [
            _workflow(signature, titles.get(name, ""))
            for name, signature in known.workflows.items()
            if not is_trial(name)
        ],
        "connections": [{"name": name, "kind": kind} for name, kind in sorted(known.connections.items())],
        "connectionKinds": {kind.name: kind.title for kind in views.connection_kind_rows()},
        **_fixed(),
    }


@cache
def _fixed() -> dict[str, Any]:
    called = [*FUNCTIONS.values(), *MACROS.values()]
    functions = [{"name": f.name, "signature": f.signature, "summary": f.summary} for f in called]
    return {
        "steps": {step_type.value: step_schema(step_type) for step_type in StepType},
        "settings": definition_schema()["properties"]["settings"],
        "events": [{"type": event.name, "description": event.description} for event in KNOWN_EVENTS],
        "functions": functions,
    }


def _action(spec: ActionSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "title": spec.title,
        "description": spec.description,
        "category": spec.category,
        "icon": spec.icon,
        "arguments": dict(spec.arguments_schema),
        "result": dict(spec.result_schema),
        "example": dict(spec.example_arguments),
        "aliases": list(spec.aliases),
        "permissions": [permission.value for permission in spec.permissions],
        "security": spec.security,
        "origin": spec.origin.value,
        "origin_detail": spec.origin_detail,
        "idempotent": spec.idempotent,
        "touches_world": spec.touches_world,
    }


def _workflow(signature: WorkflowSignature, title: str) -> dict[str, Any]:
    properties = {name: _parameter(parameter) for name, parameter in signature.parameters.items()}
    required = [name for name, parameter in signature.parameters.items() if parameter.required]
    return {
        "name": signature.name,
        "title": title,
        "parameters": {"type": "object", "properties": properties, "required": required},
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    kind = _JSON_TYPES.get(parameter.type, parameter.type.value)
    fields = asdict(parameter)
    shown = {key: fields[key] for key in ("title", "description", "default") if fields[key] not in ("", None)}
    return {**({"type": kind} if kind else {}), **({"enum": list(parameter.enum)} if parameter.enum else {}), **shown}
