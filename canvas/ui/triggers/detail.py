"""One trigger with what came of it: due times, deliveries, events."""

from typing import Any

import reflex as rx

from canvas.ui.components.clock import ago, due_times
from canvas.ui.components.panel import panel
from canvas.ui.components.status import run_status
from canvas.ui.triggers.backfill import BackfillState
from canvas.ui.triggers.event_dialog import EventDialogState
from canvas.ui.triggers.form import TriggerFormState
from canvas.ui.triggers.state import ShownTrigger

_OVERLAP = {"allow": "starts all the same", "skip": "is skipped", "queue": "waits for it to end"}
_CATCH_UP = {"none": "are forgotten", "last": "count once: the last is made up for", "all": "are all made up for"}
_RESPOND = {"at_once": "at once, with the run's id", "result": "with the run's output, when it has ended"}


def trigger_detail() -> rx.Component:
    """Show the trigger that the address names."""
    return rx.fragment(
        rx.foreach(ShownTrigger.schedules, _schedule),
        rx.foreach(ShownTrigger.webhooks, _webhook),
        rx.foreach(ShownTrigger.events, _event),
    )


def _schedule(row: Any) -> rx.Component:
    return _frame(
        row.words,
        row.workflow_name,
        row.workflow_title,
        row.is_from_definition,
        _facts(
            ("Cron", rx.cond(row.cron != "", rx.code(row.cron, variant="soft"), "none")),
            ("Timezone", row.timezone),
            ("While a run goes on", f"the next {rx.match(row.overlap, *_OVERLAP.items(), '')}"),
            ("Missed times", rx.match(row.catch_up, *_CATCH_UP.items(), "")),
            ("Jitter", rx.cond(row.jitter_seconds > 0, f"up to {row.jitter_seconds} s", "none")),
        ),
        _part(
            "Next",
            rx.cond(
                row.next_fire_times,
                rx.el.ol(
                    rx.foreach(row.next_fire_times, lambda at: _due(at, row.timezone)),
                    class_name="due-list",
                    custom_attrs={"data-testid": "next-times"},
                ),
                rx.text(rx.cond(row.enabled, "Never again.", "Never, while it is switched off."), size="2"),
            ),
        ),
        _part(
            "Before",
            rx.cond(ShownTrigger.fires, rx.foreach(ShownTrigger.fires, _fire), _quiet("It has not fired yet.")),
            rx.button("Make up…", on_click=BackfillState.begin(row.id), size="1", variant="soft"),
        ),
        key=row.id,
    )


def _due(at: Any, timezone: Any) -> rx.Component:
    return rx.el.li(due_times([at], timezone), rx.text(ago(at), as_="span", size="1", color="var(--gray-10)"))


def _fire(row: Any) -> rx.Component:
    return _line(
        _when(row.fire_at),
        rx.cond(row.is_backfill, rx.badge("made up for", color_scheme="gray", variant="soft", size="1")),
        rx.spacer(),
        _result(row.run_id, row.run_status, row.outcome),
    )


def _webhook(row: Any) -> rx.Component:
    address = f"/api/hooks/{row.path}"
    return _frame(
        address,
        row.workflow_name,
        row.workflow_title,
        row.is_from_definition,
        _facts(
            ("Address", _address()),
            ("Methods", row.methods.join(", ")),
            ("Answers", rx.match(row.respond, *_RESPOND.items(), "")),
        ),
        _part("Secret", _secret(row)),
        _part("Call it", _command()),
        _part(
            "Deliveries",
            rx.cond(
                ShownTrigger.deliveries,
                rx.foreach(ShownTrigger.deliveries, _delivery),
                _quiet("Nobody has called it yet. The latest calls stand here, with what they brought."),
            ),
        ),
        key=row.id,
    )


