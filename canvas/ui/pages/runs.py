"""The dashboard: every run, newest first, as it happens."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import reflex as rx

from canvas.domain.errors import Invalid
from canvas.domain.states import RunStatus, TriggerType
from canvas.services import views
from canvas.services.access import Permission
from canvas.services.views import RunFilter, RunRow
from canvas.ui.components.clock import ago, elapsed
from canvas.ui.components.empty import empty_state
from canvas.ui.components.filters import choice, search_box
from canvas.ui.components.panel import bones, panel
from canvas.ui.components.run_feed import run_feed
from canvas.ui.components.status import run_status, status_fill, trigger_label
from canvas.ui.session import handler
from canvas.ui.template import template
from canvas.ui.use import look

ANY: Final = "any"
PAGE_SIZE: Final = 50
_LIVE: Final = tuple(status for status in RunStatus if not status.is_terminal)
_STATUSES: Final = {ANY: (), "live": _LIVE, **{status.value: (status,) for status in RunStatus}}
_PERIODS: Final = {ANY: None, "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


class RunsState(rx.State):
    """Which runs are listed."""

    rows: list[RunRow] = []
    is_loaded: bool = False
    text: str = ""
    status: str = ANY
    workflow: str = ANY
    trigger: str = ANY
    period: str = ANY
    workflows: list[str] = []
    next_cursor: str = ""
    page: int = 1
    _cursors: list[str] = [""]
    "Where each page up to this one starts."

    @rx.var
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.text) or any(each != ANY for each in (self.status, self.workflow, self.trigger, self.period))

    @handler(Permission.VIEW)
    async def load(self) -> None:
        """Open the page; the address may name a workflow or a status."""
        asked = self.router.url.query_parameters
        self.workflows = await look(views.workflow_names)
        self.workflow = asked["workflow"] if asked.get("workflow") in self.workflows else ANY
        self.status = asked["status"] if asked.get("status") in _STATUSES else ANY
        await self._first_page()

    @handler(Permission.VIEW)
    async def refresh(self) -> None:
        """Show how the runs of this page stand now."""
        await self._show()

    @handler(Permission.VIEW)
    async def narrow(self, name: str, value: str) -> None:
        """Set one of the filters."""
        allowed = {"status": _STATUSES, "trigger": [ANY, *TriggerType], "period": _PERIODS}
        allowed["workflow"] = [ANY, *self.workflows]
        if value not in allowed.get(name, ()):
            raise Invalid(f"There is no {name} {value!r} to filter by.")
        setattr(self, name, value)
        await self._first_page()

    @handler(Permission.VIEW)
    async def search(self, text: str) -> None:
        """List only runs whose workflow's name contains the text, or whose id begins with it."""
        self.text = text[:200]
        await self._first_page()

    @handler(Permission.VIEW)
    async def clear(self) -> None:
        """List all runs again."""
        self.text, self.status, self.workflow, self.trigger, self.period = "", ANY, ANY, ANY, ANY
        await self._first_page()

    @handler(Permission.VIEW)
    async def older(self) -> None:
        """Turn to the next page."""
        if self.next_cursor:
            self._cursors = [*self._cursors, self.next_cursor]
            await self._show()

    @handler(Permission.VIEW)
    async def newer(self) -> None:
        """Turn to the page before."""
        self._cursors = self._cursors[:-1] or [""]
        await self._show()

    async def _first_page(self) -> None:
        self._cursors = [""]
        await self._show()

    async def _show(self) -> None:
        found = await look(views.run_rows, self._wanted(), cursor=self._cursors[-1], limit=PAGE_SIZE)
        self.rows, self.next_cursor, self.page = found.rows, found.next_cursor, len(self._cursors)
        self.is_loaded = True

    def _wanted(self) -> RunFilter:
        period = _PERIODS[self.period]
        return RunFilter(
            statuses=_STATUSES[self.status],
            workflow="" if self.workflow == ANY else self.workflow,
            triggers=() if self.trigger == ANY else (TriggerType(self.trigger),),
            text=self.text,
            since=datetime.now(UTC) - period if period else None,
        )


def page() -> rx.Component:
    """Build the page."""
    return template(
        run_feed(on_change=RunsState.refresh),
        _filters(),
        rx.cond(RunsState.is_loaded, _list(), bones(10, "44px")),
        title="Runs",
    )


