"""Whether Canvas is well, for whoever watches over it."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from canvas.api.caller import Caller, answer, needs
from canvas.services import health
from canvas.services.access import Permission

router = APIRouter(tags=["state"])
Viewer = Annotated[Caller, needs(Permission.VIEW)]


@router.get("/health")
async def get_health(caller: Viewer) -> Response:
    """Say that this process answers."""
    return answer({"status": "ok"})


@router.get("/ready", responses={503: {"description": "Something is missing."}})
def get_ready(caller: Viewer) -> Response:
    """Say whether work gets done: the database answers and is up to date, and an engine process is alive."""
    state = health.readiness(caller.settings)
    return answer(state, 200 if state.is_ready else 503)
