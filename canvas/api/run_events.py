"""A run as server-sent events. A stream ends by itself after some seconds: the server could not stop while one is open,
and every client resumes where it was with `Last-Event-ID`.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from canvas.api.caller import Caller, needs
from canvas.domain.states import LogKind
from canvas.services import runs, views
from canvas.services.access import Permission

router = APIRouter(tags=["runs"])
LIFETIME_SECONDS = 8.0
_LOOK_SECONDS = 0.1
_BATCH = 500
_LAST_SEQ = 2**63 - 1
_NAMES = {LogKind.RUN: "run", LogKind.STEP: "step", LogKind.LINE: "log"}


@router.get("/runs/{run_id}/events", response_class=StreamingResponse)
async def stream_events(
    caller: Annotated[Caller, needs(Permission.VIEW)],
    request: Request,
    run_id: str,
    last_event_id: Annotated[str, Header(alias="Last-Event-ID", max_length=20)] = "",
) -> Response:
    """Stream what happens in a run: `run`, `step` and `log` events; 204 when it has ended and nothing is left.

    The stream is cut after a few seconds; an EventSource comes back by itself and misses nothing.
    """
    is_number = last_event_id.isascii() and last_event_id.isdigit()
    after = min(int(last_event_id), _LAST_SEQ) if is_number else 0
    rows, has_ended = await run_in_threadpool(_look, caller, run_id, after)
    if has_ended and not rows:
        return Response(status_code=204)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(caller, request, run_id, after), media_type="text/event-stream", headers=headers)


async def _events(caller: Caller, request: Request, run_id: str, after: int) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LIFETIME_SECONDS
    yield b"retry: 200\n\n"
    while loop.time() < deadline and not await request.is_disconnected():
        rows, has_ended = await run_in_threadpool(_look, caller, run_id, after)
        if rows:
            after = rows[-1].seq
            yield b"".join(map(_event, rows))
        elif has_ended:
            return
        else:
            await asyncio.sleep(_LOOK_SECONDS)


def _look(caller: Caller, run_id: str, after: int) -> tuple[list[views.LogRow], bool]:
    """The status comes first: rows that were written before the end are then sure to be seen."""
    with caller.reading() as session:
        has_ended = runs.run_status(session, run_id).is_terminal
        return views.run_logs(session, run_id, after=after, limit=_BATCH), has_ended


def _event(row: views.LogRow) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (row.seq, _NAMES[row.kind].encode(), orjson.dumps(row))
