"""The dialog that makes a trigger which is kept by hand, or changes one."""

from datetime import UTC, datetime
from typing import Any, Final

import orjson
import reflex as rx

from canvas.domain.errors import Invalid, UserError
from canvas.domain.states import CatchUp, Overlap, Respond, Signature
from canvas.services import schedules, subscriptions, views, webhooks
from canvas.services.access import Permission
from canvas.services.schedules import ScheduleWish
from canvas.services.subscriptions import SubscriptionWish
from canvas.services.webhooks import WebhookWish
from canvas.ui.session import handler
from canvas.ui.triggers.state import TriggersState
from canvas.ui.use import look, use

NEW: Final = {
    "cron": "0 9 * * 1-5",
    "interval": "",
    "timezone": "UTC",
    "overlap": "allow",
    "catch_up": "last",
    "jitter": "",
    "path": "",
    "methods": "POST",
    "signature": "none",
    "respond": "at_once",
    "event": "",
    "filter": "",
    "parameters": "{}",
}


class TriggerFormState(rx.State):
    """What is filled in."""

    is_open: bool = False
    kind: str = "schedule"
    trigger_id: str = ""
    "Empty for a new one."
    workflow: str = ""
    workflows: list[str] = []
    fields: dict[str, str] = NEW
    words: str = ""
    problem: str = ""

    @handler(Permission.EDIT)
    async def begin(self, kind: str) -> None:
        """Open the dialog for a new trigger."""
        self.reset()
        self.kind, self.is_open = kind, True
        self.workflows = await look(views.workflow_names)
        self.workflow = self.workflows[0] if self.workflows else ""
        self._tell()

    @handler(Permission.EDIT)
    async def change(self, kind: str, trigger_id: str) -> None:
        """Open the dialog for a trigger that is there."""
        self.reset()
        self.workflow, self.fields = await look(_filled, kind, trigger_id)
        self.kind, self.trigger_id, self.is_open = kind, trigger_id, True
        self._tell()

    @handler(Permission.VIEW)
    async def toggle(self, is_open: bool) -> None:
        """Close the dialog."""
        self.is_open = is_open

    @handler(Permission.EDIT)
    async def choose(self, workflow: str) -> None:
        """Choose the workflow that it starts."""
        self.workflow = workflow

    @handler(Permission.EDIT)
    async def put(self, name: str, value: str) -> None:
        """Fill in one field."""
        if name in NEW:
            self.fields = {**self.fields, name: value[:10_000]}
        self.problem = ""
        self._tell()

    @handler(Permission.EDIT)
    async def save(self) -> Any:
        """Keep it."""
        try:
            trigger_id = await use(_keep, self.kind, self.trigger_id, self.workflow, dict(self.fields))
        except UserError as error:
            self.problem = str(error)
            return None
        self.is_open = False
        if self.trigger_id:
            return TriggersState.refresh
        return rx.redirect(f"/triggers?kind={self.kind}&id={trigger_id}")

    def _tell(self) -> None:
        """Say in words when a schedule would be due."""
        if self.kind != "schedule":
            return
        wish = {"cron": self.fields["cron"] or None, "interval_seconds": None, "timezone": self.fields["timezone"]}
        try:
            interval = _number(self.fields, "interval")
            told = views.timetable(**{**wish, "interval_seconds": interval}, now=datetime.now(UTC))
            self.words = told.words
        except UserError as error:
            self.words = str(error)


def _filled(session: Any, kind: str, trigger_id: str) -> tuple[str, dict[str, str]]:
    """Give the workflow of a trigger, and its fields as text."""
    if kind == "schedule":
        row = views.schedule_row(session, trigger_id, now=datetime.now(UTC))
        told = {"cron": row.cron, "timezone": row.timezone, "overlap": row.overlap, "catch_up": row.catch_up}
        told |= {"interval": _text(row.interval_seconds), "jitter": _text(row.jitter_seconds)}
        return row.workflow_name, {**NEW, **told, "parameters": _json(row.parameters)}
    if kind == "webhook":
        hook = views.webhook_row(session, trigger_id)
        told = {"path": hook.path, "methods": " ".join(hook.methods), "signature": hook.signature}
        return hook.workflow_name, {**NEW, **told, "respond": hook.respond, "parameters": _json(hook.parameters)}
    event = next((one for one in views.subscription_rows(session) if one.id == trigger_id), None)
    if event is None:
        raise Invalid("This trigger is there no more.")
    told = {"event": event.event, "filter": event.filter or "", "parameters": _json(event.parameters)}
    return event.workflow, {**NEW, **told}


def _keep(session: Any, kind: str, trigger_id: str, workflow: str, fields: dict[str, str]) -> str:
    """Make or change a trigger; gives its id."""
    now, parameters = datetime.now(UTC), _parameters(fields["parameters"])
    if kind == "schedule":
        wish = ScheduleWish(
            cron=fields["cron"].strip() or None,
            interval_seconds=_number(fields, "interval"),
            timezone=fields["timezone"].strip() or "UTC",
            jitter_seconds=_number(fields, "jitter") or 0,
            overlap=Overlap(fields["overlap"]),
            catch_up=CatchUp(fields["catch_up"]),
            parameters=parameters,
        )
        if not trigger_id:
            return schedules.create_schedule(session, workflow, wish, now=now)
        schedules.change_schedule(session, trigger_id, wish, now=now)
    elif kind == "webhook":
        hook = WebhookWish(
            path=fields["path"].strip(),
            methods=fields["methods"].replace(",", " ").upper().split(),
            signature=Signature(fields["signature"]),
            respond=Respond(fields["respond"]),
            parameters=parameters,
        )
        if not trigger_id:
            return webhooks.create_webhook(session, workflow, hook)
        webhooks.change_webhook(session, trigger_id, hook)
    else:
        event = SubscriptionWish(
            event_type=fields["event"].strip(), filter=fields["filter"].strip() or None, parameters=parameters
        )
        if not trigger_id:
            return subscriptions.create_subscription(session, workflow, event)
        subscriptions.change_subscription(session, trigger_id, event)
    return trigger_id


def _number(fields: dict[str, str], name: str) -> float | None:
    text = fields[name].strip()
    try:
        return float(text) if text else None
    except ValueError as error:
        raise Invalid(f"{text!r} is no number of seconds.") from error


def _parameters(text: str) -> dict[str, Any]:
    try:
        given = orjson.loads(text or "{}")
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The parameters are no JSON: {error}.") from error
    if not isinstance(given, dict):
        raise Invalid('The parameters are an object, such as {"name": "value"}.')
    return given


def _text(number: float | None) -> str:
    return f"{number:g}" if number else ""


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
