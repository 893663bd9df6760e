"""The dialog that makes an API token and shows its secret, once."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import reflex as rx

from canvas.domain.errors import Invalid, UserError
from canvas.services import tokens
from canvas.services.access import Permission, Role
from canvas.ui.components.dialog import dialog
from canvas.ui.session import actor, handler
from canvas.ui.use import use

_LIVES: Final = {"30 days": 30, "90 days": 90, "1 year": 365, "never": None}


class NewTokenState(rx.State):
    """What is filled in, and the secret while it is shown."""

    is_open: bool = False
    secret: str = ""
    problem: str = ""

    @handler(Permission.ADMINISTER)
    async def toggle(self, is_open: bool) -> None:
        """Open the dialog, empty, or close it; the secret is gone then."""
        self.reset()
        self.is_open = is_open

    @handler(Permission.ADMINISTER)
    async def create(self, fields: dict[str, Any]) -> Any:
        """Make the token and show its secret."""
        now = datetime.now(UTC)
        try:
            role, days = Role(fields.get("role", "")), _LIVES[str(fields.get("life", ""))]
        except (ValueError, KeyError):
            raise Invalid("Choose a role and how long the token lives.") from None
        ends = None if days is None else now + timedelta(days=days)
        try:
            name = str(fields.get("name", ""))
            made = await use(tokens.create_token, name, role, now=now, expires_at=ends, created_by=actor(self).name)
        except UserError as error:
            self.problem = str(error)
            return
        self.problem, self.secret = "", made.secret


def token_dialog(*, on_close: Any) -> rx.Component:
    """The dialog; `NewTokenState.toggle(True)` opens it.

    Args:
        on_close: What happens when it was closed.
    """
    return dialog(
        rx.cond(NewTokenState.secret == "", "New API token", "Copy the token now"),
        rx.cond(
            NewTokenState.secret == "",
            "Programs call the API with it instead of you. It may do what its role may.",
            "It is shown this once. Whoever has it acts with its role until it ends or you revoke it.",
        ),
        rx.cond(NewTokenState.secret == "", _form(), _secret()),
        width="440px",
        open=NewTokenState.is_open,
        on_open_change=lambda is_open: [NewTokenState.toggle(is_open), on_close],
    )


def _form() -> rx.Component:
    return rx.form(
        _labelled("Name", rx.input(name="name", placeholder="build server", max_length=tokens.MAX_NAME, required=True)),
        _labelled("Role", _choice("role", [role.value for role in Role], Role.OPERATOR.value)),
        _labelled("Ends after", _choice("life", list(_LIVES), "90 days")),
        rx.cond(
            NewTokenState.problem != "", rx.text(NewTokenState.problem, size="2", color="var(--red-11)", role="alert")
        ),
        rx.flex(
            rx.dialog.close(rx.button("Cancel", type="button", variant="soft", color_scheme="gray")),
            rx.button("Create", type="submit"),
            gap="8px",
            justify="end",
            padding_top="8px",
        ),
        on_submit=NewTokenState.create,
        display="flex",
        flex_direction="column",
        gap="12px",
    )


def _secret() -> rx.Component:
    return rx.flex(
        rx.flex(
            rx.code(NewTokenState.secret, size="2", custom_attrs={"data-secret": "token"}),
            rx.icon_button(
                rx.icon("copy", size=14),
                on_click=[rx.set_clipboard(NewTokenState.secret), rx.toast.success("Token copied")],
                variant="soft",
                aria_label="Copy the token",
            ),
            gap="8px",
            align="center",
            min_width="0",
        ),
        rx.flex(rx.dialog.close(rx.button("Done")), justify="end"),
        direction="column",
        gap="14px",
    )


def _choice(name: str, values: list[str], chosen: str) -> rx.Component:
    return rx.select(values, name=name, default_value=chosen, width="100%")


def _labelled(label: str, field: rx.Component) -> rx.Component:
    return rx.el.label(rx.text(label, size="1", weight="medium", margin_bottom="4px"), field)
