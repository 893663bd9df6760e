"""Stored credentials: which there are, whether they work, and who uses them."""

from functools import partial
from typing import Any

import reflex as rx

from canvas.domain.errors import UserError
from canvas.services import connections, views
from canvas.services.access import Permission
from canvas.services.connection_tests import check_connection
from canvas.services.views import ConnectionRow
from canvas.ui.components.clock import ago
from canvas.ui.components.connection_form import ConnectionFormState, connection_form, kind_icon
from canvas.ui.components.dialog import dialog
from canvas.ui.components.empty import empty_state
from canvas.ui.components.panel import bones, panel
from canvas.ui.session import handler
from canvas.ui.template import template
from canvas.ui.use import look, reach_out, use


class ConnectionsState(rx.State):
    """What the page lists, and what is asked about one of them."""

    rows: list[ConnectionRow] = []
    is_loaded: bool = False
    testing: list[str] = []
    "Those whose test is going on."
    doomed: str = ""
    "The connection that is to be deleted, if somebody says yes."
    doomed_uses: list[str] = []

    @handler(Permission.VIEW)
    async def open(self) -> Any:
        """Show the page, with the form in front of it when the address asks for a new connection of a kind."""
        self.doomed, self.testing = "", []
        asked = self.router.url.query_parameters.get("new")
        form = ConnectionFormState.close(False) if asked is None else ConnectionFormState.add(str(asked))
        return [ConnectionsState.load, form]

    @handler(Permission.VIEW)
    async def load(self) -> None:
        """Show the connections as they stand now."""
        self.rows = await look(views.connection_rows)
        self.is_loaded = True

    @handler(Permission.ADMINISTER, background=True)
    async def test(self, name: str) -> Any:
        """Test a connection; the page can be used meanwhile."""
        async with self:
            self.testing = [*self.testing, name]
        try:
            result = await reach_out(partial(check_connection, name=name))
            rows = await look(views.connection_rows)
        except UserError as error:
            return rx.toast.error(str(error))
        finally:
            async with self:
                self.testing = [each for each in self.testing if each != name]
        async with self:
            self.rows = rows
        tell = rx.toast.success if result.passed else rx.toast.error
        return tell(f"{name}: {result.message}")

    @handler(Permission.VIEW)
    async def ask_delete(self, name: str) -> None:
        """Ask whether a connection is really to be deleted; an empty name takes the question back."""
        self.doomed = name
        uses = next((row.used_by for row in self.rows if row.name == name), [])
        self.doomed_uses = [f"{use.title}: {', '.join(use.steps)}" for use in uses]

    @handler(Permission.ADMINISTER)
    async def delete(self) -> Any:
        """Delete the connection that was asked about."""
        name, self.doomed = self.doomed, ""
        if not name:
            return None
        await use(connections.delete_connection, name, even_if_used=bool(self.doomed_uses))
        return [ConnectionsState.load, rx.toast.success(f"Deleted {name}")]


def page() -> rx.Component:
    """Build the page."""
    return template(
        rx.cond(ConnectionsState.is_loaded, rx.cond(ConnectionsState.rows, _list(), _nothing()), bones(5, "56px")),
        connection_form(on_close=ConnectionsState.load),
        _delete_dialog(),
        title="Connections",
        actions=_add_button(),
    )


def _add_button() -> rx.Component:
    return rx.button(
        rx.icon("plus", size=14),
        rx.text.span("Add", rx.text.span("\u00a0connection", display=["none", "none", "inline"])),
        on_click=ConnectionFormState.add(""),
    )


def _list() -> rx.Component:
    head = [rx.box(name, role="columnheader") for name in ("Connection", "Kind", "Used by", "Last test", "")]
    return panel(
        rx.box(*head, class_name="row-head connection-row", role="row"),
        rx.foreach(ConnectionsState.rows, _row),
        role="table",
        aria_label="Connections",
    )


def _row(row: Any) -> rx.Component:
    return rx.box(
        _cell("name", _name(row)),
        _cell("kind", rx.badge(row.kind_title, color_scheme="gray", variant="soft", size="1")),
        _cell("uses", _uses(row)),
        _cell("tested", _tested(row)),
        _cell("tools", _tools(row)),
        class_name="row connection-row",
        role="row",
        key=row.name,
        custom_attrs={"data-testid": "connection-" + row.name.to(str)},
    )


