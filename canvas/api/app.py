"""The HTTP API as one application, mounted under `/api`."""

from fastapi import FastAPI

from canvas.api import live


def create_api() -> FastAPI:
    """Build the API; it keeps no state of its own."""
    api = FastAPI(title="Canvas")
    api.include_router(live.router)
    return api
