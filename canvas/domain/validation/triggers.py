"""Checks of what starts runs: cron and intervals, webhook paths, event types, and the parameters they give."""

import re

from canvas.domain.definition import EventTrigger, ScheduleTrigger, Trigger, WebhookTrigger
from canvas.domain.dsl.grammar import MAX_TRIGGERS
from canvas.domain.problems import Report, child
from canvas.domain.schedules import InvalidSchedule, check_cron
from canvas.domain.validation.parameters import fits, kind_of_value
from canvas.domain.validation.survey import Survey
from canvas.domain.validation.templates import templates_in

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PATH = re.compile(r"[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*")
_EVENT = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*")
_MAX_PATH = 200


def check_triggers(survey: Survey) -> None:
    """Report everything wrong with a definition's triggers."""
    paths: set[str] = set()
    triggers = survey.definition.triggers
    if len(triggers) > MAX_TRIGGERS:
        text = f"A workflow has at most {MAX_TRIGGERS} triggers; this one has {len(triggers):,}."
        survey.report.error("too_many_triggers", "/triggers", text, "Split it into several workflows.")
    for index, trigger in enumerate(triggers[:MAX_TRIGGERS]):
        at, report = f"/triggers/{index}", survey.report
        if isinstance(trigger, ScheduleTrigger):
            _check_schedule(report, trigger, at)
        elif isinstance(trigger, WebhookTrigger):
            _check_webhook(report, trigger, at, paths)
        else:
            _check_event(report, trigger, at)
        _check_parameters(survey, trigger, at)


def _check_schedule(report: Report, trigger: ScheduleTrigger, at: str) -> None:
    if (trigger.cron is None) == (trigger.interval_seconds is None):
        found = "neither" if trigger.cron is None else "both"
        text = f"A schedule has either `cron` or `interval_seconds`; this one has {found}."
        report.error("bad_schedule", at if found == "neither" else f"{at}/interval_seconds", text)
    try:
        check_cron("0 0 * * *", timezone=trigger.timezone)
    except InvalidSchedule as error:
        report.error("bad_timezone", f"{at}/timezone", str(error), "Such as Europe/Paris or UTC.")
        return
    if trigger.cron is not None:
        try:
            check_cron(trigger.cron, timezone=trigger.timezone)
        except InvalidSchedule as error:
            hint = "Five fields: minute, hour, day, month, weekday; such as `0 2 * * 1-5`."
            report.error("bad_cron", f"{at}/cron", str(error), hint)


def _check_webhook(report: Report, trigger: WebhookTrigger, at: str, paths: set[str]) -> None:
    if len(trigger.path) > _MAX_PATH or not _PATH.fullmatch(trigger.path):
        hint = "Letters, digits, `_`, `-` and `.`, in parts with `/` between them: `orders/new`."
        report.error("bad_path", f"{at}/path", f"`{trigger.path[:80]}` cannot be the path of a webhook.", hint)
    elif trigger.path in paths:
        text = f"Another webhook here listens on `{trigger.path}`."
        report.error("duplicate_path", f"{at}/path", text, "Give it a path of its own, or more `methods` to the other.")
    paths.add(trigger.path)
    for index, method in enumerate(trigger.methods):
        if method not in METHODS:
            hint = f"One of {', '.join(METHODS)}."
            report.error("bad_word", f"{at}/methods/{index}", f"`{method[:80]}` is no method of a webhook.", hint)
    if not trigger.methods:
        report.error("missing_key", f"{at}/methods", "A webhook needs at least one method.", "Such as [POST].")


def _check_event(report: Report, trigger: EventTrigger, at: str) -> None:
    if not _EVENT.fullmatch(trigger.event):
        hint = "Small letters, digits and `_`, in parts with a point between them: `task.completed`."
        report.error("bad_event", f"{at}/event", f"`{trigger.event[:80]}` cannot be the type of an event.", hint)


def _check_parameters(survey: Survey, trigger: Trigger, at: str) -> None:
    report, declared = survey.report, survey.definition.parameters
    for name, value in trigger.parameters.items():
        here = child(f"{at}/parameters", name)
        if name not in declared:
            text = f"The workflow has no parameter `{name[:80]}`."
            report.error("unknown_parameter", here, text, report.near(name, declared))
        elif not any(True for _ in templates_in(value, "")) and not fits(value, declared[name].type):
            text = f"`{name}` must be of type {declared[name].type}, not {kind_of_value(value)}."
            report.error("bad_parameter", here, text)
    if report.is_full:
        return
    for name, parameter in declared.items():
        if parameter.required and parameter.default is None and name not in trigger.parameters:
            text = f"This trigger gives no value for the required parameter `{name}`."
            report.error("missing_parameter", child(f"{at}/parameters", name), text, "Give it under `parameters`.")
