"""The catalogue: what a step can do, with everything there is to know about each action."""

from typing import Any

import reflex as rx

from canvas.actions.registry import plugins
from canvas.services import views
from canvas.services.access import Permission
from canvas.services.views import ActionDetail, ActionRow
from canvas.ui.components.action_detail import action_detail
from canvas.ui.components.empty import empty_state
from canvas.ui.components.filters import search_box
from canvas.ui.components.panel import bones, panel
from canvas.ui.session import handler
from canvas.ui.template import template
from canvas.ui.use import look

_ANY = ""


class ActionsState(rx.State):
    """Which actions are listed, and the one that is shown."""

    rows: list[ActionRow] = []
    categories: list[str] = []
    query: str = ""
    category: str = _ANY
    shown: list[ActionDetail] = []
    "None, or the one that the address names."
    broken: list[dict[str, str]] = []
    "The plug-ins that could not be loaded: package and failure of each."
    is_loaded: bool = False

    @rx.var
    def shown_name(self) -> str:
        """The name of the action that is shown; empty for none."""
        return self.shown[0].name if self.shown else ""

    @handler(Permission.VIEW)
    async def load(self) -> None:
        """Open the page; the address may name an action."""
        everything = await look(views.action_rows)
        self.categories = list(dict.fromkeys(row.category for row in everything))
        self.rows = await look(views.action_rows, self.query, self.category)
        asked = self.router.url.query_parameters.get("name", "")
        named = [row.name for row in everything if asked == row.name or asked in row.aliases]
        self.shown = [await look(views.action_detail, name) for name in named[:1]]
        failed = [plugin for plugin in plugins() if plugin.failure]
        self.broken = [{"package": plugin.package, "failure": plugin.failure} for plugin in failed]
        self.is_loaded = True

    @handler(Permission.VIEW)
    async def search(self, text: str) -> None:
        """List only what has the words of a text, or is called so elsewhere."""
        self.query = text[:200]
        self.rows = await look(views.action_rows, self.query, self.category)

    @handler(Permission.VIEW)
    async def narrow(self, category: str) -> None:
        """List only one category, or all again."""
        self.category = _ANY if category == self.category else category
        self.rows = await look(views.action_rows, self.query, self.category)


def page() -> rx.Component:
    """Build the page."""
    return template(
        rx.foreach(ActionsState.broken, _broken),
        rx.cond(ActionsState.is_loaded, _catalogue(), bones(10, "52px")),
        title="Actions",
        actions=rx.link(
            rx.button(rx.icon("plus", size=15), "New action", custom_attrs={"data-testid": "new-action"}),
            href="/actions/edit",
        ),
    )


def _broken(plugin: Any) -> rx.Component:
    return rx.callout(
        f"The plug-in {plugin['package']} is not used: {plugin['failure']}.",
        icon="plug-zap",
        color_scheme="amber",
        size="1",
        margin_bottom="12px",
        role="alert",
    )


def _catalogue() -> rx.Component:
    return rx.box(
        rx.box(_filters(), _list(), class_name="catalogue-list"),
        rx.box(
            rx.cond(ActionsState.shown, rx.foreach(ActionsState.shown, _shown), _nothing_shown()),
            class_name="shown",
        ),
        class_name=rx.cond(ActionsState.shown, "catalogue has-shown", "catalogue"),
    )


def _shown(action: Any) -> rx.Component:
    edit = rx.link(
        rx.button(rx.icon("pencil", size=14), "Edit", variant="soft", size="2"),
        href=f"/actions/edit?name={action.name}",
    )
    archived = rx.badge("archived", color_scheme="amber", variant="soft", size="1")
    return action_detail(action, rx.cond(action.is_archived, archived), rx.cond(action.origin == "user", edit))


def _filters() -> rx.Component:
    return rx.flex(
        search_box("Search actions", ActionsState.query, ActionsState.search),
        rx.flex(rx.foreach(ActionsState.categories, _category), gap="6px", wrap="wrap"),
        direction="column",
        gap="8px",
        margin_bottom="12px",
    )


def _category(name: Any) -> rx.Component:
    is_chosen = ActionsState.category == name
    return rx.button(
        name,
        on_click=ActionsState.narrow(name),
        variant=rx.cond(is_chosen, "solid", "soft"),
        color_scheme=rx.cond(is_chosen, "indigo", "gray"),
        size="1",
        aria_pressed=rx.cond(is_chosen, "true", "false"),
    )


def _list() -> rx.Component:
    return rx.cond(
        ActionsState.rows,
        panel(rx.foreach(ActionsState.rows, _row), aria_label="Actions"),
        panel(empty_state("search-x", "No action fits", "None has all of these words. Other systems' names work too.")),
    )


def _row(row: Any) -> rx.Component:
    return rx.link(
        rx.flex(
            rx.text(row.title, size="2", weight="medium", color="var(--gray-12)", class_name="one-line"),
            rx.spacer(),
            rx.cond(row.is_archived, rx.badge("archived", color_scheme="amber", variant="soft", size="1")),
            rx.cond(row.origin != "builtin", rx.badge(row.origin, color_scheme="gray", variant="soft", size="1")),
            rx.text(row.name, size="1", color="var(--gray-11)", class_name="mono one-line"),
            gap="8px",
            align="center",
        ),
        rx.text(row.summary, size="1", color="var(--gray-11)", class_name="one-line"),
        href=f"/actions?name={row.name}",
        class_name="row action-row",
        custom_attrs={"aria-current": rx.cond(ActionsState.shown_name == row.name, "true", "false")},
        key=row.name,
    )


def _nothing_shown() -> rx.Component:
    return panel(
        empty_state(
            "zap",
            "What a step can do",
            "Choose an action to see what it takes, what it gives, what it may touch and which workflows use it.",
        )
    )
