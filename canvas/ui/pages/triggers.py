"""What starts runs by itself: schedules with their next times, webhooks with their addresses."""

from datetime import UTC, datetime
from typing import Any, Final

import reflex as rx

from canvas.services import schedules, views, webhooks
from canvas.services.access import Permission
from canvas.services.views import ScheduleRow, WebhookRow
from canvas.ui.components.clock import ago, due_times
from canvas.ui.components.empty import empty_state
from canvas.ui.components.panel import bones, panel
from canvas.ui.components.run_feed import run_feed
from canvas.ui.session import handler
from canvas.ui.template import template
from canvas.ui.use import look, use

_PAUSE_MS: Final = 5_000


class TriggersState(rx.State):
    """What the page lists."""

    schedules: list[ScheduleRow] = []
    webhooks: list[WebhookRow] = []
    is_loaded: bool = False

    @handler(Permission.VIEW)
    async def load(self) -> None:
        """Show the triggers as they stand now."""
        self.schedules = await look(views.schedule_rows, now=datetime.now(UTC))
        self.webhooks = await look(views.webhook_rows)
        self.is_loaded = True

    @handler(Permission.RUN)
    async def switch_schedule(self, schedule_id: str, enabled: bool) -> Any:
        """Turn a schedule on or off."""
        await use(schedules.switch_schedule, schedule_id, enabled=enabled, now=datetime.now(UTC))
        return TriggersState.load

    @handler(Permission.RUN)
    async def switch_webhook(self, webhook_id: str, enabled: bool) -> Any:
        """Turn a webhook on or off."""
        await use(webhooks.switch_webhook, webhook_id, enabled=enabled)
        return TriggersState.load


def page() -> rx.Component:
    """Build the page."""
    return template(
        run_feed(on_change=TriggersState.load, pause=_PAUSE_MS),
        rx.cond(
            TriggersState.is_loaded,
            rx.cond(TriggersState.schedules.length() + TriggersState.webhooks.length() > 0, _lists(), _nothing()),
            bones(6, "56px"),
        ),
        title="Triggers",
    )


def _lists() -> rx.Component:
    return rx.flex(
        _section(
            "Schedules",
            ("Workflow", "When", "Next", "Rules", "Last"),
            "schedule-row",
            rx.foreach(TriggersState.schedules, _schedule),
            TriggersState.schedules.length() > 0,
            "No schedules. Add one to a workflow's triggers and publish it.",
        ),
        _section(
            "Webhooks",
            ("Workflow", "Address", "Methods", "Last call"),
            "webhook-row",
            rx.foreach(TriggersState.webhooks, _webhook),
            TriggersState.webhooks.length() > 0,
            "No webhooks. Add one to a workflow's triggers and publish it.",
        ),
        direction="column",
        gap="24px",
    )


def _section(
    title: str, names: tuple[str, ...], kind: str, rows: rx.Component, has_rows: Any, otherwise: str
) -> rx.Component:
    head = [rx.box(name, role="columnheader") for name in names]
    return rx.el.section(
        rx.heading(title, size="2", as_="h2", weight="medium", margin_bottom="8px"),
        panel(
            rx.cond(
                has_rows,
                rx.fragment(rx.box(*head, class_name=f"row-head {kind}", role="row"), rows),
                rx.text(otherwise, size="2", color="var(--gray-11)", padding="14px"),
            ),
            role="table",
            aria_label=title,
        ),
    )


def _schedule(row: Any) -> rx.Component:
    return rx.box(
        _cell("name", _workflow(row)),
        _cell(
            "when",
            rx.text(row.words, size="2", color="var(--gray-12)", class_name="two-lines"),
            rx.cond(row.cron != "", rx.text(f"{row.cron} · {row.timezone}", size="1", class_name="mono one-line")),
        ),
        _cell("next", _next_times(row)),
        _cell("rules", _rules(row)),
        _cell("last", _last_fire(row)),
        _cell(
            "switch",
            rx.switch(
                checked=row.enabled,
                on_change=lambda enabled: TriggersState.switch_schedule(row.id, enabled),
                size="1",
                aria_label=f"Schedule of {row.workflow_title}",
            ),
        ),
        class_name="row schedule-row",
        role="row",
        key=row.id,
    )


