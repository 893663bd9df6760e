"""The dialog that makes or changes a connection: choose a kind, fill in its fields, save and test."""

from dataclasses import replace
from functools import partial
from typing import Any, Final

import reflex as rx

from canvas.actions.connections import connection_kinds
from canvas.domain.errors import UserError
from canvas.services import connections, views
from canvas.services.access import Permission
from canvas.services.connection_tests import check_connection
from canvas.services.views import KindRow
from canvas.ui import use as bridge
from canvas.ui.components.connection_fields import FIELD, REMOVE, FieldRow, choices_of, config_from, form_of
from canvas.ui.components.dialog import dialog
from canvas.ui.session import actor, handler
from canvas.ui.theme import BORDER
from canvas.ui.use import look, reach_out, use
from canvas.vault import Vault

_LONG_ROWS: Final = "4"


class ConnectionFormState(rx.State):
    """What is filled in; what is secret only passes through."""

    is_open: bool = False
    kinds: list[KindRow] = []
    kind: str = ""
    kind_title: str = ""
    about: str = ""
    known: str = ""
    "The connection that is changed; empty while there is none yet."
    name: str = ""
    description: str = ""
    fields: list[FieldRow] = []
    choices: dict[str, str] = {}
    "What is chosen in the fields that others depend on."
    problem: str = ""
    is_locked: bool = False
    "Whether the secrets that are kept cannot be opened any more."
    is_testing: bool = False
    outcome: str = ""
    "`passed` or `failed`, after a test."
    message: str = ""

    @handler(Permission.ADMINISTER)
    async def add(self, kind: str) -> None:
        """Open the dialog for a new connection, at once with the fields of a kind if it names one."""
        self.reset()
        self.kinds = views.connection_kind_rows()
        self.is_open = True
        self._choose(kind)

    @handler(Permission.ADMINISTER)
    async def change(self, name: str) -> None:
        """Open the dialog for a connection that is there."""
        self.reset()
        self.kinds = views.connection_kind_rows()
        detail = await look(views.connection_detail, name, vault=_vault())
        connections.find_kind(detail.kind)
        self.known = self.name = name
        self.description, self.is_locked = detail.description, not detail.is_readable
        self._choose(detail.kind)
        self.fields = form_of(self._kind(), detail)
        self.choices = choices_of(self.fields)
        self.is_open = True

    @handler(Permission.ADMINISTER)
    async def choose(self, kind: str) -> None:
        """Ask for the values of a kind; an empty one asks for the kind again."""
        self._choose(kind)

    @handler(Permission.ADMINISTER)
    async def pick(self, name: str, value: str) -> None:
        """Follow a choice that other fields depend on."""
        if name in self.choices:
            self.choices[name] = value

    @handler(Permission.VIEW)
    async def close(self, is_open: bool) -> None:
        """Close the dialog and forget what was filled in."""
        self.reset()
        self.is_open = is_open

    @handler(Permission.ADMINISTER)
    async def save(self, fields: dict[str, Any]) -> Any:
        """Keep the connection, then test it."""
        self.problem, self.outcome, self.message = "", "", ""
        self.name, self.description = str(fields.get("name", self.name)), str(fields.get("description", ""))[:1_000]
        kind = self._kind()
        try:
            await self._keep(config_from(kind, fields))
        except UserError as error:
            told = {each["pointer"].strip("/"): each["text"] for each in error.details.get("problems", ())}
            known = {row.name for row in self.fields}
            self.problem = "" if told and told.keys() <= known else str(error)
            self.fields = [replace(row, problem=told.get(row.name, "")) for row in self.fields]
            return None
        self.known, self.is_testing = self.name, True
        detail = await look(views.connection_detail, self.known, vault=_vault())
        self.fields, self.is_locked = form_of(kind, detail), False
        self.choices = choices_of(self.fields)
        return ConnectionFormState.test

    @handler(Permission.ADMINISTER)
    async def test(self) -> None:
        """Test the connection as it is kept."""
        try:
            result = await reach_out(partial(check_connection, name=self.known))
            self.outcome, self.message = "passed" if result.passed else "failed", result.message
        finally:
            self.is_testing = False

    async def _keep(self, config: dict[str, Any]) -> None:
        wanted = {"config": config, "vault": _vault(), "description": self.description}
        if self.known:
            await use(connections.change_connection, self.known, **wanted)
        else:
            await use(connections.create_connection, self.name, kind=self.kind, created_by=actor(self).name, **wanted)

    def _choose(self, kind: str) -> None:
        found = next((row for row in self.kinds if row.name == kind), None)
        self.kind, self.problem = (found.name, "") if found else ("", "")
        self.kind_title, self.about = (found.title, found.description.split("\n\n")[0]) if found else ("", "")
        self.fields = form_of(found) if found else []
        self.choices = choices_of(self.fields)

    def _kind(self) -> KindRow:
        connections.find_kind(self.kind)
        return next(row for row in views.connection_kind_rows() if row.name == self.kind)


