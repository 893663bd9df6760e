"""A status as colour, icon and word."""

from typing import Final

import reflex as rx

from canvas.ui.theme import STATUS_COLORS

_ICONS: Final = {
    "pending": "circle-dashed",
    "running": "loader-circle",
    "waiting": "hourglass",
    "retrying": "rotate-cw",
    "paused": "pause",
    "completed": "check",
    "failed": "x",
    "skipped": "minus",
    "cancelled": "ban",
}
_TRIGGER_ICONS: Final = {
    "manual": "hand",
    "api": "braces",
    "schedule": "alarm-clock",
    "webhook": "webhook",
    "event": "radio",
    "workflow": "workflow",
}


def status_color(status: rx.Var) -> rx.Var:
    """Give the colour scheme of a status."""
    return rx.match(status, *STATUS_COLORS.items(), "gray")


def run_status(status: rx.Var) -> rx.Component:
    """Show the status of a run: icon and word."""
    icons = [(name, rx.icon(icon, size=13, class_name=_motion(name))) for name, icon in _ICONS.items()]
    return rx.badge(
        rx.match(status, *icons, rx.icon("circle", size=13)),
        status,
        color_scheme=status_color(status),
        variant="soft",
        size="1",
    )


def workflow_status(status: rx.Var) -> rx.Component:
    """Show the status of a workflow: a dot and the word."""
    return rx.badge(
        rx.box(width="6px", height="6px", border_radius="50%", background="currentColor", flex_shrink="0"),
        status,
        color_scheme=status_color(status),
        variant="soft",
        size="1",
    )


def status_fill(status: rx.Var) -> rx.Var:
    """Give the solid colour of a status, for marks and bars."""
    fills = [(name, f"var(--{color}-{8 if color == 'gray' else 9})") for name, color in STATUS_COLORS.items()]
    return rx.match(status, *fills, "var(--gray-8)")


def trigger_label(trigger: rx.Var) -> rx.Component:
    """Show what started a run: icon and word."""
    icons = [(name, rx.icon(icon, size=13)) for name, icon in _TRIGGER_ICONS.items()]
    return rx.flex(rx.match(trigger, *icons, rx.icon("circle", size=13)), trigger, gap="6px", align="center")


def _motion(status: str) -> str:
    return "turning" if status == "running" else ""
