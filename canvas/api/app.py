"""The HTTP API as one application, mounted under `/api`."""

from fastapi import FastAPI


def create_api() -> FastAPI:
    """Build the API; it keeps no state of its own."""
    return FastAPI(title="Canvas")
