"""Everything that is wrong with a user-defined action, all at once, each with its place."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from canvas.domain.actions import Argument, Body, Invariant, UserAction, arguments_schema
from canvas.domain.actions.arguments import BOUNDED, argument_faults
from canvas.domain.actions.calls import is_checked
from canvas.domain.catalog import Catalog
from canvas.domain.expressions import ExpressionError, Program, Template, compile_expression, compile_template
from canvas.domain.expressions.patterns import compile_pattern
from canvas.domain.json_schemas import validator
from canvas.domain.problems import Problem, Report, child
from canvas.domain.states import ActionOrigin, ArgumentType
from canvas.domain.validation.calls import check_connections, check_given, check_linked, path_back
from canvas.domain.validation.names import NAME_HINT, is_name
from canvas.domain.validation.templates import templates_in

MAX_ARGUMENTS = 100
MAX_INVARIANTS = 100
MAX_TEXT = 20_000
"Characters of one description."
MAX_LINE = 200
RESERVED_NAMESPACES = frozenset({"canvas", "mcp", "tool", "new", "import", "check"})
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}/[a-z][a-z0-9_]{0,63}")
_ACTOR = re.compile(r"[\w.-]+/[\w.@-]+")
_NAME_HINT = "Write `namespace/name` in small letters, digits and `_`, such as `team/deploy`."
_LINES = ("title", "icon", "automation_profile")
_TEXTS = ("description", "long_description", "definition_of_done")


def validate_action(action: UserAction, catalog: Catalog) -> tuple[Problem, ...]:
    """Find every problem of a user-defined action.

    Args:
        catalog: The registered actions, and the workflows with what each of them starts.
    """
    report = Report()
    _check_name(report, action.name, catalog)
    _check_texts(report, action)
    _check_arguments(report, action)
    _check_schema(report, action)
    known = _known_arguments(action)
    if len(action.invariants) > MAX_INVARIANTS:
        report.error("too_many_invariants", "/invariants", f"An action has at most {MAX_INVARIANTS} invariants.")
    for index, invariant in enumerate(action.invariants[:MAX_INVARIANTS]):
        _check_invariant(report, invariant, f"/invariants/{index}", known)
    _check_body(report, action, catalog, known)
    return report.problems


def _check_name(report: Report, name: str, catalog: Catalog) -> None:
    if not _NAME.fullmatch(name):
        report.error("bad_name", "/name", f"`{name[:80]}` is no name for an action.", _NAME_HINT)
        return
    namespace = name.partition("/")[0]
    taken = {one.partition("/")[0] for one, spec in catalog.actions.items() if spec.origin is not ActionOrigin.USER}
    if namespace in taken | RESERVED_NAMESPACES:
        text = f"The namespace `{namespace}` belongs to registered actions."
        report.error("reserved_name", "/name", text, "Use one of your own, such as the name of your team.")


def _check_texts(report: Report, action: UserAction) -> None:
    for keys, limit in ((_LINES, MAX_LINE), (_TEXTS, MAX_TEXT)):
        for key in keys:
            if len(getattr(action, key)) > limit:
                report.error("text_too_long", f"/{key}", f"`{key}` has more than {limit:,} characters.")
    for name in ("strategy", "execution", "review", "apply", "estimation", "invariant"):
        actor = getattr(action.actors, name)
        if actor and (len(actor) > MAX_LINE or not _ACTOR.fullmatch(actor)):
            text = f"`{actor[:80]}` names no actor."
            report.error("bad_actor", f"/actors/{name}", text, "Write `namespace/name`, such as `team/reviewer`.")
    for index, tag in enumerate(action.tags):
        if not 0 < len(tag) <= MAX_LINE:
            report.error("bad_tag", f"/tags/{index}", f"A tag has 1 to {MAX_LINE} characters.")


def _check_arguments(report: Report, action: UserAction) -> None:
    if len(action.arguments) > MAX_ARGUMENTS:
        report.error("too_many_arguments", "/arguments", f"An action has at most {MAX_ARGUMENTS} arguments.")
    counts = Counter(one.name for one in action.arguments)
    for index, argument in enumerate(action.arguments[:MAX_ARGUMENTS]):
        at = f"/arguments/{index}"
        if not is_name(argument.name):
            report.error("bad_name", f"{at}/name", f"`{argument.name[:80]}` is no name for an argument.", NAME_HINT)
        elif counts[argument.name] > 1:
            report.error("duplicate_name", f"{at}/name", f"Another argument is called `{argument.name}` too.")
        _check_bounds(report, argument, at)
        is_pattern_sound = _check_pattern(report, argument, at)
        if argument.default is not None and is_pattern_sound:
            for fault in argument_faults(argument, argument.default):
                report.error("bad_default", f"{at}/default", f"The default {fault}.")
        if argument.default is not None and argument.required:
            text = f"`{argument.name}` is never missing: it has a default."
            report.warning("no_effect", f"{at}/required", text, "Take out one of the two.")


def _check_bounds(report: Report, argument: Argument, at: str) -> None:
    least, most = argument.min_value, argument.max_value
    for key, bound in (("min_value", least), ("max_value", most)):
        if bound is not None and argument.type not in BOUNDED:
            report.error("no_effect", f"{at}/{key}", f"A {argument.type} has no bounds.", "Take it out.")
    if least is not None and most is not None and least > most:
        text = f"The least, {least:g}, is above the greatest, {most:g}."
        report.error("bad_bounds", f"{at}/min_value", text, "Exchange them.")
    if argument.type in (ArgumentType.STRING, ArgumentType.LIST):
        for key, bound in (("min_value", least), ("max_value", most)):
            if bound is not None and (bound < 0 or not float(bound).is_integer()):
                report.error("bad_bounds", f"{at}/{key}", "A length is a whole number from 0.")


def _check_pattern(report: Report, argument: Argument, at: str) -> bool:
    if argument.pattern is None:
        return True
    if argument.type is not ArgumentType.STRING:
        report.error("no_effect", f"{at}/pattern", f"A {argument.type} fits no pattern.", "Take it out.")
        return False
    try:
        compile_pattern(argument.pattern)
        validator({"pattern": argument.pattern})
    except (ExpressionError, ValueError) as error:
        report.error("bad_pattern", f"{at}/pattern", f"This is no pattern that can be used: {str(error)[:200]}")
        return False
    return True


def _check_schema(report: Report, action: UserAction) -> None:
    schema = action.inputs_schema
    if schema is None:
        return
    if schema.get("type") != "object":
        report.error("bad_schema", "/inputs_schema/type", "The arguments are an object.", "Write `type: object`.")
    for pointer in _remote_references(schema, "/inputs_schema"):
        report.error("bad_schema", pointer, "Only references within the schema, `#/…`, are followed.")
        return
    try:
        validator(schema)
    except (ValueError, TypeError) as error:
        report.error("bad_schema", "/inputs_schema", f"This is no JSON Schema: {str(error)[:200]}")


def _remote_references(schema: Any, at: str) -> list[str]:
    waiting, found = [(at, schema)], list[str]()
    while waiting:
        here, one = waiting.pop()
        if isinstance(one, Mapping):
            for key, value in one.items():
                if key in ("$ref", "$dynamicRef", "$schema", "$id") and not str(value).startswith("#"):
                    found.append(child(here, key))
                waiting.append((child(here, key), value))
        elif isinstance(one, list):
            waiting.extend((f"{here}/{index}", item) for index, item in enumerate(one))
    return found


def _known_arguments(action: UserAction) -> frozenset[str] | None:
    """Name the arguments there are; None when a schema of its own leaves that open."""
    schema = arguments_schema(action)
    properties = schema.get("properties")
    names = properties if isinstance(properties, Mapping) else {}
    is_open = action.inputs_schema is not None and schema.get("additionalProperties") is not False
    return None if is_open else frozenset(names)


def _check_invariant(report: Report, invariant: Invariant, at: str, known: frozenset[str] | None) -> None:
    if not invariant.text.strip():
        report.error("missing_key", at, "An invariant says something.", "Write an expression or a sentence.")
    elif len(invariant.text) > MAX_TEXT:
        report.error("text_too_long", at, f"An invariant has at most {MAX_TEXT:,} characters.")
    elif is_checked(invariant):
        _check_expression(report, compile_expression, invariant.text, at, known, frozenset({"args", "output"}))


def _check_expression(
    report: Report, compile: Any, text: str, at: str, known: frozenset[str] | None, roots: frozenset[str]
) -> None:
    try:
        program: Program | Template = compile(text)
    except ExpressionError as error:
        column = error.details.get("column") if error.details.get("line") == 1 else None
        hint = str(error.details.get("hint") or "")
        column = column if isinstance(column, int) else None
        report.error("bad_expression", at, str(error), hint, expression_column=column)
        return
    for reference in program.references:
        root, column = str(reference.path[0]), reference.columns[0]
        if root not in roots:
            hint = f"Did you mean `args.{root}`?" if known and root in known else f"Known here: {', '.join(roots)}."
            report.error("unknown_name", at, f"`{root[:80]}` means nothing here.", hint, expression_column=column)
        elif root == "args" and len(reference.path) > 1 and known is not None:
            name = str(reference.path[1])
            if name not in known:
                hint = report.near(name, known) or (f"There are {', '.join(sorted(known))}." if known else "")
                text = f"There is no argument `{name[:80]}`."
                report.error("unknown_argument", at, text, hint, expression_column=reference.columns[1])


def _check_body(report: Report, action: UserAction, catalog: Catalog, known: frozenset[str] | None) -> None:
    body = action.body
    if bool(body.action) == bool(body.workflow):
        told = "Both an action and a workflow are given" if body.action else "Neither an action nor a workflow is given"
        report.error("bad_body", "/body", f"{told}.", "Name what it calls: one registered action, or one workflow.")
        return
    for pointer, text in templates_in(dict(body.parameters), "/body/parameters"):
        _check_expression(report, compile_template, text, pointer, known, frozenset({"args"}))
    if body.version is not None and body.action:
        report.error("no_effect", "/body/version", "Only a workflow has versions to choose from.", "Take it out.")
    if body.action:
        _check_action_body(report, body, catalog)
    else:
        _check_workflow_body(report, action.name, body, catalog)


def _check_action_body(report: Report, body: Body, catalog: Catalog) -> None:
    spec = catalog.actions.get(body.action)
    if spec is None:
        hint = report.near(body.action, catalog.actions) or "`canvas actions` lists them."
        report.error("unknown_action", "/body/action", f"There is no action `{body.action[:80]}`.", hint)
    elif spec.origin is ActionOrigin.USER:
        text = f"`{body.action}` is a user-defined action itself."
        hint = "Put the calls into a workflow, and let this action start that."
        report.error("nested_action", "/body/action", text, hint)
    else:
        check_given(report, dict(body.parameters), "/body/parameters", spec)
        check_connections(report, body.parameters, "/body/parameters", spec, catalog.connections)


def _check_workflow_body(report: Report, name: str, body: Body, catalog: Catalog) -> None:
    signature = catalog.workflows.get(body.workflow)
    if signature is None:
        hint = report.near(body.workflow, catalog.workflows)
        report.error("unknown_workflow", "/body/workflow", f"There is no workflow `{body.workflow[:80]}`.", hint)
        return
    for caller, one in catalog.workflows.items():
        if name in one.calls and (path := path_back(body.workflow, caller, catalog)):
            text = f"This would go on without end: {' → '.join([name, *path, name])}."
            report.error("recursion", "/body/workflow", text, "Take one of these links out.")
            return
    if body.version is None:
        check_linked(report, dict(body.parameters), "/body/parameters", signature)
