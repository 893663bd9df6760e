"""One run: the canvas of its version with live states, and what each step did."""

from typing import Any

import reflex as rx

from canvas.domain.errors import UserError
from canvas.domain.layout import arrange
from canvas.services import views
from canvas.services.access import Permission
from canvas.ui.editor.offers import editor_catalog
from canvas.ui.editor.origin import origin_of
from canvas.ui.editor.results import control, plain, shown, step_result
from canvas.ui.editor.studio import RunView
from canvas.ui.session import handler
from canvas.ui.template import rail_template
from canvas.ui.use import look, use


class RunState(rx.State):
    """The run that the address names; how it goes on comes over its own web socket."""

    graph: dict[str, Any] = {}
    catalog: dict[str, Any] = {}
    reply: dict[str, Any] = {}
    missing: str = ""

    @handler(Permission.VIEW)
    async def load(self) -> None:
        """Show the run that the address names."""
        run_id = self.router.url.path.strip("/").rpartition("/")[2]
        self.missing = ""
        try:
            self.catalog = await look(editor_catalog)
            self.graph = await look(_graph, run_id)
        except UserError as error:
            self.graph, self.missing = {}, str(error)

    @handler(Permission.VIEW)
    async def leave(self, key: str) -> None:
        """Forget a run that is not shown any more."""
        if self.graph.get("key") == key:
            self.graph = {}

    @handler(Permission.RUN)
    async def control(self, seq: int, run_id: str, verb: str) -> None:
        """Cancel, pause or resume the run."""
        try:
            self.reply = {"seq": seq, **await use(control, run_id, verb)}
        except UserError as error:
            self.reply = {"seq": seq, "error": {"code": error.code, "message": str(error)}}

    @handler(Permission.VIEW)
    async def inspect(self, seq: int, run_id: str, name: str, path: str) -> None:
        """Give what a step did."""
        try:
            self.reply = {"seq": seq, **await look(step_result, run_id, name, path)}
        except UserError as error:
            self.reply = {"seq": seq, "error": {"code": error.code, "message": str(error)}}


def page() -> rx.Component:
    """Build the page."""
    view = RunView.create(
        graph=RunState.graph,
        catalog=RunState.catalog,
        reply=RunState.reply,
        color_mode=rx.color_mode_cond("light", "dark"),
        on_control=RunState.control,
        on_inspect=RunState.inspect,
        on_leave=RunState.leave,
        on_end=RunState.load,
    )
    return rail_template(rx.cond(RunState.missing != "", _not_there(), view), place="Runs")


def _not_there() -> rx.Component:
    return rx.center(
        rx.vstack(rx.heading(RunState.missing, size="4"), rx.link("All runs", href="/runs"), align="center"),
        height="100%",
    )


def _graph(session: Any, run_id: str) -> dict[str, Any]:
    run = views.run_detail(session, run_id)
    document, layout = views.version_document(session, run.row.workflow_name, run.row.version_number)
    return {
        "key": run_id,
        "run_id": run_id,
        "name": run.row.workflow_name,
        "version": run.row.version_number,
        "document": document,
        "layout": layout or arrange(document),
        "revision": 0,
        "trigger": run.row.trigger_type,
        "triggered_by": run.row.triggered_by,
        "trigger_data": shown(run.trigger_data),
        "origin": origin_of(session, document, run.row.trigger_type, run.trigger_data),
        "dry_run": run.row.dry_run,
        "parameters": shown(run.parameters),
        "output": shown(run.output),
        "run": plain(_head(run)),
    }


def _head(run: views.RunDetail) -> dict[str, Any]:
    row = run.row
    return {
        "id": row.id,
        "status": row.status,
        "settled": row.settled,
        "total": row.total,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "error": run.error,
        "cancel_requested": row.cancel_requested,
        "pause_requested": row.pause_requested,
    }
