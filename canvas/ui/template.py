"""The frame around every page: navigation at the side (at the bottom on a phone), a header, the content."""

from typing import Final

import reflex as rx

from canvas.ui.components.bell import bell
from canvas.ui.theme import BORDER, HEADER_HEIGHT, SIDEBAR_WIDTH

_PLACES: Final = (
    ("Workflows", "/", "workflow"),
    ("Runs", "/runs", "activity"),
    ("Triggers", "/triggers", "alarm-clock"),
    ("Actions", "/actions", "zap"),
    ("Connections", "/connections", "plug"),
    ("Settings", "/settings", "settings"),
)
_WIDE: Final = ["none", "none", "flex"]
_NARROW: Final = ["flex", "flex", "none"]


def template(*content: rx.Component, title: str, actions: rx.Component | None = None) -> rx.Component:
    """Frame a page.

    Args:
        content: The page itself.
        title: Stands in the header; when it names a place in the navigation, that place is marked.
        actions: Buttons at the right end of the header.
    """
    return rx.flex(
        _sidebar(title),
        rx.flex(
            _header(title, actions),
            rx.el.main(*content, flex="1", min_height="0", overflow="auto", padding=["12px", "12px", "20px 24px"]),
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
    return rx.el.nav(
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
        aria_label="Places",
        display=_WIDE,
        flex_direction="column",
        width=SIDEBAR_WIDTH,
        flex_shrink="0",
        padding="0 10px 10px",
        border_right=BORDER,
        background="var(--color-background)",
    )


def _brand() -> rx.Component:
    return rx.link(
        rx.flex(
            _logo(),
            rx.text("Canvas", weight="bold", size="3", color="var(--gray-12)"),
            gap="9px",
            align="center",
            height=HEADER_HEIGHT,
            padding_x="8px",
        ),
        href="/",
        underline="none",
    )


def _logo() -> rx.Component:
    return rx.center(
        rx.icon("workflow", size=15, color="white"),
        width="24px",
        height="24px",
        border_radius="var(--radius-2)",
        background="var(--accent-9)",
    )


def _color_mode_button() -> rx.Component:
    return rx.icon_button(
        rx.color_mode.icon(
            light_component=rx.icon("sun", size=16),
            dark_component=rx.icon("moon", size=16),
        ),
        on_click=rx.toggle_color_mode,
        variant="ghost",
        color_scheme="gray",
        margin="0",
        aria_label="Light or dark",
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
    return rx.el.header(
        rx.heading(title, size="3", as_="h1", weight="medium", trim="both", white_space="nowrap"),
        rx.spacer(),
        *([actions] if actions is not None else []),
        bell(),
        _color_mode_button(),
        display="flex",
        align_items="center",
        gap="12px",
        height=HEADER_HEIGHT,
        flex_shrink="0",
        padding_x=["12px", "12px", "24px"],
        border_bottom=BORDER,
        background="var(--color-background)",
    )


def _tab_bar(title: str) -> rx.Component:
    return rx.el.nav(
        *(_tab(*place, is_here=place[0] == title) for place in _PLACES),
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


def rail_template(content: rx.Component, *, place: str) -> rx.Component:
    """Frame a page that needs all the room there is: a narrow rail instead of navigation and header.

    Args:
        content: The page; it brings a header of its own.
        place: The place in the navigation that is marked.
    """
    return rx.flex(
        rx.el.nav(
            rx.link(_logo(), href="/", aria_label="Canvas", margin="12px 0 10px", display=_WIDE),
            *(_rail_link(*each, is_here=each[0] == place) for each in _PLACES),
            rx.spacer(display=_WIDE),
            rx.center(bell(), width="34px", height="34px"),
            rx.center(_color_mode_button(), width="34px", height="34px"),
            aria_label="Places",
            display="flex",
            flex_direction=["row", "row", "column"],
            align_items="center",
            justify_content=["space-around", "space-around", "start"],
            gap="4px",
            width=["100%", "100%", "48px"],
            flex_shrink="0",
            padding=["4px 6px max(4px, env(safe-area-inset-bottom))", "4px 6px", "0 0 8px"],
            border_right=["none", "none", BORDER],
            border_top=[BORDER, BORDER, "none"],
            background="var(--color-background)",
        ),
        rx.el.main(content, flex="1", min_width="0", min_height="0"),
        direction=rx.breakpoints(initial="column-reverse", md="row"),
        height="100dvh",
        width="100%",
        overflow="hidden",
        background="var(--gray-2)",
    )


def _rail_link(label: str, href: str, icon: str, *, is_here: bool) -> rx.Component:
    return rx.link(
        rx.center(rx.icon(icon, size=17), width="34px", height="34px"),
        href=href,
        title=label,
        aria_label=label,
        color="var(--accent-11)" if is_here else "var(--gray-11)",
        background="var(--accent-a3)" if is_here else "transparent",
        border_radius="var(--radius-2)",
        custom_attrs={"aria-current": "page"} if is_here else {},
        _hover={"background": "var(--accent-a3)" if is_here else "var(--gray-a3)"},
    )
