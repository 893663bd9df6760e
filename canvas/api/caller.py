"""What every route stands behind: who calls, whether they may, and the door to the database."""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection
from starlette.responses import Response

from canvas.db import Session, reading, transaction
from canvas.domain.errors import Unauthorized
from canvas.services import tokens
from canvas.services.access import Actor, Permission, local_actor, require
from canvas.settings import Settings


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes this request, and how it reaches the database."""

    actor: Actor
    settings: Settings

    def transaction(self) -> AbstractContextManager[Session]:
        """Open a transaction: committed at the end of the block, rolled back when an error leaves it."""
        return transaction(self.settings)

    def reading(self) -> AbstractContextManager[Session]:
        """Open a session that only reads."""
        return reading(self.settings)


class TokenNeeded(Unauthorized):
    """Bring an API token: `Authorization: Bearer TOKEN`. `canvas token create NAME` makes one."""

    code = "token_needed"


def needs(permission: Permission, *, reads_token: bool = True, requires_token: bool = False) -> Any:
    """Make the dependency that lets a route be called only by who has a permission; it gives the caller.

    Args:
        reads_token: Whether `Authorization` speaks to Canvas; false where it speaks to a workflow, as on a hook.
        requires_token: Whether the user of this machine needs a token too, because programs decide what is called.
    """

    def caller(request: Request) -> Caller:
        settings: Settings = request.app.state.settings
        if requires_token and "authorization" not in request.headers:
            raise TokenNeeded
        actor = actor_of(request, settings) if reads_token else local_actor()
        require(actor, permission)
        return Caller(actor, settings)

    caller.canvas_permission = permission  # type: ignore[attr-defined]  # read by the test that walks all routes
    return Depends(caller)


def actor_of(connection: HTTPConnection, settings: Settings) -> Actor:
    """Name whoever sent a request: who its bearer token says, or the user of this machine when it brings none.

    Raises:
        InvalidToken, TokenExpired, TokenRevoked: the token is not, or no longer, worth anything.
    """
    given = connection.headers.get("authorization")
    return local_actor() if given is None else bearer(given, settings)


def bearer(authorization: str, settings: Settings) -> Actor:
    """Name whoever an `Authorization: Bearer` header speaks for, and remember that the token was used.

    Raises:
        InvalidToken, TokenExpired, TokenRevoked: the token is not, or no longer, worth anything.
    """
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise tokens.InvalidToken("Canvas understands `Authorization: Bearer TOKEN` only.")
    now = datetime.now(UTC)
    with reading(settings) as session:
        known = tokens.recognise(session, secret.strip(), now=now)
    if known.is_worth_noting:
        with transaction(settings) as session:
            tokens.note_use(session, known.token_id, now=now)
    return known.actor


class StrictJson(APIRoute):
    """Routes whose JSON bodies hold nothing that could not be kept: no NaN, no half surrogates, no endless nesting."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the handler that FastAPI made, fed with requests of our own."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


class _StrictRequest(Request):
    async def json(self) -> Any:
        return orjson.loads(await self.body())


def permission_of(dependency: Callable[..., Any] | None) -> Permission | None:
    """Give the permission that a dependency made by `needs` asks for; None for any other."""
    return getattr(dependency, "canvas_permission", None)


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON; frozen dataclasses, words and moments are written as they are."""
    return Response(orjson.dumps(value, default=_plain), status, headers, "application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value)
    return dict(value) if hasattr(value, "keys") else str(value)
