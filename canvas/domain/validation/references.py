"""Checks of expressions: whether they can be read, and whether what they name is there when they run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from canvas.domain.expressions import (
    ExpressionError,
    Program,
    Reference,
    Template,
    compile_expression,
    compile_template,
)
from canvas.domain.steps import (
    ActionStep,
    AnyStep,
    ConditionStep,
    LoopStep,
    ParallelStep,
    SetStep,
    StopStep,
    SwitchStep,
    TaskStep,
    WaitFor,
    WaitSeconds,
    WaitStep,
    WorkflowLinkStep,
    task_templates,
)
from canvas.domain.validation.survey import ScopeView, Survey
from canvas.domain.validation.templates import is_template, templates_in

_FIELDS: Mapping[str, frozenset[str]] = {
    "workflow": frozenset({"name", "version", "parameters"}),
    "run": frozenset({"id", "started_at", "triggered_by"}),
    "trigger": frozenset({"type", "data"}),
    "event": frozenset({"type", "data"}),
    "loop": frozenset({"index", "count", "first", "last"}),
}
_STEP_FIELDS = frozenset({"status", "output", "error", "attempt"})
_EVERYWHERE = frozenset({"workflow", "run", "trigger", "context", "steps", "vars"})


@dataclass(frozen=True, slots=True)
class Sight:
    """What the expressions at one place can see."""

    roots: frozenset[str]
    scope: ScopeView | None = None
    "None where no step can be seen."
    place: int | None = None
    "Where in the scope the expression's step stands; None once all of its steps have ended."
    sources: int = 0
    "How many steps it waits for; for `previous_step`."
    last_turn: ScopeView | None = None
    "For a loop's `while`: the steps inside, as the turn before left them; there is none before the first."


@dataclass(slots=True)
class _Checker:
    survey: Survey
    written: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        steps = (placed.step for placed in self.survey.placed)
        self.written = frozenset(name for step in steps if isinstance(step, SetStep) for name in step.values)

    def template(self, value: Any, at: str, sight: Sight) -> None:
        """Check every template in a value."""
        for here, text in templates_in(value, at):
            self._compiled(compile_template, text, here, sight)

    def expression(self, text: str | None, at: str, sight: Sight) -> None:
        """Check an expression; a key that is missing or empty is reported elsewhere."""
        if text:
            self._compiled(compile_expression, text, at, sight)

    def _compiled(self, compile: Callable[[str], Program | Template], text: str, at: str, sight: Sight) -> None:
        try:
            program = compile(text)
        except ExpressionError as error:
            hint = str(error.details.get("hint") or "")
            column = error.details.get("column")
            column = column if isinstance(column, int) and error.details.get("line") == 1 else None
            self.survey.report.error("bad_expression", at, str(error), hint, expression_column=column)
            return
        for reference in program.references:
            self._check(reference, at, sight)

    def _check(self, reference: Reference, at: str, sight: Sight) -> None:
        root = str(reference.path[0])
        if root not in sight.roots:
            self._unknown_root(root, reference, at, sight)
        elif root == "steps":
            self._check_step(reference, at, sight)
        elif root == "previous_step":
            self._check_previous(reference, at, sight)
        elif len(reference.path) > 1:
            self._check_field(root, reference, at)

    def _check_field(self, root: str, reference: Reference, at: str) -> None:
        key = str(reference.path[1])
        if root == "context":
            if key not in self.written and not reference.is_optional:
                text = f"No `set` step writes `{key}` to `context`."
                self._warn("unknown_context", at, text, self._near(key, self.written), reference, 1)
        elif root in _FIELDS and key not in _FIELDS[root]:
            hint = self._near(key, _FIELDS[root]) or f"It has {', '.join(sorted(_FIELDS[root]))}."
            self._err("unknown_field", at, f"`{root}` has no `{key}`.", hint, reference, 1)
        elif root == "workflow" and key == "parameters" and len(reference.path) > 2:
            self._check_parameter(str(reference.path[2]), reference, at)

    def _check_parameter(self, name: str, reference: Reference, at: str) -> None:
        declared = self.survey.definition.parameters
        if name not in declared:
            hint = self._near(name, declared) or "Declare it under `parameters`."
            self._err("unknown_parameter", at, f"The workflow has no parameter `{name}`.", hint, reference, 2)

    def _check_previous(self, reference: Reference, at: str, sight: Sight) -> None:
        if sight.sources == 0:
            text = "`previous_step` means nothing here: no step comes before."
            self._err("no_previous_step", at, text, "Name the step: `steps.NAME.output`.", reference, 0)
        elif sight.sources > 1:
            text = f"`previous_step` is one of {sight.sources} here, and nothing at all when several of them ran."
            self._warn("ambiguous_previous_step", at, text, "Name the step: `steps.NAME.output`.", reference, 0)
        elif len(reference.path) > 1 and str(reference.path[1]) not in _STEP_FIELDS:
            self._unknown_step_field(str(reference.path[1]), reference, at, 1)

    def _check_step(self, reference: Reference, at: str, sight: Sight) -> None:
        if len(reference.path) < 2:
            return
        name = str(reference.path[1])
        fault = self._cannot_have_run(name, reference, sight)
        if fault is not None:
            self._err(*fault[:1], at, *fault[1:], reference, 1)
        elif len(reference.path) > 2 and str(reference.path[2]) not in _STEP_FIELDS:
            self._unknown_step_field(str(reference.path[2]), reference, at, 2)

    def _unknown_step_field(self, key: str, reference: Reference, at: str, part: int) -> None:
        near = self._near(key, _STEP_FIELDS)
        hint = near or f"What it gave is in `output`: `steps.NAME.output.{key}`."
        self._err("unknown_field", at, f"A step has no `{key}`.", hint, reference, part)

    def _cannot_have_run(self, name: str, reference: Reference, sight: Sight) -> tuple[str, str, str] | None:
        """Say why the step cannot have run when the expression is evaluated: code, sentence, hint."""
        if sight.last_turn is not None and name in sight.last_turn.places:
            if reference.is_optional:
                return None
            text = f"`steps.{name}` has not run when `while` is looked at for the first time."
            return "reference_not_before", text, f"Say what holds until then: `default(steps.{name}.output, …)`."
        scope, place = sight.scope, sight.place
        is_own = True
        while scope is not None:
            if name in scope.places:
                return self._not_before(name, scope, place, is_own)
            place = scope.place_in_outer if scope.outer else None
            scope, is_own = scope.outer, False
        return self._out_of_sight(name)

    def _not_before(self, name: str, scope: ScopeView, place: int | None, is_own: bool) -> tuple[str, str, str] | None:
        there = scope.places[name]
        if place is None or (there != place and scope.before[place] >> there & 1):
            return None
        if there == place:
            text = f"`steps.{name}` has not ended when this is evaluated."
            return "reference_not_before", text, "" if is_own else "It holds this step."
        text = f"`steps.{name}` cannot have run before this step."
        here = scope.scope.steps[place].name
        whose = "this step" if is_own else f"`{here}`"
        return "reference_not_before", text, f"Let {whose} wait for `{name}`: add it to `depends_on`."

    def _out_of_sight(self, name: str) -> tuple[str, str, str]:
        elsewhere = self.survey.by_name.get(name)
        if elsewhere is None:
            return "unknown_step", f"There is no step `{name}`.", self._near(name, self.survey.by_name)
        holder = elsewhere.parents[-1].name if elsewhere.parents else ""
        text = f"`steps.{name}` stands inside `{holder}` and cannot be seen from here."
        return "reference_out_of_scope", text, f"What comes out of it is `steps.{holder}.output`."

    def _unknown_root(self, root: str, reference: Reference, at: str, sight: Sight) -> None:
        definition = self.survey.definition
        if root in self.survey.by_name and "steps" in sight.roots:
            hint = f"Did you mean `steps.{root}.output`?"
        elif root in definition.parameters and "workflow" in sight.roots:
            hint = f"Did you mean `workflow.parameters.{root}`?"
        elif root in self.written and "context" in sight.roots:
            hint = f"Did you mean `context.{root}`?"
        else:
            hint = self._near(root, sight.roots) or f"Known here: {', '.join(sorted(sight.roots))}."
        self._err("unknown_name", at, f"`{root}` means nothing here.", hint, reference, 0)

    def _near(self, word: str, names: Any) -> str:
        return self.survey.report.near(word, names)

    def _err(self, code: str, at: str, text: str, hint: str, reference: Reference, part: int) -> None:
        self.survey.report.error(code, at, text, hint, expression_column=reference.columns[part])

    def _warn(self, code: str, at: str, text: str, hint: str, reference: Reference, part: int) -> None:
        self.survey.report.warning(code, at, text, hint, expression_column=reference.columns[part])


def check_references(survey: Survey) -> None:
    """Report every expression that cannot be read, or that names what is not there when it runs."""
    checker = _Checker(survey)
    inside = {view.holder.name: view for view in survey.scopes if view.holder is not None}
    for view, roots in _with_roots(survey):
        for place, step in enumerate(view.scope.steps):
            survey.report.step = step.name
            sight = Sight(roots | {"previous_step"}, view, place, len(view.sources[place]))
            _check_step(checker, cast(AnyStep, step), view.pointer_of(place), sight, inside.get(step.name))
    survey.report.step = None
    top = Sight(_EVERYWHERE, survey.scopes[0])
    for name, output in survey.definition.outputs.items():
        checker.template(output.value, f"/outputs/{name}/value", top)
    for index, trigger in enumerate(survey.definition.triggers):
        at = f"/triggers/{index}"
        checker.template(dict(trigger.parameters), f"{at}/parameters", Sight(frozenset({"trigger"})))
        checker.expression(getattr(trigger, "filter", None), f"{at}/filter", Sight(frozenset({"event"})))


def _with_roots(survey: Survey) -> Iterator[tuple[ScopeView, frozenset[str]]]:
    known: dict[int, frozenset[str]] = {}
    for view in survey.scopes:
        roots = known[id(view.outer)] if view.outer is not None else _EVERYWHERE
        if isinstance(view.holder, LoopStep):
            roots |= {view.holder.item_variable, "index", "loop"}
        known[id(view)] = roots
        yield view, roots


def _check_step(checker: _Checker, step: AnyStep, at: str, sight: Sight, inside: ScopeView | None) -> None:
    match step:
        case ConditionStep():
            checker.expression(step.condition, f"{at}/condition", sight)
        case SwitchStep():
            _check_switch(checker, step, at, sight)
        case LoopStep():
            _check_loop(checker, step, at, sight, inside)
        case ParallelStep():
            pass
        case _:
            for key, value in _templates_of(step).items():
                checker.template(value, f"{at}/{key}", sight)


def _templates_of(step: ActionStep | WorkflowLinkStep | WaitStep | TaskStep | SetStep | StopStep) -> dict[str, Any]:
    """Give the values of a step that are templates, by where they stand in its text."""
    match step:
        case ActionStep() | WorkflowLinkStep():
            return {"parameters": dict(step.parameters)}
        case WaitStep():
            return dict(_moment_of(one, place) for place, one in enumerate(step.alternatives))
        case TaskStep():
            return task_templates(step)
        case SetStep():
            return {"values": dict(step.values)}
        case StopStep():
            return {"message": step.message, "output": step.output}


def _moment_of(one: WaitFor, place: int) -> tuple[str, Any]:
    return (f"for/{place}/seconds", one.seconds) if isinstance(one, WaitSeconds) else (f"for/{place}/until", one.until)


def _check_switch(checker: _Checker, step: SwitchStep, at: str, sight: Sight) -> None:
    if isinstance(step.on, str) and not is_template(step.on):
        checker.expression(step.on, f"{at}/on", sight)
    else:
        checker.template(step.on, f"{at}/on", sight)
    for index, case in enumerate(step.cases):
        checker.expression(case.when, f"{at}/cases/{index}/when", sight)


def _check_loop(checker: _Checker, step: LoopStep, at: str, sight: Sight, inside: ScopeView | None) -> None:
    checker.template(step.collection, f"{at}/collection", sight)
    checker.template(step.times, f"{at}/times", sight)
    turning = replace(sight, roots=sight.roots | {"index", "loop"}, last_turn=inside)
    checker.expression(step.while_, f"{at}/while", turning)
    if step.while_:
        _check_bounded(checker, step.while_, f"{at}/while")
    names = sight.roots - {"previous_step"} | {step.item_variable, "index", "loop"}
    checker.template(step.output, f"{at}/output", Sight(names, inside))


def _check_bounded(checker: _Checker, text: str, at: str) -> None:
    try:
        is_constant = not compile_expression(text).references
    except ExpressionError:
        return
    if is_constant:
        sentence = "This condition names nothing, so it never changes and the loop has no end of its own."
        checker.survey.report.error("unbounded_loop", at, sentence, "Use `times`, or name what changes.")