def _address() -> rx.Component:
    return rx.flex(
        rx.code(ShownTrigger.address, variant="soft", color_scheme="gray", size="1"),
        rx.icon_button(
            rx.icon("copy", size=13),
            on_click=[rx.set_clipboard(ShownTrigger.address), rx.toast.success("Address copied")],
            variant="ghost",
            color_scheme="gray",
            size="1",
            margin="0",
            aria_label="Copy the address",
        ),
        gap="8px",
        align="center",
    )


def _secret(row: Any) -> rx.Component:
    missing = rx.callout(
        "No secret has been made yet, so every call is refused.", icon="triangle-alert", color_scheme="amber", size="1"
    )
    make = rx.button(
        rx.cond(row.has_secret, "Make a new one", "Make the secret"),
        on_click=ShownTrigger.rotate,
        size="1",
        variant="soft",
    )
    both = rx.cond(
        row.previous_secret_until,
        rx.text("The one before is still taken for a day.", size="1", color="var(--gray-11)"),
    )
    return rx.match(
        row.signature,
        ("none", _quiet("None: whoever knows the address can call it.")),
        rx.flex(
            rx.cond(row.has_secret, _quiet("Set, and shown no more."), missing),
            rx.flex(make, both, gap="10px", align="center"),
            direction="column",
            gap="8px",
        ),
    )


def _command() -> rx.Component:
    return rx.box(
        rx.el.pre(ShownTrigger.curl, class_name="code-block mono wrapped", custom_attrs={"data-testid": "curl"}),
        rx.icon_button(
            rx.icon("copy", size=13),
            on_click=[rx.set_clipboard(ShownTrigger.curl), rx.toast.success("Command copied")],
            variant="soft",
            color_scheme="gray",
            size="1",
            position="absolute",
            top="8px",
            right="8px",
            aria_label="Copy the command",
        ),
        position="relative",
    )


def _delivery(row: Any) -> rx.Component:
    is_open = ShownTrigger.opened[0].row.id == row.id
    return rx.box(
        _line(
            rx.badge(row.status, color_scheme=rx.cond(row.status < 300, "green", "red"), variant="soft", size="1"),
            rx.code(row.method, variant="ghost", size="1", color_scheme="gray"),
            _when(row.received_at),
            rx.cond(row.reason != "", rx.text(row.reason, size="1", color="var(--gray-11)", class_name="one-line")),
            rx.spacer(),
            _result(row.run_id, row.run_status, ""),
            rx.cond(
                row.can_replay,
                rx.icon_button(
                    rx.icon("rotate-ccw", size=13),
                    on_click=ShownTrigger.replay(row.id),
                    variant="ghost",
                    color_scheme="gray",
                    size="1",
                    margin="0",
                    title="Take it again",
                    aria_label="Take it again",
                ),
            ),
            rx.icon_button(
                rx.icon("chevron-down", size=13),
                on_click=ShownTrigger.look_at(row.id),
                variant="ghost",
                color_scheme="gray",
                size="1",
                margin="0",
                title="What it brought",
                aria_label="What it brought",
            ),
        ),
        rx.cond(ShownTrigger.opened & is_open, rx.foreach(ShownTrigger.opened, _brought)),
        custom_attrs={"data-testid": "delivery"},
        key=row.id,
    )


def _brought(detail: Any) -> rx.Component:
    return rx.box(
        rx.cond(detail.row.detail != "", rx.text(detail.row.detail, size="1", color="var(--red-11)")),
        rx.cond(
            detail.body != "",
            rx.el.pre(detail.body, class_name="code-block mono", max_height="240px"),
            _quiet("It had no body, or none was kept."),
        ),
        rx.text(
            rx.foreach(detail.headers.items(), lambda pair: rx.el.div(f"{pair[0]}: {pair[1]}")),
            as_="div",
            size="1",
            color="var(--gray-11)",
            class_name="mono",
        ),
        padding="0 0 10px",
    )


