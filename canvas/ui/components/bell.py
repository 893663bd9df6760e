"""The bell in the header: what workflows told the person at the screen."""

from datetime import UTC, datetime
from typing import Any

import reflex as rx

from canvas.services import notifications, views
from canvas.services.access import Permission
from canvas.services.views import NotificationRow
from canvas.ui.components.clock import ago
from canvas.ui.components.run_feed import run_feed
from canvas.ui.session import actor, handler
from canvas.ui.use import look, use

_PAUSE_MS = 2_000
_PAGE = 20


class BellState(rx.State):
    """What the bell shows."""

    unread: int = 0
    rows: list[NotificationRow] = []
    has_older: bool = False

    @handler(Permission.VIEW)
    async def count(self) -> None:
        """Look whether anything is new."""
        self.unread = await look(views.unread_count, actor(self))

    @handler(Permission.VIEW)
    async def toggle(self, is_open: bool) -> None:
        """Show the newest messages; each stays new until it is read or marked."""
        if is_open:
            await self._load(_PAGE)

    @handler(Permission.VIEW)
    async def show_older(self) -> None:
        """Show another page of messages below."""
        await self._load(len(self.rows) + _PAGE)

    @handler(Permission.VIEW)
    async def read(self, notification_id: str) -> None:
        """Remember that a message was read."""
        await use(notifications.mark_read, notification_id, actor=actor(self), now=datetime.now(UTC))
        await self._load(max(len(self.rows), _PAGE))

    @handler(Permission.VIEW)
    async def keep(self, notification_id: str) -> None:
        """Make a message new again, to come back to it."""
        await use(notifications.mark_unread, notification_id, actor=actor(self))
        await self._load(max(len(self.rows), _PAGE))

    @handler(Permission.VIEW)
    async def read_all(self) -> None:
        """Remember that everything was seen."""
        await use(notifications.mark_all_read, actor=actor(self), now=datetime.now(UTC))
        await self._load(max(len(self.rows), _PAGE))

    async def _load(self, count: int) -> None:
        count = min(count, 200)
        rows = await look(views.notification_rows, actor(self), limit=count + 1)
        self.rows, self.has_older = rows[:count], len(rows) > count
        self.unread = await look(views.unread_count, actor(self))


def bell() -> rx.Component:
    """The bell with its list, and the feed that keeps its number right."""
    return rx.popover.root(
        run_feed(on_change=BellState.count, pause=_PAUSE_MS),
        rx.popover.trigger(_button()),
        rx.popover.content(
            rx.cond(
                BellState.rows,
                _list(),
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


def _list() -> rx.Component:
    return rx.flex(
        rx.flex(
            rx.text("Notifications", size="2", weight="medium"),
            rx.button(
                "Mark all as read",
                on_click=BellState.read_all,
                disabled=BellState.unread == 0,
                variant="ghost",
                size="1",
                margin="0",
            ),
            justify="between",
            align="center",
            padding="0 8px 6px",
        ),
        rx.foreach(BellState.rows, _row),
        rx.cond(
            BellState.has_older,
            rx.button("Show older", on_click=BellState.show_older, variant="ghost", size="1", margin="6px 0 0"),
        ),
        direction="column",
    )


def _row(row: Any) -> rx.Component:
    is_outside = row.link.startswith("http")
    return rx.flex(
        rx.cond(
            row.link,
            rx.link(
                _message(row),
                href=row.link,
                is_external=is_outside,
                on_click=BellState.read(row.id),
                underline="none",
                color="inherit",
                flex_grow="1",
                min_width="0",
            ),
            rx.box(_message(row), flex_grow="1", min_width="0"),
        ),
        rx.cond(
            row.is_read,
            _mark("mail", "Mark as unread", BellState.keep(row.id)),
            _mark("mail-open", "Mark as read", BellState.read(row.id)),
        ),
        align="start",
        padding="8px",
        gap="6px",
        border_radius="var(--radius-2)",
        _hover={"background": "var(--gray-a3)"},
    )


def _message(row: Any) -> rx.Component:
    colors = rx.match(row.level, ("error", "var(--red-9)"), ("warning", "var(--amber-9)"), "var(--accent-9)")
    return rx.flex(
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
            rx.flex(
                ago(row.created_at),
                rx.cond(row.is_personal, rx.text("for you", size="1")),
                gap="8px",
                font_size="12px",
                color="var(--gray-10)",
            ),
            min_width="0",
        ),
        gap="10px",
    )


def _mark(icon: str, label: str, event: Any) -> rx.Component:
    return rx.icon_button(
        rx.icon(icon, size=14),
        on_click=event,
        variant="ghost",
        color_scheme="gray",
        size="1",
        margin="2px 0 0",
        aria_label=label,
        title=label,
    )
