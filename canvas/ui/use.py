"""The bridge from the event loop to the services: a thread for the work, a transaction around it."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any, Concatenate, ParamSpec, TypeVar

from canvas.db import reading, transaction
from canvas.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")


@cache
def settings() -> Settings:
    """Read the settings once per process."""
    return Settings.from_environment()


async def use(service: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a service in a transaction of its own, which is committed unless it raises."""
    return await asyncio.to_thread(_within, transaction, service, args, kwargs)


async def look(view: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a view, which only reads; it never waits for a writer."""
    return await asyncio.to_thread(_within, reading, view, args, kwargs)


async def reach_out(service: Callable[[Settings], T]) -> T:
    """Call a service that waits for the outside and therefore opens transactions of its own."""
    return await asyncio.to_thread(service, settings())


def _within(scope: Any, function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    with scope(settings()) as session:
        return function(session, *args, **kwargs)
