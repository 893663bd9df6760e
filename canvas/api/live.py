"""Web sockets that tell pages what happens: `/ws/runs/{run_id}` for one run, `/ws/runs` for lists of runs."""

import asyncio
from functools import cache
from typing import Annotated, Final

from fastapi import APIRouter, Query, WebSocket
from starlette.concurrency import run_in_threadpool

from canvas.api.caller import actor_of
from canvas.api.subscriber import Subscriber
from canvas.api.tail import Tail
from canvas.domain.errors import Forbidden, Unauthorized
from canvas.services import access
from canvas.settings import Settings

router: Final = APIRouter()
_NO_MORE: Final = 4404
_NOT_YOU: Final = 4401


@router.websocket("/ws/runs/{run_id}")
async def run_feed(socket: WebSocket, run_id: str, after: Annotated[int, Query(ge=0)] = 0) -> None:
    """Send a snapshot of a run, then batches of changes; log lines up to number `after` are not repeated."""
    if not await _may_look(socket):
        return
    subscriber = Subscriber(asyncio.get_running_loop())
    _tail().watch_run(run_id, subscriber, lines_after=after)
    await _pass_on(socket, subscriber)


@router.websocket("/ws/runs")
async def list_feed(socket: WebSocket) -> None:
    """Send the ids of the runs that changed, at most five times a second."""
    if not await _may_look(socket):
        return
    subscriber = Subscriber(asyncio.get_running_loop())
    _tail().watch_list(subscriber)
    await _pass_on(socket, subscriber)


async def _may_look(socket: WebSocket) -> bool:
    try:
        actor = await run_in_threadpool(actor_of, socket, socket.app.state.settings)
        access.require(actor, access.Permission.VIEW)
    except (Unauthorized, Forbidden) as error:
        await socket.close(_NOT_YOU, str(error))
        return False
    return True


@cache
def _tail() -> Tail:
    return Tail(Settings.from_environment())


async def _pass_on(socket: WebSocket, subscriber: Subscriber) -> None:
    await socket.accept()
    leaving = asyncio.create_task(_until_left(socket))
    sending = asyncio.create_task(_send(socket, subscriber))
    try:
        await asyncio.wait({leaving, sending}, return_when=asyncio.FIRST_COMPLETED)
        is_there = not leaving.done() and sending.exception() is None
    finally:
        _tail().leave(subscriber)
        leaving.cancel()  # the server would not close while somebody listens
        sending.cancel()
    if is_there:
        await socket.close(_NO_MORE, "There is nothing to watch here.")


async def _until_left(socket: WebSocket) -> None:
    """Nothing is asked of the browser; it is listened to because that is how its leaving is noticed."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _send(socket: WebSocket, subscriber: Subscriber) -> None:
    while (frame := await subscriber.next_frame()) is not None:
        await socket.send_text(frame.decode())
