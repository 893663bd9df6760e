"""The dialog that sends an event by hand, to see what it starts."""

from datetime import UTC, datetime
from typing import Any

import orjson
import reflex as rx

from canvas.domain.errors import Invalid, UserError
from canvas.domain.events import KNOWN_EVENTS
from canvas.services import events
from canvas.services.access import Permission
from canvas.services.events import NewEvent, Reaction
from canvas.ui.components.dialog import dialog
from canvas.ui.session import actor, handler
from canvas.ui.triggers.state import TriggersState
from canvas.ui.use import use

_EXAMPLES = {event.name: event.example for event in KNOWN_EVENTS}
_TYPES = "event-types"


class EventDialogState(rx.State):
    """What is filled in, and what became of the event that was sent."""

    is_open: bool = False
    event_type: str = ""
    data: str = "{}"
    problem: str = ""
    is_sent: bool = False
    reactions: list[Reaction] = []

    @handler(Permission.RUN)
    async def begin(self, event_type: str) -> None:
        """Open the dialog with an example of this type."""
        self.reset()
        self.is_open = True
        self._take(event_type)

    @handler(Permission.VIEW)
    async def toggle(self, is_open: bool) -> Any:
        """Close the dialog; what the event started is then in the list."""
        was_sent, self.is_open, self.is_sent = self.is_sent, is_open, False
        return TriggersState.refresh if was_sent else None

    @handler(Permission.RUN)
    async def name_type(self, event_type: str) -> None:
        """Take another type; its example stands in for data that nobody has written yet."""
        self._take(event_type[:200])

    @handler(Permission.RUN)
    async def write(self, data: str) -> None:
        """Write the data."""
        self.data, self.problem = data[:100_000], ""

    @handler(Permission.RUN)
    async def send(self) -> None:
        """Send it and tell what it started."""
        try:
            data = _read(self.data)
            new = NewEvent(type=self.event_type.strip(), data=data)
            told = await use(events.receive_event, new, now=datetime.now(UTC), source=f"test by {actor(self).name}")
        except UserError as error:
            self.problem = str(error)
            return
        self.is_sent, self.problem, self.reactions = True, "", list(told.reactions)

    def _take(self, event_type: str) -> None:
        is_untouched = self.data in ("{}", *map(_written, _EXAMPLES.values()))
        self.event_type, self.problem, self.is_sent = event_type, "", False
        if is_untouched:
            self.data = _written(_EXAMPLES.get(event_type, {}))


def _written(data: Any) -> str:
    return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()


def _read(text: str) -> Any:
    try:
        return orjson.loads(text or "null")
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The data is no JSON: {error}.") from error


def event_dialog() -> rx.Component:
    """The dialog; `EventDialogState.begin(type)` opens it."""
    return dialog(
        "Send a test event",
        "It is a real event: every published workflow that listens to its type starts.",
        rx.flex(
            rx.el.label(
                rx.text("Type", size="1", weight="medium", margin_bottom="4px"),
                rx.debounce_input(
                    rx.input(
                        value=EventDialogState.event_type,
                        on_change=EventDialogState.name_type,
                        placeholder="order.created",
                        list=_TYPES,
                        class_name="mono",
                    ),
                    debounce_timeout=250,
                ),
                rx.el.datalist(*(rx.el.option(value=name) for name in _EXAMPLES), id=_TYPES),
            ),
            rx.el.label(
                rx.text("Data, as JSON", size="1", weight="medium", margin_bottom="4px"),
                rx.debounce_input(
                    rx.text_area(
                        value=EventDialogState.data, on_change=EventDialogState.write, rows="8", class_name="mono"
                    ),
                    debounce_timeout=250,
                ),
            ),
            rx.cond(
                EventDialogState.problem != "",
                rx.text(EventDialogState.problem, size="2", color="var(--red-11)", role="alert"),
            ),
            rx.cond(EventDialogState.is_sent, _outcome()),
            direction="column",
            gap="12px",
        ),
        rx.flex(
            rx.dialog.close(rx.button("Close", type="button", variant="soft", color_scheme="gray")),
            rx.button("Send", on_click=EventDialogState.send, disabled=EventDialogState.event_type == ""),
            gap="8px",
            justify="end",
            padding_top="14px",
        ),
        width="520px",
        open=EventDialogState.is_open,
        on_open_change=EventDialogState.toggle,
    )


def _outcome() -> rx.Component:
    return rx.box(
        rx.cond(
            EventDialogState.reactions,
            rx.foreach(EventDialogState.reactions, _reaction),
            rx.text("Sent. Nobody listens to it, or no filter let it through.", size="2"),
        ),
        padding="10px 12px",
        border_radius="var(--radius-3)",
        background="var(--gray-a3)",
        custom_attrs={"data-testid": "event-outcome"},
    )


def _reaction(one: Any) -> rx.Component:
    return rx.flex(
        rx.text(one.workflow, size="2", weight="medium"),
        rx.cond(
            one.run_id,
            rx.link("started a run", href=f"/runs/{one.run_id}", size="2"),
            rx.text(one.reason, size="2", color="var(--red-11)"),
        ),
        gap="8px",
        wrap="wrap",
    )
