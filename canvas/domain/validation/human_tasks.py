"""Checks of what a task step says: outcomes, priorities, the due date, the form."""

import re
from typing import Any

import jsonschema_rs

from canvas.domain.dsl.grammar import MAX_NAME, OUTCOME_PATTERN
from canvas.domain.json_schemas import validator
from canvas.domain.problems import Report
from canvas.domain.states import Branch
from canvas.domain.steps import TaskStep
from canvas.domain.tasks import SKIPPED, is_moment
from canvas.domain.validation.templates import is_template

_TAKEN = frozenset({*(str(branch) for branch in Branch), SKIPPED})


def check_task(report: Report, step: TaskStep, at: str) -> None:
    """Report what is wrong with the keys of a task."""
    _check_outcomes(report, step, at)
    _check_priority(report, step.priority, f"{at}/priority")
    for index, one in enumerate(step.subtasks):
        if one.priority is not None:
            _check_priority(report, one.priority, f"{at}/subtasks/{index}/priority")
    is_span = isinstance(step.due, int | float) and not isinstance(step.due, bool) and step.due >= 0
    if step.due is not None and not is_span and not is_template(step.due) and not is_moment(step.due):
        text = "`due` must be seconds from now, a moment with its offset, or a template that gives either."
        report.error("wrong_type", f"{at}/due", text, "Such as 86400, or 2030-01-31T08:00:00+01:00.")
    if step.form is not None:
        try:
            validator(step.form)
        except (ValueError, jsonschema_rs.ValidationError) as error:
            report.error("bad_form", f"{at}/form", f"This is no JSON Schema: {str(error)[:200]}.")


def _check_outcomes(report: Report, step: TaskStep, at: str) -> None:
    seen: set[str] = set()
    for index, outcome in enumerate(step.outcomes):
        here = f"{at}/outcomes/{index}"
        if not re.fullmatch(OUTCOME_PATTERN, outcome) or len(outcome) > MAX_NAME:
            text = f"`{outcome[:80]}` is no name for an outcome."
            report.error("bad_name", here, text, "Capitals, digits and _; such as APPROVED.")
        elif outcome in _TAKEN:
            report.error("bad_name", here, f"The branch {outcome} means something else; use another name.")
        elif outcome in seen:
            report.error("duplicate_outcome", here, f"The outcome {outcome} is given twice.")
        seen.add(outcome)


def _check_priority(report: Report, priority: Any, at: str) -> None:
    fits = isinstance(priority, int) and not isinstance(priority, bool) and 1 <= priority <= 5
    if not fits and not is_template(priority):
        report.error("wrong_type", at, "`priority` must be a number from 1 to 5, or a template that gives one.")