def _name(row: Any) -> rx.Component:
    return rx.flex(
        rx.center(
            kind_icon(row.kind, size=16),
            width="30px",
            height="30px",
            flex_shrink="0",
            color="var(--accent-11)",
            background="var(--accent-a3)",
            border_radius="var(--radius-2)",
        ),
        rx.box(
            rx.text(row.name, size="2", weight="medium", color="var(--gray-12)", class_name="mono one-line"),
            rx.cond(row.description != "", rx.text(row.description, size="1", class_name="one-line")),
            min_width="0",
        ),
        gap="10px",
        align="center",
        min_width="0",
    )


def _uses(row: Any) -> rx.Component:
    return rx.cond(
        row.used_by,
        rx.flex(rx.foreach(row.used_by, _use), gap="2px 10px", wrap="wrap"),
        rx.text("nothing yet", size="1", color="var(--gray-10)"),
    )


def _use(use: Any) -> rx.Component:
    return rx.link(use.title, href=f"/workflows/{use.workflow}", size="1", title=use.steps.join(", "))


def _tested(row: Any) -> rx.Component:
    works = rx.badge(rx.icon("check", size=12), "works", color_scheme="green", variant="soft", size="1")
    failed = rx.badge(rx.icon("x", size=12), "failed", color_scheme="red", variant="soft", size="1")
    told = rx.flex(
        rx.flex(rx.cond(row.is_test_passed, works, failed), ago(row.tested_at), gap="8px", align="center"),
        rx.text(row.test_message, size="1", class_name="two-lines", title=row.test_message),
        direction="column",
        gap="2px",
    )
    going = rx.flex(rx.icon("loader-circle", size=13, class_name="turning"), "testing …", gap="6px", align="center")
    otherwise = rx.cond(row.tested_at, told, rx.text("not tested yet", size="1", color="var(--gray-10)"))
    return rx.cond(ConnectionsState.testing.contains(row.name), going, otherwise)


def _tools(row: Any) -> rx.Component:
    is_testing = ConnectionsState.testing.contains(row.name)
    return rx.flex(
        rx.button(
            "Test",
            on_click=ConnectionsState.test(row.name),
            size="1",
            variant="soft",
            loading=is_testing,
            aria_label=f"Test {row.name}",
        ),
        _tool("pencil", "Change", row, ConnectionFormState.change(row.name), "gray"),
        _tool("trash-2", "Delete", row, ConnectionsState.ask_delete(row.name), "red"),
        gap="12px",
        align="center",
        justify="end",
    )


def _tool(icon: str, verb: str, row: Any, on_click: Any, color: Any) -> rx.Component:
    return rx.icon_button(
        rx.icon(icon, size=14),
        on_click=on_click,
        variant="ghost",
        color_scheme=color,
        margin="0",
        aria_label=f"{verb} {row.name}",
        title=verb,
    )


def _delete_dialog() -> rx.Component:
    uses = rx.box(
        rx.text("These steps name it and will fail:", size="2", weight="medium", margin_bottom="4px"),
        rx.foreach(ConnectionsState.doomed_uses, lambda use: rx.text(use, size="2", class_name="mono")),
        max_height="180px",
        overflow_y="auto",
        margin_bottom="14px",
        role="alert",
    )
    return dialog(
        f"Delete {ConnectionsState.doomed}?",
        "Its secrets are gone then and cannot be brought back.",
        rx.cond(ConnectionsState.doomed_uses, uses),
        rx.flex(
            rx.dialog.close(rx.button("Keep it", variant="soft", color_scheme="gray")),
            rx.button("Delete", color_scheme="red", on_click=ConnectionsState.delete),
            gap="8px",
            justify="end",
        ),
        width="420px",
        open=ConnectionsState.doomed != "",
        on_open_change=lambda _is_open: ConnectionsState.ask_delete(""),
    )


def _nothing() -> rx.Component:
    return empty_state(
        "plug",
        "Connect Canvas to what you use",
        "A connection holds the address and the password or token of a mail server, a chat, a database or another "
        "service. Steps use it by its name; its secrets are kept sealed, shown to nobody, and masked in every result.",
        rx.button(rx.icon("plus", size=14), "Add a connection", on_click=ConnectionFormState.add("")),
    )


def _cell(name: str, *content: rx.Component) -> rx.Component:
    return rx.text(*content, as_="div", size="1", color="var(--gray-11)", class_name=name, min_width="0", role="cell")
