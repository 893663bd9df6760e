"""What starts runs by itself, in one list: schedules, webhooks, events; and each of them in detail."""

from typing import Any

import reflex as rx

from canvas.ui.components.clock import ago
from canvas.ui.components.dialog import dialog
from canvas.ui.components.empty import empty_state
from canvas.ui.components.filters import choice, search_box
from canvas.ui.components.panel import bones, panel
from canvas.ui.components.run_feed import run_feed
from canvas.ui.components.status import run_status
from canvas.ui.template import template
from canvas.ui.triggers.backfill import BackfillState, backfill_dialog
from canvas.ui.triggers.detail import trigger_detail
from canvas.ui.triggers.event_dialog import EventDialogState, event_dialog
from canvas.ui.triggers.form import TriggerFormState
from canvas.ui.triggers.form_dialog import form_dialog
from canvas.ui.triggers.state import KINDS, STANDINGS, ShownTrigger, TriggersState

ON_LOAD = [
    TriggersState.load,
    *(state.toggle(False) for state in (BackfillState, EventDialogState, TriggerFormState)),
]
"""A dialog that was open when the page was left is closed when it is shown again."""

_PAUSE_MS = 5_000
_ICONS = {"schedule": "alarm-clock", "webhook": "webhook", "event": "radio"}


def page() -> rx.Component:
    """Build the page."""
    return template(
        run_feed(on_change=TriggersState.refresh, pause=_PAUSE_MS),
        form_dialog(),
        backfill_dialog(),
        event_dialog(),
        _secret_dialog(),
        _delete_dialog(),
        rx.cond(TriggersState.is_loaded, rx.cond(TriggersState.total > 0, _content(), _nothing()), bones(6, "56px")),
        title="Triggers",
        actions=_actions(),
    )


def _actions() -> rx.Component:
    return rx.flex(
        rx.button(
            rx.icon("send", size=14),
            rx.text("Test event", display=["none", "none", "inline"]),
            on_click=EventDialogState.begin(""),
            variant="soft",
            color_scheme="gray",
            aria_label="Send a test event",
        ),
        rx.dropdown_menu.root(
            rx.dropdown_menu.trigger(rx.button(rx.icon("plus", size=14), "New")),
            rx.dropdown_menu.content(
                *(
                    rx.dropdown_menu.item(
                        rx.icon(icon, size=14), kind.capitalize(), on_click=TriggerFormState.begin(kind)
                    )
                    for kind, icon in _ICONS.items()
                ),
                align="end",
            ),
        ),
        gap="8px",
    )


def _content() -> rx.Component:
    has_shown = (ShownTrigger.schedules.length() + ShownTrigger.webhooks.length() + ShownTrigger.events.length()) > 0
    return rx.box(
        rx.box(_filters(), _list(), class_name="trigger-list"),
        rx.cond(has_shown, rx.box(trigger_detail(), class_name="shown")),
        class_name=rx.cond(has_shown, "triggers has-shown", "triggers"),
    )


def _filters() -> rx.Component:
    return rx.flex(
        search_box("Search triggers", TriggersState.text, TriggersState.search),
        choice("Kind", KINDS, TriggersState.kind, lambda value: TriggersState.narrow("kind", value)),
        choice("Standing", STANDINGS, TriggersState.standing, lambda value: TriggersState.narrow("standing", value)),
        gap="8px",
        wrap="wrap",
        margin_bottom="12px",
    )


def _list() -> rx.Component:
    head = [
        rx.box(name, role="columnheader", class_name=name.lower())
        for name in ("Trigger", "Workflow", "Next", "Last", "On")
    ]
    return panel(
        rx.cond(
            TriggersState.rows,
            rx.fragment(
                rx.box(*head, class_name="row-head trigger-row", role="row"),
                rx.foreach(TriggersState.rows, _row),
            ),
            empty_state("search-x", "No trigger fits", "None of them is of this kind and says all of these words."),
        ),
        role="table",
        aria_label="Triggers",
    )