def _event(row: Any) -> rx.Component:
    return _frame(
        row.event,
        row.workflow,
        row.workflow_title,
        row.follows_definition,
        _facts(("Only if", rx.cond(row.filter, rx.code(row.filter.to(str), variant="soft"), "every one of its type"))),
        _part(
            "Heard",
            rx.cond(
                ShownTrigger.heard,
                rx.foreach(ShownTrigger.heard, _heard),
                _quiet("It has not heard any event yet."),
            ),
            rx.button("Send a test event", on_click=EventDialogState.begin(row.event), size="1", variant="soft"),
        ),
        key=row.id,
    )


def _heard(row: Any) -> rx.Component:
    return _line(_when(row.at), rx.spacer(), _result(row.run_id, row.run_status, row.reason))


def _result(run_id: Any, status: Any, otherwise: Any) -> rx.Component:
    return rx.cond(
        run_id != "",
        rx.link(
            rx.cond(status != "", run_status(status), rx.text("run", size="1")),
            href=f"/runs/{run_id}",
            underline="none",
        ),
        rx.text(otherwise, size="1", color="var(--gray-11)", class_name="one-line"),
    )


def _frame(
    title: Any, workflow: Any, workflow_title: Any, is_from_definition: Any, *parts: rx.Component, key: Any
) -> rx.Component:
    return panel(
        rx.flex(
            rx.link(
                rx.icon_button(rx.icon("arrow-left", size=15), variant="ghost", color_scheme="gray", aria_label="Back"),
                href="/triggers",
                class_name="back",
            ),
            rx.box(
                rx.heading(title, size="3", as_="h2", overflow_wrap="anywhere"),
                rx.text("starts ", rx.link(workflow_title, href=f"/workflows/{workflow}"), size="1"),
                min_width="0",
            ),
            rx.spacer(),
            rx.cond(is_from_definition, None, _tools()),
            rx.link(
                rx.icon_button(rx.icon("x", size=15), variant="ghost", color_scheme="gray", aria_label="Close"),
                href="/triggers",
                class_name="forth",
            ),
            gap="10px",
            align="start",
        ),
        rx.cond(
            is_from_definition,
            rx.text(
                "It stands in the workflow's published version. ",
                rx.link("Change it on the canvas", href=f"/workflows/{workflow}"),
                size="1",
                color="var(--gray-11)",
            ),
        ),
        *parts,
        display="flex",
        flex_direction="column",
        gap="16px",
        padding="16px",
        custom_attrs={"data-testid": "trigger-detail"},
        key=key,
    )


def _tools() -> rx.Component:
    return rx.flex(
        rx.button(
            "Change",
            on_click=TriggerFormState.change(ShownTrigger.kind, ShownTrigger.trigger_id),
            size="1",
            variant="soft",
        ),
        rx.button("Delete", on_click=ShownTrigger.ask_delete(True), size="1", variant="soft", color_scheme="red"),
        gap="8px",
    )


def _facts(*facts: tuple[str, Any]) -> rx.Component:
    rows = [
        rx.fragment(
            rx.text(name, size="1", color="var(--gray-11)"),
            rx.text(value, as_="div", size="2", overflow_wrap="anywhere"),
        )
        for name, value in facts
    ]
    return rx.grid(*rows, columns="132px minmax(0, 1fr)", gap="6px 12px", align="baseline")


def _part(title: str, content: rx.Component, *tools: rx.Component) -> rx.Component:
    return rx.el.section(
        rx.flex(
            rx.heading(title, size="1", as_="h3", weight="bold"),
            rx.spacer(),
            *tools,
            align="center",
            min_height="24px",
            margin_bottom="4px",
        ),
        content,
    )


def _line(*content: rx.Component) -> rx.Component:
    return rx.flex(*content, gap="8px", align="center", min_height="32px", border_bottom="1px solid var(--gray-a3)")


def _when(moment: Any) -> rx.Component:
    return rx.text(ago(moment), size="1", color="var(--gray-11)", white_space="nowrap")


def _quiet(text: str) -> rx.Component:
    return rx.text(text, size="2", color="var(--gray-11)")
