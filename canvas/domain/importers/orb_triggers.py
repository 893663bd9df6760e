"""What starts an Orb workflow: its list of triggers, its TRIGGER steps, its schedules, webhooks and subscriptions."""

from collections.abc import Callable, Mapping
from typing import Any

from canvas.domain.importers.imported import first_of, list_of, number_of, snake_keys, text_of, without_nothing
from canvas.domain.importers.naming import slug
from canvas.domain.importers.orb_conditions import condition_text, literal
from canvas.domain.importers.orb_tree import Node
from canvas.domain.problems import Report

_LISTS = {"triggers": "", "schedules": "schedule", "webhooks": "webhook", "event_subscriptions": "event"}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def read_triggers(source: Mapping[str, Any], steps: list[Node], report: Report) -> list[dict[str, Any]]:
    """Read every trigger; starting by hand needs none.

    Args:
        source: The document with its keys in snake case.
        steps: Its steps of type TRIGGER.
        report: Told what had to be interpreted.
    """
    found = []
    for key, kind in _LISTS.items():
        for index, given in enumerate(list_of(source.get(key))):
            if isinstance(given, dict):
                found.append(_trigger(snake_keys(given), kind, f"/{key}/{index}", report))
    for node in steps:
        report.warning("trigger_step", node.at, "A TRIGGER step becomes a trigger of the workflow.")
        found.append(_trigger({**node.source, "type": "", **node.config}, "", node.at, report))
    return [trigger for trigger in found if trigger is not None]


def _trigger(given: dict[str, Any], kind: str, at: str, report: Report) -> dict[str, Any] | None:
    config = first_of(given, "config", "configuration")
    keys = {**given, **(snake_keys(config) if isinstance(config, dict) else {})}
    kind = kind or text_of(first_of(keys, "trigger_type", "type", "kind")).lower() or _guessed(keys)
    for secret in ("secret", "signing_secret", "token"):
        if keys.get(secret):
            report.warning("secret_left_out", at, f"`{secret}` is left out: secrets are no part of a definition.")
    read = _READERS.get(kind)
    if read is None:
        if kind not in ("manual", ""):
            report.warning("unknown_trigger", at, f"There is no trigger of type `{kind[:80]}`; it is left out.")
        return None
    trigger = read(keys, at, report)
    if first_of(keys, "enabled", "is_active", "active") is False and trigger is not None:
        trigger["enabled"] = False
    return trigger


def _guessed(keys: Mapping[str, Any]) -> str:
    if first_of(keys, "cron", "cron_expression", "schedule", "interval") is not None:
        return "schedule"
    if first_of(keys, "event_type", "event") is not None:
        return "event"
    return "webhook" if first_of(keys, "path", "url") is not None else ""


def _schedule(keys: dict[str, Any], at: str, report: Report) -> dict[str, Any] | None:
    cron = text_of(first_of(keys, "cron", "cron_expression", "schedule", "expression"))
    seconds = number_of(first_of(keys, "interval_seconds", "interval"))
    if not cron and (seconds is None or seconds < 1):
        report.warning("trigger_left_out", at, "This schedule says neither when nor how often; it is left out.")
        return None
    trigger = {"type": "schedule", "cron": cron} if cron else {"type": "schedule", "interval_seconds": seconds}
    return without_nothing({**trigger, "timezone": text_of(first_of(keys, "timezone", "time_zone"))})


def _webhook(keys: dict[str, Any], at: str, report: Report) -> dict[str, Any]:
    given = text_of(first_of(keys, "path", "slug", "url"))
    path = given.split("://")[-1].strip("/") or slug(text_of(keys.get("name")), "hook")
    if path != given:
        report.warning("webhook_path", at, f"The webhook is reached under `{path[:80]}`.")
    words = [text_of(item).upper() for item in list_of(first_of(keys, "methods", "method"))]
    methods = [word for word in words if word in _METHODS]
    return without_nothing({"type": "webhook", "path": path, "methods": methods})


def _event(keys: dict[str, Any], at: str, report: Report) -> dict[str, Any] | None:
    given = text_of(first_of(keys, "event_type", "event"))
    if not given:
        report.warning("trigger_left_out", at, "This subscription names no event; it is left out.")
        return None
    event = given.lower().replace("_", ".") if given.isupper() else given
    if event != given:
        report.warning("event_name", at, f"The event `{given[:80]}` is called `{event[:80]}` here.")
    return without_nothing(
        {"type": "event", "event": event, "filter": _filter(first_of(keys, "filter", "filters", "conditions"))}
    )


def _filter(given: Any) -> str:
    if isinstance(given, dict) and not snake_keys(given).keys() & {"field", "all", "any", "and", "or", "expression"}:
        parts = [f"event.data[{literal(key)}] == {literal(value)}" for key, value in given.items()]
        return " && ".join(parts)
    return condition_text(given)


_READERS: dict[str, Callable[[dict[str, Any], str, Report], dict[str, Any] | None]] = {
    "schedule": _schedule,
    "cron": _schedule,
    "interval": _schedule,
    "webhook": _webhook,
    "event": _event,
}
