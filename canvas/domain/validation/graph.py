"""Checks of the lines between steps: dependencies, branches, joins, cycles, and steps that nothing leads to."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

from canvas.domain.problems import Report
from canvas.domain.states import Branch, JoinMode, StepType, SwitchMatch
from canvas.domain.steps import Dependency, Step, StopStep, SwitchStep, TaskStep
from canvas.domain.tasks import SKIPPED
from canvas.domain.validation.survey import ScopeView, Survey, is_unreadable

_OF_EVERY_STEP = frozenset({Branch.SUCCESS, Branch.FAILURE, Branch.ALWAYS})
_OF_TYPE = {
    StepType.CONDITION: frozenset({Branch.IF_TRUE, Branch.IF_FALSE}),
    StepType.SWITCH: frozenset({Branch.SWITCH_CASE, Branch.DEFAULT}),
    StepType.TASK: frozenset({Branch.OUTCOME}),
}
_OPPOSITES = (
    {Branch.IF_TRUE, Branch.IF_FALSE},
    {Branch.SUCCESS, Branch.FAILURE},
    {Branch.SWITCH_CASE, Branch.DEFAULT},
)
_SHOWN = 12


@lru_cache(maxsize=32)
def branches_of(step_type: StepType) -> tuple[Branch, ...]:
    """List the branches that a step of one type offers, those of its own first."""
    own = _OF_TYPE.get(step_type, frozenset())
    return tuple(sorted(own, key=list(Branch).index)) + tuple(one for one in Branch if one in _OF_EVERY_STEP)


def check_graph(survey: Survey) -> None:
    """Report everything wrong with the lines between steps."""
    cases: dict[str, frozenset[object]] = {}
    for one in survey.placed:
        if isinstance(one.step, SwitchStep):
            cases[one.step.name] = frozenset(case_key(case.value) for case in one.step.cases)
    for view in survey.scopes:
        for place, step in enumerate(view.scope.steps):
            survey.report.step = step.name
            _check_dependencies(survey, view, place, step, cases)
            _check_join(survey.report, step, view.pointer_of(place))
            _check_default(survey.report, view, place, step)
        survey.report.step = None
        if view.in_cycles:
            _report_cycles(survey.report, view)
        _report_unreachable(survey.report, view)
    survey.report.step = None


def _check_dependencies(
    survey: Survey, view: ScopeView, place: int, step: Step, cases: Mapping[str, frozenset[object]]
) -> None:
    seen: set[str] = set()
    for index, one in enumerate(step.depends_on):
        at = f"{view.pointer_of(place)}/depends_on/{index}"
        if one.step == step.name:
            if view.places[step.name] != place:
                continue  # its name is taken: that is what is wrong, not the line from the step before it
            survey.report.error("self_dependency", at, f"`{step.name}` waits for itself.", "Take this dependency out.")
        elif one.step not in view.places:
            _report_unknown(survey, view, at, one)
        else:
            _check_branch(survey.report, view.scope.steps[view.places[one.step]], one, at, cases)
        if (outcome := repr(one)) in seen:
            survey.report.error("duplicate_dependency", at, f"This outcome of `{one.step}` is waited for twice.")
        seen.add(outcome)


def _report_unknown(survey: Survey, view: ScopeView, at: str, one: Dependency) -> None:
    elsewhere = survey.by_name.get(one.step)
    if elsewhere is None:
        text = f"There is no step `{one.step[:80]}` to wait for."
        survey.report.error("unknown_step", at, text, survey.report.near(one.step, view.places))
        return
    around = [parent.name for parent in elsewhere.parents if parent.name in view.places]
    hint = f"Wait for `{around[0]}`, which holds it." if around else "Dependencies stay inside one list of steps."
    where = f"stands inside `{elsewhere.parents[-1].name}`" if elsewhere.parents else "stands outside"
    survey.report.error("dependency_out_of_scope", at, f"`{one.step}` {where} and cannot be waited for here.", hint)


def _check_branch(
    report: Report, source: Step, one: Dependency, at: str, cases: Mapping[str, frozenset[object]]
) -> None:
    if is_unreadable(source):
        return
    offered = branches_of(source.type)
    if one.branch is Branch.OUTCOME:
        _check_outcome(report, source, one, at)
    elif one.branch not in offered:
        text = f"`{source.name}` is of type `{source.type}` and has no branch {one.branch}."
        report.error("unknown_branch", at, text, f"It has {', '.join(offered)}.")
    elif one.branch is Branch.SWITCH_CASE:
        if case_key(one.value) not in cases[source.name]:
            _report_unknown_case(report, source, one, at)
    elif one.value is not None:
        report.error("needless_value", at, f"The branch {one.branch} takes no `value`.", "Only SWITCH_CASE does.")


def _check_outcome(report: Report, source: Step, one: Dependency, at: str) -> None:
    words = [*source.outcomes, SKIPPED] if isinstance(source, TaskStep) else []
    words += [str(branch) for branch in branches_of(source.type) if branch is not Branch.OUTCOME]
    if one.value not in words:
        text = f"`{source.name}` is of type `{source.type}` and has no branch {str(one.value)[:80]}."
        hint = report.near(str(one.value), words) or f"It has {', '.join(words)}."
        report.error("unknown_branch", at, text, hint)


def _report_unknown_case(report: Report, source: Step, one: Dependency, at: str) -> None:
    assert isinstance(source, SwitchStep)
    listed = ", ".join(repr(case.value)[:80] for case in source.cases[:_SHOWN]) or "none"
    report.error("unknown_case", at, f"`{source.name}` has no case {str(one.value)[:80]!r}.", f"Its cases: {listed}.")


def case_key(value: Any) -> object:
    """Give what two cases have in common when a run takes them for the same: `1` is `1.0`, `true` is not `1`."""
    if isinstance(value, bool | list | dict):
        return type(value).__name__, orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return value


def _check_join(report: Report, step: Step, pointer: str) -> None:
    join, at = step.join, f"{pointer}/join"
    most, what = _joined_by(step)
    if join.mode is not JoinMode.N_OF_M:
        if join.n is not None:
            report.error("bad_join", f"{at}/n", f"`n` means nothing for `{join.mode}`.", "Only n_of_m counts.")
        return
    if join.n is None:
        report.error("bad_join", at, "`n_of_m` needs `n`: how many must be live.")
    elif most and join.n > most:
        report.error("bad_join", f"{at}/n", f"{join.n} can never be live: there are only {most} {what}.")


def _joined_by(step: Step) -> tuple[int, str]:
    """Count what a join counts: dependencies, or the ends of a parallel; 0 for a loop, whose turns a run counts."""
    if step.scope is None:
        return len(step.depends_on), "dependencies"
    if step.type is StepType.LOOP:
        return 0, "turns"
    waited_for = {one.step for inner in step.scope.steps for one in inner.depends_on}
    return sum(inner.name not in waited_for for inner in step.scope.steps), "ends inside"


def _check_default(report: Report, view: ScopeView, place: int, step: Step) -> None:
    if not isinstance(step, SwitchStep):
        return
    taken = {one.branch for other in view.scope.steps for one in other.depends_on if one.step == step.name}
    if Branch.SWITCH_CASE in taken and not taken & {Branch.DEFAULT, Branch.SUCCESS, Branch.ALWAYS}:
        text = f"Nothing follows when no case of `{step.name}` fits."
        report.warning("missing_default", view.pointer_of(place), text, "Let a step wait for its branch DEFAULT.")


def _report_cycles(report: Report, view: ScopeView) -> None:
    """Report one path for each group of steps that wait for each other in a circle."""
    inside = set(view.in_cycles)
    done: set[int] = set()
    for start in view.in_cycles:
        if start in done:
            continue
        path = _walk_back(view, start, inside, done)
        done.update(path)
        if path:
            first = path.index(min(path))
            circle = [*reversed(path[: first + 1]), *reversed(path[first + 1 :])]
            names = [view.scope.steps[place].name for place in [*circle, circle[0]]]
            shown = names if len(names) <= _SHOWN else [*names[:_SHOWN], "…"]
            report.step = names[0]
            text = f"These steps wait for each other: {' → '.join(shown)}."
            report.error("cycle", f"{view.pointer_of(circle[0])}/depends_on", text, "Take one of these lines out.")
            report.step = None


def _walk_back(view: ScopeView, start: int, inside: set[int], done: set[int]) -> list[int]:
    """Follow dependencies until a step comes again; the circle, each step before the one it waits for, or nothing."""
    path: list[int] = []
    seen: dict[int, int] = {}
    place: int | None = start
    while place is not None and place not in seen:
        if place in done:
            done.update(path)
            return []
        seen[place] = len(path)
        path.append(place)
        place = next((source for source in view.sources[place] if source in inside), None)
    done.update(path)
    return path[seen[place] :] if place is not None else []


def _report_unreachable(report: Report, view: ScopeView) -> None:
    """Report the steps that can never run: all they wait for is what cannot happen."""
    dead: set[int] = set()
    for place in _in_order(view):
        step = view.scope.steps[place]
        known = [one for one in step.depends_on if one.step in view.places and one.step != step.name]
        if not known or len(known) < len(step.depends_on):
            continue
        never = [one for one in known if view.places[one.step] in dead or _never_goes_on(view, one)]
        needs_all = step.join.mode is JoinMode.ALL and step.scope is None
        if len(never) == len(known) or (needs_all and (never or _exclude_each_other(view, known))):
            dead.add(place)
            report.step = step.name
            text, hint = _why_unreachable(view, step, known, never)
            report.error("unreachable_step", view.pointer_of(place), text, hint)
    report.step = None


def _in_order(view: ScopeView) -> Iterator[int]:
    in_cycle = set(view.in_cycles)
    free = (place for place in range(len(view.sources)) if place not in in_cycle)
    return iter(sorted(free, key=lambda place: view.before[place].bit_count()))


def _never_goes_on(view: ScopeView, one: Dependency) -> bool:
    source = view.scope.steps[view.places[one.step]]
    return isinstance(source, StopStep) and source.enabled


def _exclude_each_other(view: ScopeView, known: list[Dependency]) -> bool:
    """Tell whether two of the outcomes can never happen in one run."""
    branches: dict[str, set[Branch]] = {}
    values: dict[str, set[object]] = {}
    for one in known:
        branches.setdefault(one.step, set()).add(one.branch)
        values.setdefault(one.step, set()).add(case_key(one.value))
    for name, taken in branches.items():
        if any(pair <= taken for pair in _OPPOSITES):
            return True
        source = view.scope.steps[view.places[name]]
        takes_one = isinstance(source, SwitchStep) and source.match is SwitchMatch.FIRST
        if takes_one and taken == {Branch.SWITCH_CASE} and len(values[name]) > 1:
            return True
    return False


def _why_unreachable(view: ScopeView, step: Step, known: list[Dependency], never: list[Dependency]) -> tuple[str, str]:
    stops = [one.step for one in never if _never_goes_on(view, one)]
    if stops:
        return (
            f"`{step.name}` can never run: `{stops[0]}` ends the run.",
            "Give `depends_on` the step it should follow; left out, it is the step before it.",
        )
    if never:
        return f"`{step.name}` can never run: neither can `{never[0].step}`.", ""
    text = f"`{step.name}` can never run: its join needs `all`, and its dependencies exclude each other."
    return text, "Use the join `activated` or `any`."
