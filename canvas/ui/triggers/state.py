"""What the Triggers page shows: the list, and the one trigger that the address names."""

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import reflex as rx

from canvas.domain.errors import Invalid, UserError
from canvas.services import deliveries, schedules, subscriptions, views, webhooks
from canvas.services.access import Permission
from canvas.services.views import (
    DeliveryDetail,
    DeliveryRow,
    FireRow,
    HeardRow,
    ScheduleRow,
    SubscriptionRow,
    TriggerRow,
    WebhookRow,
)
from canvas.ui.session import actor, handler
from canvas.ui.triggers.curl import curl_example
from canvas.ui.use import look, settings, use
from canvas.vault import Vault

ANY: Final = "any"
KINDS: Final = {ANY: "All kinds", "schedule": "Schedules", "webhook": "Webhooks", "event": "Events"}
STANDINGS: Final = {ANY: "On and off", "on": "Switched on", "off": "Switched off", "failed": "Last one failed"}
_SHOWN_ROWS: Final = 20
_BAD: Final = ("failed", "refused")


class TriggersState(rx.State):
    """All triggers, and what of them is listed."""

    rows: list[TriggerRow] = []
    text: str = ""
    kind: str = ANY
    standing: str = ANY
    total: int = 0
    is_loaded: bool = False

    @handler(Permission.VIEW)
    async def load(self) -> Any:
        """Show the triggers as they stand now, and the one that the address names."""
        await self._show()
        return ShownTrigger.open

    @handler(Permission.VIEW)
    async def refresh(self) -> Any:
        """Show how they stand now: something has happened."""
        await self._show()
        return ShownTrigger.refresh

    @handler(Permission.VIEW)
    async def narrow(self, name: str, value: str) -> None:
        """Set one of the filters."""
        if value not in {"kind": KINDS, "standing": STANDINGS}.get(name, ()):
            raise Invalid(f"There is no {name} {value!r} to filter by.")
        setattr(self, name, value)
        await self._show()

    @handler(Permission.VIEW)
    async def search(self, text: str) -> None:
        """List only triggers that say all words of a text, their workflow's name included."""
        self.text = text[:200]
        await self._show()

    @handler(Permission.RUN)
    async def turn(self, kind: str, trigger_id: str, enabled: bool) -> Any:
        """Turn a trigger on or off."""
        if kind == "schedule":
            await use(schedules.switch_schedule, trigger_id, enabled=enabled, now=datetime.now(UTC))
        elif kind == "webhook":
            await use(webhooks.switch_webhook, trigger_id, enabled=enabled)
        else:
            await use(subscriptions.switch_subscription, trigger_id, enabled=enabled)
        return TriggersState.refresh

    async def _show(self) -> None:
        everything = await look(views.trigger_rows, now=datetime.now(UTC))
        self.total = len(everything)
        self.rows = [row for row in everything if self._is_wanted(row)]
        self.is_loaded = True

    def _is_wanted(self, row: TriggerRow) -> bool:
        said = f"{row.what} {row.detail} {row.workflow_name} {row.workflow_title} {row.kind}".lower()
        stands = {"on": row.enabled, "off": not row.enabled, "failed": row.last_result in _BAD}
        return (
            self.kind in (ANY, row.kind)
            and stands.get(self.standing, True)
            and all(word in said for word in self.text.lower().split())
        )


class ShownTrigger(rx.State):
    """The trigger that is shown in detail; each list holds one row or none."""

    kind: str = ""
    trigger_id: str = ""
    schedules: list[ScheduleRow] = []
    webhooks: list[WebhookRow] = []
    events: list[SubscriptionRow] = []
    fires: list[FireRow] = []
    deliveries: list[DeliveryRow] = []
    heard: list[HeardRow] = []
    opened: list[DeliveryDetail] = []
    "The delivery whose body is looked at."
    address: str = ""
    "The whole one, of a webhook."
    curl: str = ""
    secret: str = ""
    "Just made; it is forgotten when its dialog closes."
    is_doomed: bool = False

    @handler(Permission.VIEW)
    async def open(self) -> None:
        """Show the trigger that the address names, or none."""
        asked = self.router.url.query_parameters
        self.reset()
        self.kind, self.trigger_id = asked.get("kind", ""), asked.get("id", "")
        await self._show()

    @handler(Permission.VIEW)
    async def refresh(self) -> None:
        """Show how it stands now."""
        await self._show()

    @handler(Permission.VIEW)
    async def look_at(self, delivery_id: str) -> None:
        """Show what was kept of a delivery, or fold it away again."""
        is_open = any(one.row.id == delivery_id for one in self.opened)
        self.opened = [] if is_open else [await look(views.delivery_detail, delivery_id)]

    @handler(Permission.RUN)
    async def replay(self, delivery_id: str) -> Any:
        """Take a delivery again."""
        run_id = await use(
            deliveries.replay_delivery, delivery_id, now=datetime.now(UTC), triggered_by=f"replay by {actor(self).name}"
        )
        return rx.redirect(f"/runs/{run_id}")

    @handler(Permission.EDIT)
    async def rotate(self) -> None:
        """Make the webhook a new secret and show it this once."""
        self.secret = await use(webhooks.rotate_secret, self.trigger_id, vault=Vault(settings()), now=datetime.now(UTC))
        await self._show()

    @handler(Permission.VIEW)
    async def forget_secret(self) -> None:
        """Show the secret no more."""
        self.secret = ""

    @handler(Permission.EDIT)
    async def ask_delete(self, is_doomed: bool) -> None:
        """Ask before it is deleted, or ask no more."""
        self.is_doomed = is_doomed

    @handler(Permission.EDIT)
    async def delete(self) -> Any:
        """Delete a trigger that is kept by hand."""
        services = {
            "schedule": schedules.delete_schedule,
            "webhook": webhooks.delete_webhook,
            "event": subscriptions.delete_subscription,
        }
        self.is_doomed = False
        await use(services[self.kind], self.trigger_id)
        return rx.redirect("/triggers")

    async def _show(self) -> None:
        try:
            await self._read()
        except UserError:
            self.reset()

    async def _read(self) -> None:
        if self.kind == "schedule":
            self.schedules = [await look(views.schedule_row, self.trigger_id, now=datetime.now(UTC))]
            self.fires = await look(views.fire_rows, self.trigger_id, limit=_SHOWN_ROWS)
        elif self.kind == "webhook":
            row = await look(views.webhook_row, self.trigger_id)
            self.webhooks = [row]
            self.deliveries = await look(views.delivery_rows, self.trigger_id, limit=_SHOWN_ROWS)
            self.address = f"{self.router.url.origin}/api/hooks/{quote(row.path)}"
            self.curl = curl_example(self.address, row.methods, row.signature)
        elif self.kind == "event":
            rows = await look(views.subscription_rows)
            self.events = [row for row in rows if row.id == self.trigger_id]
            self.heard = await look(views.heard_rows, self.trigger_id, limit=_SHOWN_ROWS)
