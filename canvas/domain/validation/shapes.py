"""Checks of single steps and of the top level: names, versions, bounds, sizes."""

import re
from typing import Any, cast

from canvas.domain.dsl.grammar import (
    MAX_STEP_DEPTH,
    SETTINGS,
    STEPS,
    TRIGGER,
    VERSION_PATTERN,
)
from canvas.domain.dsl.kinds import Number, Record
from canvas.domain.problems import Report, child
from canvas.domain.steps import AnyStep, Step
from canvas.domain.validation.names import NAME_HINT, RESERVED_WORKFLOW_NAMES, is_name
from canvas.domain.validation.survey import Survey, is_unreadable
from canvas.domain.validation.types import check_type

_VERSION = re.compile(VERSION_PATTERN)


def check_shapes(survey: Survey) -> None:
    """Report everything wrong with single steps and the top level."""
    _check_top(survey)
    for placed in survey.each_step():
        step, at = placed.step, placed.pointer
        if is_unreadable(step):
            survey.report.error("missing_key", f"{at}/action", "The key `action` is missing.", "Name an action.")
            continue
        _check_name(survey, step, at)
        if len(placed.parents) >= MAX_STEP_DEPTH:
            text = f"Steps are nested more than {MAX_STEP_DEPTH} deep here."
            survey.report.error("steps_too_deep", at, text, "Put the inner part into a workflow of its own.")
        check_bounds(STEPS[step.type], step, at, survey.report)
        check_type(survey.report, cast(AnyStep, step), at)


def check_bounds(record: Record, value: Any, at: str, report: Report) -> None:
    """Report every number in a record that is outside the bounds that the grammar tells."""
    for field in record.bounded:
        carried = getattr(value, field.name)
        if carried is None:
            continue
        here = child(at, field.key)
        if isinstance(field.kind, Record):
            check_bounds(field.kind, carried, here, report)
        elif isinstance(field.kind, Number) and (wanted := field.kind.fault(carried)):
            report.error("out_of_bounds", here, f"`{field.key}` must be {wanted}, not {carried}.")


def _check_top(survey: Survey) -> None:
    definition, report = survey.definition, survey.report
    if not definition.name:
        report.error("missing_key", "/name", "The key `name` is missing.", NAME_HINT)
    elif not is_name(definition.name):
        report.error("bad_name", "/name", f"`{definition.name[:80]}` is no name for a workflow.", NAME_HINT)
    elif definition.name in RESERVED_WORKFLOW_NAMES:
        report.error("reserved_name", "/name", f"`{definition.name}` means something else; use another name.")
    if not _VERSION.fullmatch(definition.version):
        text = f"`{definition.version[:80]}` is no semantic version."
        report.error("bad_version", "/version", text, "Write three numbers with points: 1.0.0.")
    check_bounds(SETTINGS, definition.settings, "/settings", report)
    for index, trigger in enumerate(definition.triggers):
        record = next(one for one in TRIGGER.records if one.build is type(trigger))
        check_bounds(record, trigger, f"/triggers/{index}", report)
    if not survey.placed:
        report.warning("no_steps", "/steps", "This workflow has no steps: a run ends as soon as it starts.")


def _check_name(survey: Survey, step: Step, at: str) -> None:
    first = survey.by_name[step.name]
    if first.step is not step:
        text = f"Another step is called `{step.name[:80]}`: {first.pointer}."
        survey.report.error("duplicate_name", f"{at}/name", text, "Names are unique in the whole workflow.")
    elif not is_name(step.name):
        survey.report.error("bad_name", f"{at}/name", f"`{step.name[:80]}` is no name for a step.", NAME_HINT)
