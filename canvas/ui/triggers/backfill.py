"""The dialog that makes up for what a schedule had due in a window of the past."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx

from canvas.domain.errors import UserError
from canvas.services import backfill, views
from canvas.services.access import Permission
from canvas.services.backfill import InvalidWindow
from canvas.ui.components.dialog import dialog
from canvas.ui.session import handler
from canvas.ui.triggers.state import TriggersState
from canvas.ui.use import look, use

_FIELD = "%Y-%m-%dT%H:%M"


class BackfillState(rx.State):
    """The window, as its fields write it, and what it would start."""

    is_open: bool = False
    schedule_id: str = ""
    timezone: str = "UTC"
    start: str = ""
    end: str = ""
    count: int = 0
    problem: str = ""

    @handler(Permission.RUN)
    async def begin(self, schedule_id: str) -> None:
        """Open the dialog for a schedule with the last day as window."""
        row = await look(views.schedule_row, schedule_id, now=datetime.now(UTC))
        now = datetime.now(ZoneInfo(row.timezone))
        self.schedule_id, self.timezone = row.id, row.timezone
        self.start, self.end = (now - timedelta(days=1)).strftime(_FIELD), now.strftime(_FIELD)
        self.is_open = True
        await self._count()

    @handler(Permission.RUN)
    async def put(self, name: str, value: str) -> None:
        """Change one end of the window."""
        if name == "start":
            self.start = value[:32]
        else:
            self.end = value[:32]
        await self._count()

    @handler(Permission.VIEW)
    async def toggle(self, is_open: bool) -> None:
        """Close the dialog."""
        self.is_open = is_open

    @handler(Permission.RUN)
    async def fire(self) -> Any:
        """Start what is missing."""
        try:
            start, end = self._window()
            done = await use(backfill.backfill, self.schedule_id, start=start, end=end, now=datetime.now(UTC))
        except UserError as error:
            self.problem = str(error)
            return None
        self.is_open = False
        waiting = f", {done.queued} wait for the one before" if done.queued else ""
        refused = f", {done.refused} could not start" if done.refused else ""
        return [rx.toast.success(f"{done.started} started{waiting}{refused}"), TriggersState.refresh]

    async def _count(self) -> None:
        self.count, self.problem = 0, ""
        try:
            start, end = self._window()
            self.count = await look(backfill.due_in, self.schedule_id, start=start, end=end, now=datetime.now(UTC))
        except UserError as error:
            self.problem = str(error)

    def _window(self) -> tuple[datetime, datetime]:
        zone = ZoneInfo(self.timezone)
        try:
            start, end = (datetime.fromisoformat(text).replace(tzinfo=zone) for text in (self.start, self.end))
        except ValueError as error:
            raise InvalidWindow("A window has a beginning and an end.") from error
        return start, end


def backfill_dialog() -> rx.Component:
    """The dialog; `BackfillState.begin(id)` opens it."""
    return dialog(
        "Make up for missed times",
        "Starts a run for each time the schedule was due in this window and did not fire. Nothing is started twice.",
        rx.flex(
            _end("From", "start", BackfillState.start),
            _end("To", "end", BackfillState.end),
            gap="12px",
            wrap="wrap",
        ),
        rx.text(f"In the timezone {BackfillState.timezone}.", size="1", color="var(--gray-11)", margin_top="6px"),
        rx.box(
            rx.cond(
                BackfillState.problem != "",
                rx.text(BackfillState.problem, size="2", color="var(--red-11)", role="alert"),
                rx.text(
                    rx.text.strong(BackfillState.count),
                    rx.cond(BackfillState.count == 1, " run would start.", " runs would start."),
                    size="2",
                ),
            ),
            min_height="44px",
            padding_top="12px",
            custom_attrs={"data-testid": "backfill-count"},
        ),
        rx.flex(
            rx.dialog.close(rx.button("Cancel", type="button", variant="soft", color_scheme="gray")),
            rx.button("Start them", on_click=BackfillState.fire, disabled=BackfillState.count == 0),
            gap="8px",
            justify="end",
        ),
        width="460px",
        open=BackfillState.is_open,
        on_open_change=BackfillState.toggle,
    )


def _end(label: str, name: str, value: Any) -> rx.Component:
    return rx.el.label(
        rx.text(label, size="1", weight="medium", margin_bottom="4px"),
        rx.input(value=value, on_change=lambda text: BackfillState.put(name, text), type="datetime-local"),
        flex="1",
    )
