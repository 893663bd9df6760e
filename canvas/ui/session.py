"""Who is at the other end of an event, and the gate that every event handler stands behind.

Any browser can send any event of any state, with any arguments: a hidden button is no guard.
"""

import inspect
from collections.abc import AsyncIterator, Callable
from functools import wraps
from typing import Any

import reflex as rx
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from canvas.domain.errors import Invalid, UserError
from canvas.services import access
from canvas.services.access import Actor, Permission


def actor(state: rx.State) -> Actor:
    """Name whoever sent the event that `state` is handling."""
    del state  # today there is only the loopback; its cookie will tell once there are accounts
    return access.local_actor()


def handler(permission: Permission, **event_options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make an event handler out of a coroutine or an async generator.

    Before it runs, the sender must have the permission and the arguments must be of the annotated types. A `UserError`
    from within becomes a toast; any other error is a defect and takes Reflex's way.

    Args:
        permission: What the sender needs.
        event_options: Passed to `rx.event`.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        guarded = _guard(function, permission)
        guarded.__canvas_permission__ = permission
        return rx.event(guarded, **event_options)

    return decorate


def _guard(function: Callable[..., Any], permission: Permission) -> Any:
    arguments = _arguments_model(function)

    def admit(state: rx.State, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        access.require(actor(state), permission)
        _check_arguments(function, arguments, args, kwargs)

    if inspect.isasyncgenfunction(function):

        @wraps(function)
        async def guarded_steps(self: rx.State, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            try:
                admit(self, args, kwargs)
                async for update in function(self, *args, **kwargs):
                    yield update
            except UserError as error:
                yield rx.toast.error(str(error))

        return guarded_steps

    @wraps(function)
    async def guarded(self: rx.State, *args: Any, **kwargs: Any) -> Any:
        try:
            admit(self, args, kwargs)
            return await function(self, *args, **kwargs)
        except UserError as error:
            return rx.toast.error(str(error))

    return guarded


def _arguments_model(function: Callable[..., Any]) -> type[BaseModel]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    fields: dict[str, Any] = {
        p.name: (p.annotation, ... if p.default is inspect.Parameter.empty else p.default) for p in parameters
    }
    config = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())
    return create_model(f"{function.__qualname__} arguments", __config__=config, **fields)


def _check_arguments(
    function: Callable[..., Any], model: type[BaseModel], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    try:
        bound = inspect.signature(function).bind(None, *args, **kwargs).arguments
        model(**dict(list(bound.items())[1:]))
    except (TypeError, ValidationError) as error:
        raise Invalid(f"The page sent {function.__name__} something it does not understand; reload it.") from error