def connection_form(*, on_close: Any) -> rx.Component:
    """The dialog; `ConnectionFormState.add("")` and `.change(name)` open it.

    Args:
        on_close: Fired when it closes, so that the list behind it is up to date.
    """
    state = ConnectionFormState
    title = rx.cond(
        state.known != "",
        f"Connection {state.known}",
        rx.cond(state.kind != "", f"New connection: {state.kind_title}", "New connection"),
    )
    return dialog(
        title,
        rx.cond(state.kind != "", state.about, "What do you want to reach?"),
        rx.cond(state.kind != "", _form(), _kinds()),
        width="660px",
        open=state.is_open,
        on_open_change=[state.close, lambda _is_open: on_close],
    )


def kind_icon(kind: rx.Var, *, size: int) -> rx.Component:
    """Show the icon of a kind, by its name."""
    icons = [(each.name, rx.icon(each.icon, size=size)) for each in connection_kinds().values()]
    return rx.match(kind, *icons, rx.icon("plug", size=size)) if icons else rx.icon("plug", size=size)


def _kinds() -> rx.Component:
    return rx.grid(
        rx.foreach(ConnectionFormState.kinds, _kind),
        grid_template_columns="repeat(auto-fill, minmax(min(220px, 100%), 1fr))",
        gap="8px",
    )


def _kind(kind: Any) -> rx.Component:
    return rx.el.button(
        rx.flex(kind_icon(kind.name, size=16), color="var(--accent-11)", padding_top="2px"),
        rx.box(
            rx.text(kind.title, size="2", weight="medium"),
            rx.text(kind.description, size="1", color="var(--gray-11)", class_name="two-lines"),
            min_width="0",
        ),
        on_click=ConnectionFormState.choose(kind.name),
        type="button",
        class_name="kind-card",
        custom_attrs={"data-testid": "kind-" + kind.name.to(str)},
    )


def _form() -> rx.Component:
    state = ConnectionFormState
    return rx.form(
        rx.cond(state.known == "", _name_field()),
        rx.cond(
            state.is_locked,
            _notice(
                "lock",
                "amber",
                "The secrets cannot be opened: they were sealed with another key. Enter them again, or bring the old "
                "key back.",
            ),
        ),
        rx.box(rx.foreach(state.fields, _field_if_asked), class_name="connection-form"),
        _labelled(
            "Description",
            rx.input(name="description", default_value=state.description, max_length=1_000, aria_label="Description"),
            "What it is for, if the name does not say it.",
        ),
        rx.cond(state.problem != "", _notice("circle-x", "red", state.problem)),
        _outcome(),
        _buttons(),
        on_submit=state.save,
        key=state.kind + state.known,
        display="flex",
        flex_direction="column",
        gap="14px",
    )


def _name_field() -> rx.Component:
    return _labelled(
        "Name",
        rx.input(
            name="name",
            default_value=ConnectionFormState.name,
            placeholder="office-mail",
            max_length=63,
            required=True,
            class_name="mono",
            aria_label="Name",
        ),
        "Steps name it by this; it cannot be changed later.",
        is_required=True,
    )


def _field_if_asked(row: Any) -> rx.Component:
    chosen = ConnectionFormState.choices[row.depends_on.to(str)]
    is_asked = (row.depends_on == "") | row.depends_values.contains(chosen)
    return rx.cond(is_asked, _field(row))


