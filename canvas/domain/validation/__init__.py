"""Everything that is wrong with a definition, all at once, each with its place and what to do about it.

`dsl` has judged the form of the document; here its meaning is judged: names, lines, expressions, calls, bounds. Each
module looks at one of these; all work on one `survey`. The time taken grows with the number of steps.
"""

from collections.abc import Iterable

from canvas.domain.catalog import Catalog
from canvas.domain.definition import Definition
from canvas.domain.dsl import Document, Parsed
from canvas.domain.dsl.grammar import MAX_STEPS
from canvas.domain.problems import Problem, Report
from canvas.domain.validation.calls import check_calls
from canvas.domain.validation.graph import branches_of, check_graph
from canvas.domain.validation.names import is_name
from canvas.domain.validation.parameters import check_declared, check_parameters
from canvas.domain.validation.references import check_references
from canvas.domain.validation.shapes import check_shapes
from canvas.domain.validation.survey import survey
from canvas.domain.validation.triggers import check_triggers
from canvas.domain.validation.user_actions import validate_action

__all__ = ["branches_of", "check", "check_parameters", "is_name", "located", "validate", "validate_action"]


def validate(definition: Definition, catalog: Catalog, *, allow_unregistered: bool = False) -> tuple[Problem, ...]:
    """Find every problem of a definition, the top level's first, then step by step in the order of the text.

    One that has too many steps is not looked at any further.

    Args:
        definition: What to judge; it may be as wrong as can be.
        catalog: The actions and workflows there are.
        allow_unregistered: Whether an action that nobody registered, or a workflow that is not there, is only worth a
            warning, as in a dry run.
    """
    report = Report()
    laid_out = survey(definition, report)
    if len(laid_out.placed) > MAX_STEPS:
        text = f"A workflow has at most {MAX_STEPS:,} steps; this one has {len(laid_out.placed):,}."
        report.error("too_many_steps", "/steps", text, "Use a loop, or other workflows.")
        return report.problems
    check_shapes(laid_out)
    check_declared(laid_out)
    check_triggers(laid_out)
    check_graph(laid_out)
    check_references(laid_out)
    check_calls(laid_out, catalog, allow_unregistered=allow_unregistered)
    order = {placed.step.name: index for index, placed in reversed(list(enumerate(laid_out.placed)))}
    return tuple(sorted(report.problems, key=lambda problem: order.get(problem.step or "", -1)))


def check(parsed: Parsed, catalog: Catalog, *, allow_unregistered: bool = False) -> tuple[Problem, ...]:
    """Give every problem of a document, of its form and of its meaning, none of them twice.

    Args:
        parsed: What `dsl.parse` or `dsl.from_document` gave; with a text behind it, problems are in its order.
        catalog: The actions and workflows there are.
        allow_unregistered: As for `validate`.
    """
    if parsed.definition is None:
        return parsed.problems
    told = [problem.pointer for problem in parsed.problems]
    found = validate(parsed.definition, catalog, allow_unregistered=allow_unregistered)
    problems = (*parsed.problems, *(one for one in found if one.code != "missing_key" or not _is_told(one, told)))
    return located(problems, parsed.document) if parsed.document else problems


def located(problems: Iterable[Problem], document: Document) -> tuple[Problem, ...]:
    """Give each problem its line and column, and put them in the order of the text."""
    return tuple(sorted(document.located(problems), key=lambda problem: (problem.line or 0, problem.column or 0)))


def _is_told(problem: Problem, told: list[str]) -> bool:
    """Tell whether a key is missing only because what the document has there, or the step, could not be read."""
    here, step = problem.pointer, problem.pointer.rpartition("/")[0]
    return any(one in (here, step, f"{step}/type") or one.startswith(f"{here}/") for one in told)