def _filters() -> rx.Component:
    statuses = {ANY: "Any status", "live": "Going on", **{status.value: status.value.title() for status in RunStatus}}
    triggers = {ANY: "Any trigger", **{trigger.value: trigger.value.title() for trigger in TriggerType}}
    periods = {ANY: "Any time", "hour": "Last hour", "day": "Last 24 hours", "week": "Last 7 days"}
    return rx.flex(
        search_box("Workflow or run id", RunsState.text, RunsState.search),
        choice("Status", statuses, RunsState.status, lambda value: RunsState.narrow("status", value)),
        rx.select.root(
            rx.select.trigger(aria_label="Workflow", max_width="220px"),
            rx.select.content(
                rx.select.item("Any workflow", value=ANY),
                rx.foreach(RunsState.workflows, lambda name: rx.select.item(name, value=name)),
                position="popper",
            ),
            value=RunsState.workflow,
            on_change=lambda value: RunsState.narrow("workflow", value),
        ),
        choice("Trigger", triggers, RunsState.trigger, lambda value: RunsState.narrow("trigger", value)),
        choice("Started", periods, RunsState.period, lambda value: RunsState.narrow("period", value)),
        rx.cond(
            RunsState.is_filtered,
            rx.button("Clear", on_click=RunsState.clear, variant="ghost", color_scheme="gray", margin="0"),
        ),
        gap="8px",
        wrap="wrap",
        align="center",
        margin_bottom="12px",
    )


def _list() -> rx.Component:
    return rx.cond(
        RunsState.rows,
        rx.box(panel(_head(), rx.foreach(RunsState.rows, _row), role="table", aria_label="Runs"), _pager()),
        rx.cond(RunsState.is_filtered, _nothing_found(), _no_runs()),
    )


def _head() -> rx.Component:
    names = ("Status", "Workflow", "Trigger", "Progress", "Started", "Duration")
    return rx.box(*(rx.box(name, role="columnheader") for name in names), class_name="row-head run-row", role="row")


def _row(run: Any) -> rx.Component:
    since = rx.cond(run.started_at, run.started_at, run.created_at)
    return rx.link(
        _cell("status", run_status(run.status)),
        _cell("name", _name(run)),
        _cell("trigger", trigger_label(run.trigger_type)),
        _cell("progress", _progress(run)),
        _cell("started", ago(since)),
        _cell("took numbers", elapsed(run.started_at, run.ended_at)),
        href=f"/runs/{run.id}",
        class_name="row run-row",
        role="row",
        key=run.id,
    )


def _cell(name: str, content: rx.Component) -> rx.Component:
    return rx.text(content, as_="div", size="1", color="var(--gray-11)", class_name=f"{name} one-line", role="cell")


def _name(run: Any) -> rx.Component:
    return rx.flex(
        rx.text(run.workflow_name, size="2", weight="medium", color="var(--gray-12)", class_name="one-line"),
        rx.text(f"v{run.version_number}", size="1", color="var(--gray-10)"),
        rx.cond(run.dry_run, rx.badge("dry run", color_scheme="gray", variant="outline", size="1")),
        gap="8px",
        align="center",
        min_width="0",
    )


def _progress(run: Any) -> rx.Component:
    bar = rx.box(
        rx.box(width=f"{run.progress}%", height="100%", background=status_fill(run.status), transition="width 0.3s"),
        flex="1",
        height="4px",
        border_radius="2px",
        background="var(--gray-a4)",
        overflow="hidden",
    )
    counts = rx.text(f"{run.settled}/{run.total}", size="1", color="var(--gray-10)", class_name="numbers count")
    return rx.cond(
        run.error,
        rx.text(run.error, size="1", color="var(--red-11)", class_name="one-line", title=run.error),
        rx.flex(bar, counts, gap="8px", align="center"),
    )


def _pager() -> rx.Component:
    is_first, is_last = RunsState.page == 1, RunsState.next_cursor == ""
    turn = {"variant": "soft", "color_scheme": "gray", "size": "1"}
    return rx.cond(
        is_first & is_last,
        None,
        rx.flex(
            rx.button(
                rx.icon("chevron-left", size=14),
                "Newer",
                on_click=RunsState.newer,
                disabled=RunsState.page == 1,
                **turn,
            ),
            rx.text(f"Page {RunsState.page}", size="1", color="var(--gray-11)"),
            rx.button(
                "Older",
                rx.icon("chevron-right", size=14),
                on_click=RunsState.older,
                disabled=RunsState.next_cursor == "",
                **turn,
            ),
            gap="12px",
            align="center",
            justify="end",
            padding_top="12px",
        ),
    )


def _no_runs() -> rx.Component:
    return empty_state(
        "activity",
        "No runs yet",
        "Each time a workflow is started, by hand, by a schedule, by a webhook or over the API, its run is listed here "
        "and moves on as its steps do.",
        rx.link(rx.button("Go to the workflows"), href="/"),
    )


def _nothing_found() -> rx.Component:
    return empty_state(
        "search-x",
        "No run fits",
        "None of the runs passes these filters.",
        rx.button("Clear the filters", on_click=RunsState.clear, variant="soft"),
    )
