"""A workflow on the home page."""

from typing import Any

import reflex as rx

from canvas.domain.states import WorkflowStatus
from canvas.ui.components.clock import ago
from canvas.ui.components.status import status_fill, workflow_status
from canvas.ui.theme import BORDER


def workflow_card(card: Any, *, on_run: Any, on_duplicate: Any, on_archive: Any, on_delete: Any) -> rx.Component:
    """Show what a workflow is, how its last runs went and when the next is due; the whole card leads to the editor."""
    return rx.flex(
        rx.flex(
            _title(card),
            rx.spacer(),
            rx.icon_button(
                rx.icon("play", size=14),
                on_click=on_run,
                variant="soft",
                size="1",
                class_name="above",
                aria_label=f"Run {card.title}",
            ),
            _menu(card, on_duplicate=on_duplicate, on_archive=on_archive, on_delete=on_delete),
            gap="6px",
            align="start",
        ),
        rx.text(
            rx.cond(card.description != "", card.description, "No description."),
            size="1",
            color=rx.cond(card.description != "", "var(--gray-11)", "var(--gray-9)"),
            class_name="two-lines",
            min_height="32px",
        ),
        rx.spacer(),
        _last_runs(card),
        _footer(card),
        direction="column",
        gap="8px",
        padding="12px 14px",
        position="relative",
        border=BORDER,
        border_radius="var(--radius-3)",
        background="var(--color-background)",
        transition="border-color 0.12s",
        _hover={"border_color": "var(--gray-a8)"},
        key=card.name,
    )


def _title(card: Any) -> rx.Component:
    return rx.box(
        rx.link(
            card.title,
            href=f"/workflows/{card.name}",
            underline="none",
            color="var(--gray-12)",
            size="2",
            weight="medium",
            class_name="card-link one-line",
            display="block",
            title=card.title,
        ),
        rx.text(card.name, size="1", color="var(--gray-10)", class_name="mono one-line"),
        min_width="0",
    )


def _menu(card: Any, *, on_duplicate: Any, on_archive: Any, on_delete: Any) -> rx.Component:
    export = f"/api/workflows/{card.name}/export?format="
    is_archived = card.status == WorkflowStatus.ARCHIVED.value
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.icon_button(
                rx.icon("ellipsis", size=14),
                variant="ghost",
                color_scheme="gray",
                size="1",
                margin="2px 0 0",
                class_name="above",
                aria_label=f"More about {card.title}",
            )
        ),
        rx.dropdown_menu.content(
            _download("Export YAML", export + "yaml", f"{card.name}.yaml"),
            _download("Export JSON", export + "json", f"{card.name}.json"),
            rx.dropdown_menu.separator(),
            rx.dropdown_menu.item("Duplicate", on_select=on_duplicate),
            rx.dropdown_menu.item(rx.cond(is_archived, "Take out of the archive", "Archive"), on_select=on_archive),
            rx.dropdown_menu.item("Delete …", color="red", on_select=on_delete),
            size="1",
            align="end",
        ),
    )


def _download(label: str, href: Any, filename: Any) -> rx.Component:
    native = {"reloadDocument": True}  # else the router looks for a page of this name
    return rx.dropdown_menu.item(rx.el.a(label, href=href, download=filename, custom_attrs=native), as_child=True)


def _last_runs(card: Any) -> rx.Component:
    return rx.flex(
        rx.cond(
            card.recent_runs,
            rx.flex(rx.foreach(card.recent_runs, _mark), direction="row-reverse", gap="3px", class_name="above"),
            rx.text("not run yet", size="1", color="var(--gray-10)"),
        ),
        rx.cond(
            card.recent_runs,
            rx.text(ago(card.recent_runs[0].started_at, none="about to start"), size="1", color="var(--gray-11)"),
        ),
        rx.spacer(),
        rx.cond(
            card.next_fire_at,
            rx.flex(
                rx.icon("alarm-clock", size=12),
                ago(card.next_fire_at),
                gap="4px",
                align="center",
                font_size="var(--font-size-1)",
                color="var(--gray-11)",
            ),
        ),
        gap="8px",
        align="center",
        height="20px",
    )


def _mark(run: Any) -> rx.Component:
    return rx.link(
        rx.box(
            width="8px",
            height="16px",
            border_radius="2px",
            background=status_fill(run.status),
            class_name=rx.cond(run.status == "running", "pulsing", ""),
        ),
        href=f"/runs/{run.id}",
        title=run.status,
        aria_label=f"Run, {run.status}",
        key=run.id,
    )


def _footer(card: Any) -> rx.Component:
    version = rx.cond(
        card.published_version,
        f"v{card.published_version} published",
        rx.cond(card.latest_version > 0, f"v{card.latest_version} saved", "draft only"),
    )
    steps = rx.cond(card.step_count == 1, "1 step", f"{card.step_count} steps")
    return rx.flex(
        workflow_status(card.status),
        rx.text(f"{steps} · {version}", size="1", color="var(--gray-10)", white_space="nowrap"),
        rx.flex(
            rx.foreach(card.tags, lambda tag: rx.badge(tag, color_scheme="gray", variant="outline", size="1")),
            gap="4px",
            justify="end",
            wrap="wrap",
            flex="1",
            height="20px",
            overflow="hidden",
        ),
        gap="8px",
        align="center",
    )
