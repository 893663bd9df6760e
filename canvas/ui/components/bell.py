"""The bell in the header: what workflows told people."""

from datetime import UTC, datetime
from typing import Any

import reflex as rx

from canvas.services import notifications, views
from canvas.services.access import Permission
from canvas.services.views import NotificationRow
from canvas.ui.components.clock import ago
from canvas.ui.components.run_feed import run_feed
from canvas.ui.session import handler
from canvas.ui.use import look, use

_PAUSE_MS = 2_000


class BellState(rx.State):
    """What the bell shows."""

    unread: int = 0
    rows: list[NotificationRow] = []

    @handler(Permission.VIEW)
    async def count(self) -> None:
        """Look whether anything is new."""
        self.unread = await look(views.unread_count)

    @handler(Permission.VIEW)
    async def toggle(self, is_open: bool) -> None:
        """Show the newest messages; they count as seen once they were shown."""
        if is_open:
            self.rows = await look(views.notification_rows)
            await use(notifications.mark_all_read, now=datetime.now(UTC))
            self.unread = 0


def bell() -> rx.Component:
    """The bell with its list, and the feed that keeps its number right."""
    return rx.popover.root(
        run_feed(on_change=BellState.count, pause=_PAUSE_MS),
        rx.popover.trigger(_button()),
        rx.popover.content(
            rx.cond(
                BellState.rows,
                rx.flex(rx.foreach(BellState.rows, _row), direction="column"),
                rx.text("Nothing yet. Workflows put messages here with the action notify/create.", size="2"),
            ),
            align="end",
            width="360px",
            max_width="calc(100vw - 24px)",
            max_height="70vh",
            overflow_y="auto",
            padding="12px",
        ),
        on_open_change=BellState.toggle,
    )


def _button() -> rx.Component:
    count = rx.cond(BellState.unread > 99, "99+", BellState.unread.to(str))
    mark = rx.badge(
        count,
        color_scheme="red",
        variant="solid",
        radius="full",
        size="1",
        position="absolute",
        top="-5px",
        left="10px",
        padding="0 5px",
        font_size="10px",
        line_height="15px",
    )
    return rx.icon_button(
        rx.icon("bell", size=16),
        rx.cond(BellState.unread > 0, mark),
        variant="ghost",
        color_scheme="gray",
        margin="0",
        position="relative",
        aria_label=rx.cond(BellState.unread > 0, f"Notifications, {count} new", "Notifications"),
        on_mount=BellState.count,
    )


def _row(row: Any) -> rx.Component:
    colors = rx.match(row.level, ("error", "var(--red-9)"), ("warning", "var(--amber-9)"), "var(--accent-9)")
    inside = rx.flex(
        rx.box(
            width="7px",
            height="7px",
            border_radius="50%",
            flex_shrink="0",
            margin_top="6px",
            background=rx.cond(row.is_read, "var(--gray-6)", colors),
        ),
        rx.box(
            rx.text(row.title, size="2", weight=rx.cond(row.is_read, "regular", "medium")),
            rx.cond(row.body, rx.text(row.body, size="1", color="var(--gray-11)", class_name="two-lines")),
            rx.text(ago(row.created_at), size="1", color="var(--gray-10)"),
            min_width="0",
        ),
        gap="10px",
        padding="8px",
        border_radius="var(--radius-2)",
        _hover={"background": "var(--gray-a3)"},
    )
    is_outside = row.link.startswith("http")
    return rx.cond(
        row.link,
        rx.link(inside, href=row.link, is_external=is_outside, underline="none", color="inherit", width="100%"),
        inside,
    )
