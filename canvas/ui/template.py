"""The frame around every page: navigation at the side (at the bottom on a phone), a header, the content."""

from typing import Final

import reflex as rx

from canvas.ui.components.bell import bell
from canvas.ui.theme import BORDER, HEADER_HEIGHT, SIDEBAR_WIDTH

_PLACES: Final = (
    ("Workflows", "/", "workflow"),
    ("Runs", "/runs", "activity"),
    ("Triggers", "/triggers", "alarm-clock"),
)
_WIDE: Final = ["none", "none", "flex"]
_NARROW: Final = ["flex", "flex", "none"]


def template(
    *content: rx.Component, title: str, actions: rx.Component | None = None, fills: bool = False
) -> rx.Component:
    """Frame a page.

    Args:
        content: The page itself.
        title: Stands in the header; when it names a place in the navigation, that place is marked.
        actions: Buttons at the right end of the header.
        fills: The content takes the whole area and scrolls by itself, as the canvas does.
    """
    return rx.flex(
        _sidebar(title),
        rx.flex(
            _header(title, actions),
            rx.box(
                *content,
                as_="main",
                flex="1",
                min_height="0",
                overflow="hidden" if fills else "auto",
                padding="0" if fills else ["12px", "12px", "20px 24px"],
            ),
            _tab_bar(title),
            direction="column",
            flex="1",
            min_width="0",
        ),
        height="100dvh",
        width="100%",
        overflow="hidden",
        background="var(--gray-2)",
    )


def _sidebar(title: str) -> rx.Component:
    return rx.flex(
        _brand(),
        rx.flex(*(_side_link(*place, is_here=place[0] == title) for place in _PLACES), direction="column", gap="2px"),
        rx.spacer(),
        rx.link(
            rx.flex(rx.icon("book-open", size=14), "API reference", gap="8px", align="center"),
            href="/api/docs",
            is_external=True,
            size="1",
            color="var(--gray-11)",
            padding="8px 10px",
        ),
        as_="nav",
        aria_label="Places",
        display=_WIDE,
        direction="column",
        width=SIDEBAR_WIDTH,
        flex_shrink="0",
        padding="0 10px 10px",
        border_right=BORDER,
        background="var(--color-background)",
    )


def _brand() -> rx.Component:
    return rx.link(
        rx.flex(
            rx.center(
                rx.icon("workflow", size=15, color="white"),
                width="24px",
                height="24px",
                border_radius="var(--radius-2)",
                background="var(--accent-9)",
            ),
            rx.text("Canvas", weight="bold", size="3", color="var(--gray-12)"),
            gap="9px",
            align="center",
            height=HEADER_HEIGHT,
            padding_x="8px",
        ),
        href="/",
        underline="none",
    )


def _side_link(label: str, href: str, icon: str, *, is_here: bool) -> rx.Component:
    return rx.link(
        rx.flex(rx.icon(icon, size=16), label, gap="10px", align="center"),
        href=href,
        underline="none",
        size="2",
        weight="medium" if is_here else "regular",
        color="var(--accent-11)" if is_here else "var(--gray-11)",
        background="var(--accent-a3)" if is_here else "transparent",
        padding="7px 10px",
        border_radius="var(--radius-2)",
        custom_attrs={"aria-current": "page"} if is_here else {},
        _hover={"background": "var(--accent-a3)" if is_here else "var(--gray-a3)"},
    )


def _header(title: str, actions: rx.Component | None) -> rx.Component:
    return rx.flex(
        rx.heading(title, size="3", as_="h1", weight="medium", trim="both", white_space="nowrap"),
        rx.spacer(),
        *([actions] if actions is not None else []),
        bell(),
        rx.icon_button(
            rx.color_mode.icon(
                light_component=rx.icon("sun", size=16),
                dark_component=rx.icon("moon", size=16),
            ),
            on_click=rx.toggle_color_mode,
            variant="ghost",
            color_scheme="gray",
            margin="0",
            aria_label="Light or dark",
        ),
        as_="header",
        align="center",
        gap="12px",
        height=HEADER_HEIGHT,
        flex_shrink="0",
        padding_x=["12px", "12px", "24px"],
        border_bottom=BORDER,
        background="var(--color-background)",
    )


def _tab_bar(title: str) -> rx.Component:
    return rx.flex(
        *(_tab(*place, is_here=place[0] == title) for place in _PLACES),
        as_="nav",
        aria_label="Places",
        display=_NARROW,
        flex_shrink="0",
        border_top=BORDER,
        background="var(--color-background)",
        padding_bottom="env(safe-area-inset-bottom)",
    )


def _tab(label: str, href: str, icon: str, *, is_here: bool) -> rx.Component:
    return rx.link(
        rx.flex(rx.icon(icon, size=18), rx.text(label, size="1"), direction="column", gap="2px", align="center"),
        href=href,
        underline="none",
        flex="1",
        padding="7px 0 6px",
        color="var(--accent-11)" if is_here else "var(--gray-11)",
        custom_attrs={"aria-current": "page"} if is_here else {},
    )