def _row(row: Any) -> rx.Component:
    icons = [(kind, rx.icon(icon, size=15)) for kind, icon in _ICONS.items()]
    return rx.box(
        rx.flex(
            rx.center(rx.match(row.kind, *icons, rx.icon("radio", size=15)), class_name="trigger-icon"),
            rx.box(
                rx.link(
                    row.what,
                    href=f"/triggers?kind={row.kind}&id={row.id}",
                    size="2",
                    weight="medium",
                    color="var(--gray-12)",
                    underline="none",
                    class_name=rx.cond(row.kind == "schedule", "card-link one-line sentence", "card-link one-line"),
                    display="block",
                ),
                rx.cond(
                    row.detail != "",
                    rx.text(row.detail, size="1", color="var(--gray-11)", class_name="mono one-line"),
                ),
                min_width="0",
            ),
            gap="10px",
            align="center",
            class_name="trigger",
            min_width="0",
            role="cell",
        ),
        _cell("workflow", _workflow(row)),
        _cell("next", rx.cond(row.next_at, ago(row.next_at), rx.text("–", as_="span"))),
        _cell("last", _last(row)),
        rx.box(
            rx.switch(
                checked=row.enabled,
                on_change=lambda enabled: TriggersState.turn(row.kind, row.id, enabled),
                size="1",
                aria_label=f"{row.what} of {row.workflow_title}",
                class_name="above",
            ),
            class_name="on",
            role="cell",
        ),
        class_name="row trigger-row",
        role="row",
        position="relative",
        custom_attrs={"aria-current": rx.cond(ShownTrigger.trigger_id == row.id, "true", "false")},
        key=row.id,
    )


def _workflow(row: Any) -> rx.Component:
    return rx.flex(
        rx.link(
            row.workflow_title,
            href=f"/workflows/{row.workflow_name}",
            size="2",
            class_name="one-line above",
        ),
        rx.cond(
            row.is_published,
            None,
            rx.tooltip(
                rx.badge("not published", color_scheme="amber", variant="soft", size="1", class_name="above"),
                content="Nothing starts until a version of the workflow is published.",
            ),
        ),
        rx.cond(row.is_from_definition, None, rx.badge("kept here", color_scheme="gray", variant="soft", size="1")),
        gap="8px",
        align="center",
        min_width="0",
    )


def _last(row: Any) -> rx.Component:
    result = rx.cond(
        row.last_result == "refused",
        rx.badge("refused", color_scheme="red", variant="soft", size="1"),
        rx.cond(
            row.last_result != "",
            rx.link(run_status(row.last_result), href=f"/runs/{row.last_run_id}", underline="none", class_name="above"),
        ),
    )
    return rx.flex(ago(row.last_at), result, gap="8px", align="center", wrap="wrap")


def _cell(name: str, *content: rx.Component) -> rx.Component:
    return rx.text(*content, as_="div", size="1", color="var(--gray-11)", class_name=name, min_width="0", role="cell")


def _nothing() -> rx.Component:
    kinds = (
        ("alarm-clock", "Schedules", "start a run by the clock: every weekday at 09:00, or every five minutes."),
        ("webhook", "Webhooks", "start one when another program calls an address of yours."),
        ("radio", "Events", "start one when something happens: a run failed, a task was completed, an order came."),
    )
    return panel(
        empty_state(
            "alarm-clock",
            "Nothing starts by itself yet",
            "Add a trigger to a workflow on its canvas and publish it; or keep one here, beside all versions.",
            rx.link(rx.button("Go to the workflows"), href="/"),
        ),
        rx.grid(
            *(
                rx.flex(
                    rx.icon(icon, size=16, color="var(--accent-11)", flex_shrink="0", margin_top="2px"),
                    rx.text(rx.text.strong(name), " ", about, size="2", color="var(--gray-11)"),
                    gap="10px",
                )
                for icon, name, about in kinds
            ),
            columns=rx.breakpoints(initial="1", md="3"),
            gap="20px",
            padding="0 24px 32px",
        ),
    )


def _secret_dialog() -> rx.Component:
    return dialog(
        "The webhook's secret",
        "Copy it now: it is shown this once. The one before, if there was one, is taken for another day.",
        rx.flex(
            rx.code(
                ShownTrigger.secret,
                size="2",
                variant="soft",
                overflow_wrap="anywhere",
                custom_attrs={"data-testid": "secret"},
            ),
            rx.icon_button(
                rx.icon("copy", size=14),
                on_click=[rx.set_clipboard(ShownTrigger.secret), rx.toast.success("Secret copied")],
                variant="soft",
                aria_label="Copy the secret",
            ),
            gap="8px",
            align="center",
        ),
        rx.flex(rx.dialog.close(rx.button("I have it")), justify="end", padding_top="16px"),
        width="520px",
        open=ShownTrigger.secret != "",
        on_open_change=ShownTrigger.forget_secret,
    )


def _delete_dialog() -> rx.Component:
    return dialog(
        "Delete this trigger?",
        "It starts nothing any more. The runs that it started stay.",
        rx.flex(
            rx.button("Keep it", on_click=ShownTrigger.ask_delete(False), variant="soft", color_scheme="gray"),
            rx.button("Delete", on_click=ShownTrigger.delete, color_scheme="red"),
            gap="8px",
            justify="end",
        ),
        width="400px",
        open=ShownTrigger.is_doomed,
        on_open_change=ShownTrigger.ask_delete,
    )
