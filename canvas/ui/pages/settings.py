"""What holds for everybody: the tokens that programs call the API with."""

from datetime import UTC, datetime
from typing import Any

import reflex as rx

from canvas.services import tokens, views
from canvas.services.access import Permission
from canvas.services.views import TokenRow
from canvas.ui.components.clock import ago
from canvas.ui.components.dialog import dialog
from canvas.ui.components.empty import empty_state
from canvas.ui.components.panel import bones, panel
from canvas.ui.components.token_dialog import NewTokenState, token_dialog
from canvas.ui.session import handler
from canvas.ui.template import template
from canvas.ui.use import look, use


class SettingsState(rx.State):
    """What the page lists, and the token somebody is about to revoke."""

    tokens: list[TokenRow] = []
    is_loaded: bool = False
    doomed: str = ""

    @handler(Permission.ADMINISTER)
    async def load(self) -> None:
        """Show the tokens as they stand now."""
        self.tokens = await look(views.token_rows, now=datetime.now(UTC))
        self.is_loaded = True

    @handler(Permission.ADMINISTER)
    async def ask_revoke(self, name: str) -> None:
        """Ask before a token is revoked; an empty name asks no more."""
        self.doomed = name

    @handler(Permission.ADMINISTER)
    async def revoke(self) -> Any:
        """Take the token back."""
        name, self.doomed = self.doomed, ""
        await use(tokens.revoke_token, name, now=datetime.now(UTC))
        return SettingsState.load


def page() -> rx.Component:
    """Build the page."""
    return template(
        token_dialog(on_close=SettingsState.load),
        _revoke_dialog(),
        rx.cond(SettingsState.is_loaded, _tokens(), bones(4, "44px")),
        title="Settings",
    )


def _tokens() -> rx.Component:
    names = ("Token", "Role", "Last used", "Ends", "")
    head = [rx.box(name, role="columnheader") for name in names]
    rows = rx.foreach(SettingsState.tokens, _token)
    table = panel(
        rx.box(*head, class_name="row-head token-row", role="row"), rows, role="table", aria_label="API tokens"
    )
    return rx.el.section(
        rx.flex(
            rx.heading("API tokens", size="2", as_="h2", weight="medium"),
            rx.spacer(),
            rx.cond(SettingsState.tokens, _new_button()),
            align="center",
            margin_bottom="8px",
        ),
        rx.cond(SettingsState.tokens, table, panel(_nothing())),
    )


def _token(row: Any) -> rx.Component:
    return rx.box(
        _cell(
            "name",
            rx.text(row.name, size="2", weight="medium", color="var(--gray-12)", class_name="one-line"),
            rx.text(f"{row.prefix}…", size="1", class_name="mono one-line"),
        ),
        _cell("role", rx.badge(row.role, color_scheme="gray", variant="soft", size="1")),
        _cell("used", ago(row.last_used_at)),
        _cell(
            "ends",
            rx.cond(row.is_expired, rx.badge("expired", color_scheme="red", variant="soft"), ago(row.expires_at)),
        ),
        _cell(
            "revoke",
            rx.icon_button(
                rx.icon("trash-2", size=14),
                on_click=SettingsState.ask_revoke(row.name),
                variant="ghost",
                color_scheme="red",
                margin="0",
                aria_label=f"Revoke {row.name}",
            ),
        ),
        class_name="row token-row",
        role="row",
        key=row.id,
    )


def _revoke_dialog() -> rx.Component:
    return dialog(
        f"Revoke {SettingsState.doomed}?",
        "Whatever uses this token is refused from now on. This cannot be taken back.",
        rx.flex(
            rx.dialog.close(rx.button("Cancel", variant="soft", color_scheme="gray")),
            rx.button("Revoke", color_scheme="red", on_click=SettingsState.revoke),
            gap="8px",
            justify="end",
        ),
        width="400px",
        open=SettingsState.doomed != "",
        on_open_change=SettingsState.ask_revoke(""),
    )


def _new_button() -> rx.Component:
    return rx.button(rx.icon("plus", size=14), "New token", size="1", on_click=NewTokenState.toggle(True))


def _nothing() -> rx.Component:
    return empty_state(
        "key-round",
        "No program has a token yet",
        "A token lets a program or an agent call Canvas, over the HTTP API or as an MCP server, with the role you "
        "give it. Without one, programs on this machine act as you.",
        _new_button(),
    )


def _cell(name: str, *content: rx.Component) -> rx.Component:
    return rx.text(*content, as_="div", size="1", color="var(--gray-11)", class_name=name, min_width="0", role="cell")