def _field(row: Any) -> rx.Component:
    name = FIELD + row.name.to(str)
    common = {"name": name, "aria_label": row.label}
    line = {**common, "default_value": row.value, "placeholder": row.placeholder}
    long = {**common, "default_value": row.value, "rows": _LONG_ROWS, "class_name": "mono", "spell_check": False}
    control = rx.match(
        row.control,
        ("secret", _secret(row, common)),
        ("secret pairs", rx.text_area(**long, placeholder="NAME=secret, one a line")),
        ("pairs", rx.text_area(**long, placeholder="NAME=value, one a line")),
        ("lines", rx.text_area(**long, placeholder="One a line")),
        ("long text", rx.text_area(**long, placeholder=row.placeholder)),
        ("choice", _choice(row, common)),
        ("switch", rx.switch(**common, default_checked=row.value == "true")),
        ("number", rx.input(**line, custom_attrs={"inputMode": "decimal"})),
        rx.input(**line),
    )
    help = rx.cond(
        row.control == "secret pairs",
        row.help + rx.cond(row.is_kept, " A name without a value keeps its secret.", ""),
        row.help,
    )
    return _labelled(
        row.label,
        control,
        help,
        is_required=row.is_required,
        problem=row.problem,
        class_name=rx.cond(row.is_wide, "wide", ""),
    )


def _choice(row: Any, common: dict[str, Any]) -> rx.Component:
    pick = lambda value: ConnectionFormState.pick(row.name, value)  # noqa: E731  # Reflex reads its parameters
    return rx.select(row.options, **common, default_value=row.value, on_change=pick, width="100%")


def _secret(row: Any, common: dict[str, Any]) -> rx.Component:
    return rx.flex(
        rx.input(
            **common,
            type="password",
            placeholder=rx.cond(row.is_kept, "kept; type to replace it", ""),
            auto_complete=False,
            custom_attrs={"autoComplete": "new-password"},
            flex="1",
        ),
        rx.cond(
            row.is_kept & ~row.is_required,
            rx.text(
                rx.flex(rx.checkbox(name=REMOVE + row.name.to(str), size="1"), "remove", gap="6px", align="center"),
                as_="label",
                size="1",
                color="var(--gray-11)",
            ),
        ),
        gap="10px",
        align="center",
    )


def _labelled(
    label: Any, control: rx.Component, help: Any, *, is_required: Any = False, problem: Any = "", class_name: Any = ""
) -> rx.Component:
    return rx.box(
        rx.text(
            label,
            rx.cond(is_required, rx.text.span(" *", color="var(--red-11)", title="Required")),
            size="1",
            weight="medium",
            margin_bottom="4px",
        ),
        control,
        rx.cond(problem != "", rx.text(problem, size="1", color="var(--red-11)", margin_top="4px", role="alert")),
        rx.cond(help != "", rx.text(help, size="1", color="var(--gray-11)", margin_top="4px")),
        class_name=class_name,
        min_width="0",
    )


def _outcome() -> rx.Component:
    state = ConnectionFormState
    return rx.cond(
        state.is_testing,
        _notice("loader-circle", "blue", "Saved. Testing it …", class_name="turning"),
        rx.match(
            state.outcome,
            ("passed", _notice("circle-check", "green", state.message)),
            ("failed", _notice("circle-x", "red", f"It is saved, but the test failed. {state.message}")),
            rx.fragment(),
        ),
    )


def _notice(icon: str, color: str, text: Any, *, class_name: str = "") -> rx.Component:
    return rx.flex(
        rx.icon(icon, size=15, color=f"var(--{color}-11)", flex_shrink="0", margin_top="2px", class_name=class_name),
        rx.text(text, size="2", color=f"var(--{color}-12)", overflow_wrap="anywhere", min_width="0"),
        gap="8px",
        padding="8px 12px",
        border=BORDER,
        border_radius="var(--radius-3)",
        background=f"var(--{color}-a2)",
        role="status",
    )


def _buttons() -> rx.Component:
    state = ConnectionFormState
    back = rx.button("Back", on_click=state.choose(""), type="button", variant="ghost", color_scheme="gray", margin="0")
    return rx.flex(
        rx.cond(state.known == "", back),
        rx.spacer(),
        rx.dialog.close(
            rx.button(
                rx.cond(state.outcome == "passed", "Done", "Close"),
                type="button",
                variant=rx.cond(state.outcome == "passed", "solid", "soft"),
                color_scheme=rx.cond(state.outcome == "passed", "iris", "gray"),
            )
        ),
        rx.button(
            "Save and test",
            type="submit",
            loading=state.is_testing,
            variant=rx.cond(state.outcome == "passed", "soft", "solid"),
        ),
        gap="8px",
        align="center",
        padding_top="4px",
    )


def _vault() -> Vault:
    return Vault(bridge.settings())
