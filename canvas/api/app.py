"""The HTTP API as one application, mounted under `/api`."""

from fastapi import FastAPI

from canvas.api import (
    actions,
    agents,
    catalogue,
    connections,
    events,
    live,
    manual,
    notifications,
    proposals,
    run_events,
    runs,
    schedules,
    state,
    tasks,
    timetable,
    tokens,
    versions,
    webhooks,
    workflows,
)
from canvas.api.limits import BodyLimit
from canvas.api.problems import handle_errors
from canvas.settings import Settings

_ROUTERS = (
    tasks.router,  # before the workflows: `tasks` is no workflow's name
    workflows.router,
    versions.router,
    runs.router,
    run_events.router,
    schedules.router,
    timetable.router,
    webhooks.router,
    events.router,
    notifications.router,
    actions.router,
    proposals.router,
    catalogue.router,
    connections.router,
    tokens.router,
    agents.router,
    state.router,
    manual.router,
    live.router,
)


def create_api(settings: Settings | None = None) -> FastAPI:
    """Build the API; it keeps nothing but the settings, which come from the environment when they are not given."""
    known = settings or Settings.from_environment()
    api = FastAPI(
        title="Canvas",
        description="Workflows: draw, publish, run, watch. Errors are problem documents (RFC 9457) with a `code`.",
        docs_url=None,  # the usual page loads its script from elsewhere; `manual` works offline
        redoc_url=None,
        openapi_url=None,
    )
    api.state.settings = known
    handle_errors(api)
    api.add_middleware(BodyLimit, max_bytes=known.max_body_bytes)
    for router in _ROUTERS:
        api.include_router(router)
    return api
