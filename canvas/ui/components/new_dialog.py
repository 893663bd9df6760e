"""The dialog that makes a new workflow: a title, and a name that follows it."""

import re
from typing import Any

import reflex as rx

from canvas.domain.errors import UserError
from canvas.services import workflows
from canvas.services.access import Permission
from canvas.ui.components.dialog import dialog
from canvas.ui.session import actor, handler
from canvas.ui.use import use

_MAX_NAME = 64


class NewState(rx.State):
    """What is filled in."""

    is_open: bool = False
    title: str = ""
    name: str = ""
    problem: str = ""
    _is_named: bool = False
    "Whether the name was typed rather than made from the title."

    @handler(Permission.VIEW)
    async def toggle(self, is_open: bool) -> None:
        """Open the dialog, empty, or close it."""
        self.reset()
        self.is_open = is_open

    @handler(Permission.VIEW)
    async def call_it(self, title: str) -> None:
        """Set the title; the name follows until it was typed itself."""
        self.title = title
        self.problem = ""
        if not self._is_named:
            self.name = name_from(title)

    @handler(Permission.VIEW)
    async def name_it(self, name: str) -> None:
        """Set the name."""
        self.name = name
        self.problem = ""
        self._is_named = bool(name)

    @handler(Permission.EDIT)
    async def create(self, fields: dict[str, Any]) -> Any:
        """Make the workflow and open it in the editor."""
        del fields  # the state has them already
        try:
            await use(workflows.create_workflow, self.name, title=self.title, created_by=actor(self).name)
        except UserError as error:
            self.problem = str(error)
            return None
        name = self.name
        self.reset()
        return rx.redirect(f"/workflows/{name}")


def name_from(title: str) -> str:
    """Make a name of a workflow out of its title: "Order triage (EU)" gives `order_triage_eu`."""
    words = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    return (f"_{words}" if words[:1].isdigit() else words)[:_MAX_NAME].rstrip("_")


def new_dialog() -> rx.Component:
    """The dialog; `NewState.toggle(True)` opens it."""
    form = rx.form(
        _field("Title", NewState.title, NewState.call_it, "Order triage", auto_focus=True),
        _field("Name", NewState.name, NewState.name_it, "order_triage", class_name="mono"),
        rx.cond(NewState.problem != "", rx.text(NewState.problem, size="2", color="var(--red-11)", role="alert")),
        rx.flex(
            rx.dialog.close(rx.button("Cancel", type="button", variant="soft", color_scheme="gray")),
            rx.button("Create", type="submit", disabled=NewState.name == ""),
            gap="8px",
            justify="end",
            padding_top="8px",
        ),
        on_submit=NewState.create,
        display="flex",
        flex_direction="column",
        gap="12px",
    )
    return dialog(
        "New workflow",
        "The title is for people. The name stands in files, addresses and other workflows.",
        form,
        width="420px",
        open=NewState.is_open,
        on_open_change=NewState.toggle,
    )


def _field(label: str, value: Any, on_change: Any, placeholder: str, **props: Any) -> rx.Component:
    return rx.el.label(
        rx.text(label, size="1", weight="medium", margin_bottom="4px"),
        rx.input(value=value, on_change=on_change, placeholder=placeholder, max_length=120, **props),
    )
