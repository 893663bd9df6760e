"""Checks of what each step type says for itself: loops, switches, waits, stops, sets."""

from typing import Any, assert_never

from canvas.domain.problems import Report, child
from canvas.domain.states import OnError
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
    WaitSeconds,
    WaitStep,
    WaitUntil,
    WorkflowLinkStep,
)
from canvas.domain.tasks import is_moment
from canvas.domain.validation.graph import case_key
from canvas.domain.validation.human_tasks import check_task
from canvas.domain.validation.names import NAME_HINT, RESERVED_VARIABLES, is_name
from canvas.domain.validation.templates import is_template


def check_type(report: Report, step: AnyStep, at: str) -> None:
    """Report what is wrong with the keys of the step's own type."""
    match step:
        case LoopStep():
            _check_loop(report, step, at)
        case ParallelStep():
            _check_inside(report, step, at)
        case SwitchStep():
            _check_switch(report, step, at)
        case WaitStep():
            _check_wait(report, step, at)
        case StopStep():
            _check_stop(report, step, at)
        case TaskStep():
            check_task(report, step, at)
        case SetStep():
            _check_set(report, step, at)
        case ConditionStep() | WorkflowLinkStep():
            _check_named(report, step, at)
        case ActionStep():
            pass
        case _:
            assert_never(step)


def _check_named(report: Report, step: ConditionStep | WorkflowLinkStep, at: str) -> None:
    if isinstance(step, ConditionStep):
        _check_given(report, step.condition, f"{at}/condition", "An expression that is true or false.")
    else:
        _check_given(report, step.workflow, f"{at}/workflow", "The name of the workflow to run.")


def _check_given(report: Report, text: str, at: str, hint: str) -> None:
    if not text:
        report.error("missing_key", at, f"The key `{at.rpartition('/')[2]}` is missing.", hint)


def _check_inside(report: Report, step: LoopStep | ParallelStep, at: str) -> None:
    if not step.scope.steps:
        text = f"`{step.name}` holds no steps."
        report.error("empty_container", f"{at}/steps", text, "Put a step into it, or take it out.")


def _check_loop(report: Report, step: LoopStep, at: str) -> None:
    _check_inside(report, step, at)
    ways = {"collection": step.collection, "while": step.while_, "times": step.times}
    given = [key for key, value in ways.items() if value is not None]
    if len(given) != 1:
        found = "none of them" if not given else " and ".join(given)
        text = f"A loop has exactly one of `collection`, `while` and `times`; this one has {found}."
        report.error("bad_loop", at if not given else f"{at}/{given[1]}", text)
    if not is_name(step.item_variable) or step.item_variable in RESERVED_VARIABLES:
        text = f"`{step.item_variable[:80]}` cannot name the item."
        hint = "It means something else in expressions." if is_name(step.item_variable) else NAME_HINT
        report.error("bad_name", f"{at}/item_variable", text, hint)
    _check_count(report, step, at)


def _check_count(report: Report, step: LoopStep, at: str) -> None:
    if step.collection is not None and not isinstance(step.collection, list) and not is_template(step.collection):
        text, hint = "`collection` must be a list or a template that gives one.", _braces(step.collection)
        report.error("wrong_type", f"{at}/collection", text, hint)
    if step.times is not None and not is_template(step.times) and not _is_count(step.times):
        text, hint = "`times` must be a whole number from 0, or a template that gives one.", _braces(step.times)
        report.error("wrong_type", f"{at}/times", text, hint)
    turns = len(step.collection) if isinstance(step.collection, list) else step.times
    if _is_count(turns) and turns > step.max_iterations >= 1:
        key = "collection" if isinstance(step.collection, list) else "times"
        text = f"{turns} turns are more than `max_iterations` allows, {step.max_iterations}."
        report.error("loop_too_long", f"{at}/{key}", text, "Raise `max_iterations`.")


def _check_switch(report: Report, step: SwitchStep, at: str) -> None:
    if not step.cases:
        report.error("no_cases", f"{at}/cases", f"`{step.name}` has no cases.", "List the values to tell apart.")
    seen: set[object] = set()
    for index, case in enumerate(step.cases):
        if (key := case_key(case.value)) in seen:
            text = f"The case {str(case.value)[:80]!r} is given twice."
            report.error("duplicate_case", f"{at}/cases/{index}", text)
        seen.add(key)
    if step.on is None and any(case.when is None for case in step.cases):
        text = "A case without `when` is compared with `on`, which is missing."
        report.error("missing_key", f"{at}/on", text, "Give `on`, or a `when` to every case.")


def _check_wait(report: Report, step: WaitStep, at: str) -> None:
    if not step.alternatives:
        report.error("missing_key", f"{at}/for", "The key `for` is missing.", "Such as: [{seconds: 60}].")
    for index, one in enumerate(step.alternatives):
        here = f"{at}/for/{index}"
        if isinstance(one, WaitSeconds):
            fits = isinstance(one.seconds, int | float) and not isinstance(one.seconds, bool) and one.seconds >= 0
            if not fits and not is_template(one.seconds):
                text = "`seconds` must be a number from 0, or a template that gives one."
                report.error("wrong_type", f"{here}/seconds", text, _braces(one.seconds))
        elif isinstance(one, WaitUntil) and not is_template(one.until) and not is_moment(one.until):
            text = "`until` must be a moment with its offset, or a template that gives one."
            report.error("wrong_type", f"{here}/until", text, "Such as 2030-01-31T08:00:00+01:00.")


def _check_stop(report: Report, step: StopStep, at: str) -> None:
    pointless = {"retry": step.retry is not None, "on_error": step.on_error is not OnError.FAIL_RUN}
    pointless["timeout_seconds"] = step.timeout_seconds is not None
    for key, is_given in pointless.items():
        if is_given:
            report.warning("no_effect", f"{at}/{key}", f"`{key}` has no effect on a step that ends the run.")


def _check_set(report: Report, step: SetStep, at: str) -> None:
    if not step.values:
        report.warning("no_effect", f"{at}/values", f"`{step.name}` sets nothing.")
    for name in step.values:
        if not name.isidentifier():
            text = f"`context` cannot hold `{name[:80]}`: expressions could not name it."
            report.error("bad_name", child(f"{at}/values", name), text, NAME_HINT)


def _braces(value: Any) -> str:
    return f"An expression needs braces: `{{{{ {value[:60]} }}}}`." if isinstance(value, str) else ""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
