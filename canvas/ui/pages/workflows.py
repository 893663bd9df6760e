"""Home: every workflow as a card with how it went lately, and the ways to get a new one."""

from collections.abc import Collection
from itertools import chain, count
from typing import Any, Final

import reflex as rx

from canvas.domain.errors import Invalid
from canvas.domain.states import TriggerType, WorkflowStatus
from canvas.services import runs, views, workflows
from canvas.services.access import Permission
from canvas.services.runs import InvalidParameters
from canvas.services.views import WorkflowCard
from canvas.ui.components.dialog import dialog
from canvas.ui.components.empty import empty_state
from canvas.ui.components.filters import choice, search_box
from canvas.ui.components.import_dialog import ImportState, import_dialog
from canvas.ui.components.new_dialog import NewState, new_dialog
from canvas.ui.components.panel import bones
from canvas.ui.components.run_feed import run_feed
from canvas.ui.components.workflow_card import workflow_card
from canvas.ui.session import actor, handler
from canvas.ui.template import template
from canvas.ui.use import look, use

ANY: Final = "any"
_PAUSE_MS: Final = 1_000


class WorkflowsState(rx.State):
    """Which workflows are listed, and what is asked about one of them."""

    cards: list[WorkflowCard] = []
    tags: list[str] = []
    is_loaded: bool = False
    text: str = ""
    status: str = ANY
    tag: str = ANY
    doomed: str = ""
    "The workflow that is to be deleted, if somebody says yes."

    @rx.var
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.text) or self.status != ANY or self.tag != ANY

    @handler(Permission.VIEW)
    async def load(self) -> None:
        """Show the workflows as they stand now."""
        status = None if self.status == ANY else WorkflowStatus(self.status)
        tag = "" if self.tag == ANY else self.tag
        self.cards = await look(views.workflow_cards, text=self.text, status=status, tag=tag)
        self.tags = await look(views.workflow_tags)
        self.is_loaded = True

    @handler(Permission.VIEW)
    async def search(self, text: str) -> Any:
        """List only workflows whose name, title or description contains the text."""
        self.text = text[:200]
        return WorkflowsState.load

    @handler(Permission.VIEW)
    async def narrow(self, name: str, value: str) -> Any:
        """Set one of the filters."""
        allowed = {"status": [ANY, *WorkflowStatus], "tag": [ANY, *self.tags]}
        if value not in allowed.get(name, ()):
            raise Invalid(f"There is no {name} {value!r} to filter by.")
        setattr(self, name, value)
        return WorkflowsState.load

    @handler(Permission.VIEW)
    async def clear(self) -> Any:
        """List all workflows again."""
        self.text, self.status, self.tag = "", ANY, ANY
        return WorkflowsState.load

    @handler(Permission.RUN)
    async def run(self, name: str) -> Any:
        """Start a workflow; one that needs parameters asks for them in the editor."""
        try:
            run_id = await use(runs.start_run, name, trigger_type=TriggerType.MANUAL, triggered_by=actor(self).name)
        except InvalidParameters:
            return rx.redirect(f"/workflows/{name}?run=1")
        return rx.redirect(f"/runs/{run_id}")

    @handler(Permission.EDIT)
    async def duplicate(self, name: str) -> Any:
        """Make a workflow of its own out of a copy."""
        copy = free_name(await look(views.workflow_names), f"{name}_copy")
        await use(workflows.duplicate_workflow, name, copy, created_by=actor(self).name)
        return rx.redirect(f"/workflows/{copy}")

    @handler(Permission.EDIT)
    async def archive(self, name: str, is_archived: bool) -> Any:
        """Put a workflow away, or take it out again; its runs stay."""
        await use(workflows.archive_workflow if is_archived else workflows.restore_workflow, name)
        return WorkflowsState.load

    @handler(Permission.VIEW)
    async def ask_delete(self, name: str) -> None:
        """Ask whether a workflow is really to be deleted; an empty name takes the question back."""
        self.doomed = name

    @handler(Permission.EDIT)
    async def delete(self) -> Any:
        """Delete the workflow that was asked about, with its versions and runs."""
        name, self.doomed = self.doomed, ""
        if not name:
            return None
        await use(workflows.delete_workflow, name)
        return [WorkflowsState.load, rx.toast.success(f"Deleted {name}")]


ON_LOAD: Final = [WorkflowsState.load, NewState.toggle(False), ImportState.toggle(False)]
"A page that is opened again has no dialog in front of it."


