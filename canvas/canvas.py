"""The Reflex entry point: the pages, and the API beside them on the same port."""

import reflex as rx
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from canvas.api.app import create_api
from canvas.api.guards import CacheHeaders, LocalHostsOnly, SameOriginOnly
from canvas.ui.pages import actions, connections, editor, own_action, run, runs, settings, triggers, workflows
from canvas.ui.theme import STYLE


def _with_api(pages: ASGIApp) -> ASGIApp:
    site = Starlette(routes=[Mount("/api", create_api()), Mount("/", pages)])
    return LocalHostsOnly(SameOriginOnly(CacheHeaders(site)))


app = rx.App(
    style=STYLE,
    stylesheets=["/pages.css"],
    head_components=[rx.el.link(rel="icon", type="image/svg+xml", href="/favicon.svg")],
    api_transformer=_with_api,
)

app.add_page(workflows.page, route="/", title="Workflows · Canvas", on_load=workflows.ON_LOAD)
app.add_page(editor.page, route="/workflows/[workflow_name]", title="Editor · Canvas", on_load=editor.EditorState.load)
app.add_page(runs.page, route="/runs", title="Runs · Canvas", on_load=runs.RunsState.load)
app.add_page(run.page, route="/runs/[run_id]", title="Run · Canvas", on_load=run.RunState.load)
app.add_page(triggers.page, route="/triggers", title="Triggers · Canvas", on_load=triggers.ON_LOAD)
app.add_page(actions.page, route="/actions", title="Actions · Canvas", on_load=actions.ActionsState.load)
app.add_page(
    connections.page, route="/connections", title="Connections · Canvas", on_load=connections.ConnectionsState.open
)
app.add_page(own_action.page, route="/actions/edit", title="Action · Canvas", on_load=own_action.OwnActionState.load)
app.add_page(settings.page, route="/settings", title="Settings · Canvas", on_load=settings.SettingsState.load)