def _next_times(row: Any) -> rx.Component:
    return rx.cond(
        row.next_fire_times,
        rx.box(
            rx.text(ago(row.next_fire_times[0]), size="2", color="var(--gray-12)"),
            rx.text(due_times(row.next_fire_times, row.timezone), size="1", class_name="two-lines"),
        ),
        rx.text(rx.cond(row.enabled, "never again", "switched off"), size="2", color="var(--gray-10)"),
    )


def _rules(row: Any) -> rx.Component:
    overlap = rx.match(row.overlap, ("skip", "skips while running"), ("queue", "queues while running"), "may overlap")
    catch_up = rx.match(
        row.catch_up,
        ("none", "forgets missed times"),
        ("all", "makes up for all missed"),
        "makes up for the last missed",
    )
    return rx.flex(rx.text(overlap, size="1"), rx.text(catch_up, size="1"), direction="column")


def _last_fire(row: Any) -> rx.Component:
    return rx.cond(
        row.last_run_id != "", rx.link(ago(row.last_fire_at), href=f"/runs/{row.last_run_id}", size="1"), "never"
    )


def _webhook(row: Any) -> rx.Component:
    address = f"/api/hooks/{row.path}"
    origin = rx.Var("window.location.origin").to(str)
    return rx.box(
        _cell("name", _workflow(row)),
        _cell(
            "path",
            rx.flex(
                rx.code(address, variant="soft", color_scheme="gray", size="1", class_name="one-line", title=address),
                rx.icon_button(
                    rx.icon("copy", size=13),
                    on_click=[rx.set_clipboard(origin + rx.Var.create(address)), rx.toast.success("Address copied")],
                    variant="ghost",
                    color_scheme="gray",
                    size="1",
                    margin="0",
                    aria_label="Copy the address",
                ),
                gap="8px",
                align="center",
                min_width="0",
            ),
        ),
        _cell("methods", rx.flex(rx.foreach(row.methods, _method), gap="4px", wrap="wrap")),
        _cell("last", ago(row.last_called_at)),
        _cell(
            "switch",
            rx.switch(
                checked=row.enabled,
                on_change=lambda enabled: TriggersState.switch_webhook(row.id, enabled),
                size="1",
                aria_label=f"Webhook {row.path}",
            ),
        ),
        class_name="row webhook-row",
        role="row",
        key=row.id,
    )


def _method(method: Any) -> rx.Component:
    return rx.badge(method, color_scheme="gray", variant="soft", size="1")


def _workflow(row: Any) -> rx.Component:
    return rx.flex(
        rx.link(
            row.workflow_title, href=f"/workflows/{row.workflow_name}", size="2", weight="medium", class_name="one-line"
        ),
        rx.cond(
            row.is_published,
            None,
            rx.tooltip(
                rx.badge("not published", color_scheme="amber", variant="soft", size="1"),
                content="Nothing starts until a version of the workflow is published.",
            ),
        ),
        gap="8px",
        align="center",
        min_width="0",
    )


def _cell(name: str, *content: rx.Component) -> rx.Component:
    return rx.text(*content, as_="div", size="1", color="var(--gray-11)", class_name=name, min_width="0", role="cell")


def _nothing() -> rx.Component:
    return empty_state(
        "alarm-clock",
        "Nothing starts by itself yet",
        "Give a workflow a trigger, a schedule such as every day at 02:00 or a webhook that other programs call, and "
        "publish it. Its next times and its address then stand here.",
        rx.link(rx.button("Go to the workflows"), href="/"),
    )