def free_name(taken: Collection[str], name: str) -> str:
    """Give the name, or the name with the first number behind it that nobody has."""
    numbered = (f"{name}_{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


def page() -> rx.Component:
    """Build the page."""
    return template(
        run_feed(on_change=WorkflowsState.load, pause=_PAUSE_MS),
        rx.cond(WorkflowsState.is_loaded, _loaded(), bones(6, "120px")),
        new_dialog(),
        import_dialog(on_done=WorkflowsState.load),
        _delete_dialog(),
        title="Workflows",
        actions=_actions(),
    )


def _actions() -> rx.Component:
    return rx.flex(
        rx.button(
            rx.icon("upload", size=14), "Import", on_click=ImportState.toggle(True), variant="soft", color_scheme="gray"
        ),
        rx.button(
            rx.icon("plus", size=14),
            rx.text.span("New", rx.text.span("\u00a0workflow", display=["none", "none", "inline"])),
            on_click=NewState.toggle(True),
        ),
        gap="8px",
    )


def _loaded() -> rx.Component:
    cards = rx.foreach(
        WorkflowsState.cards,
        lambda card: workflow_card(
            card,
            on_run=WorkflowsState.run(card.name),
            on_duplicate=WorkflowsState.duplicate(card.name),
            on_archive=WorkflowsState.archive(card.name, card.status != WorkflowStatus.ARCHIVED.value),
            on_delete=WorkflowsState.ask_delete(card.name),
        ),
    )
    grid = rx.grid(cards, grid_template_columns="repeat(auto-fill, minmax(min(340px, 100%), 1fr))", gap="12px")
    return rx.cond(
        WorkflowsState.cards,
        rx.box(_filters(), grid),
        rx.cond(WorkflowsState.is_filtered, rx.box(_filters(), _nothing_found()), _welcome()),
    )


def _filters() -> rx.Component:
    statuses = {ANY: "Any status", **{status.value: status.value.title() for status in WorkflowStatus}}
    return rx.flex(
        search_box("Search workflows", WorkflowsState.text, WorkflowsState.search),
        choice("Status", statuses, WorkflowsState.status, lambda value: WorkflowsState.narrow("status", value)),
        rx.cond(
            WorkflowsState.tags,
            rx.select.root(
                rx.select.trigger(aria_label="Tag"),
                rx.select.content(
                    rx.select.item("Any tag", value=ANY),
                    rx.foreach(WorkflowsState.tags, lambda tag: rx.select.item(tag, value=tag)),
                    position="popper",
                ),
                value=WorkflowsState.tag,
                on_change=lambda value: WorkflowsState.narrow("tag", value),
            ),
        ),
        rx.cond(
            WorkflowsState.is_filtered,
            rx.button("Clear", on_click=WorkflowsState.clear, variant="ghost", color_scheme="gray", margin="0"),
        ),
        gap="8px",
        wrap="wrap",
        align="center",
        margin_bottom="12px",
    )


def _delete_dialog() -> rx.Component:
    return dialog(
        f"Delete {WorkflowsState.doomed}?",
        "Its versions, triggers and runs go with it. This cannot be undone; archiving keeps everything.",
        rx.flex(
            rx.dialog.close(rx.button("Keep it", variant="soft", color_scheme="gray")),
            rx.button("Delete", color_scheme="red", on_click=WorkflowsState.delete),
            gap="8px",
            justify="end",
        ),
        width="420px",
        open=WorkflowsState.doomed != "",
        on_open_change=lambda _is_open: WorkflowsState.ask_delete(""),
    )


def _welcome() -> rx.Component:
    return empty_state(
        "workflow",
        "Draw your first workflow",
        "A workflow is a few steps that run one after the other, side by side, in a loop, or only if something holds. "
        "Start from nothing, or bring in a YAML or JSON file; examples/ holds some that run as they are.",
        rx.button(rx.icon("plus", size=14), "New workflow", on_click=NewState.toggle(True)),
        rx.button(rx.icon("upload", size=14), "Import a file", on_click=ImportState.toggle(True), variant="soft"),
    )


def _nothing_found() -> rx.Component:
    return empty_state(
        "search-x",
        "No workflow fits",
        "None of the workflows passes these filters. Archived ones are listed when asked for.",
        rx.button("Clear the filters", on_click=WorkflowsState.clear, variant="soft"),
    )
