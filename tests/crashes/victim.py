"""An engine process to be killed; its actions leave traces in a file outside of the database."""

import asyncio
import os
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from canvas.actions.failures import ActionFailed
from canvas.domain.catalog import ActionSpec
from canvas.engine.crashpoints import arm
from canvas.engine.worker import Engine
from canvas.settings import Settings


class Witnessed:
    """An action that leaves a trace outside of the database."""

    def __init__(self, name: str, side_file: Path, *, idempotent: bool) -> None:
        self.spec = ActionSpec(
            name=name,
            title="",
            description="",
            category="",
            arguments_schema={},
            result_schema={},
            example_arguments={},
            example_result={},
            idempotent=idempotent,
        )
        self._file = os.open(side_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def _witness(self, what: str, context: Any) -> None:
        os.write(self._file, f"{what} {self.spec.name} {context.run_id} {context.path} {context.attempt}\n".encode())

    async def call(self, arguments: Any, context: Any) -> Any:
        self._witness("start", context)
        await asyncio.sleep(arguments.get("seconds", 0))
        if context.attempt < arguments.get("succeeds_at", 1):
            raise ActionFailed("Not yet.", retryable=True)
        self._witness("end", context)
        return {"path": context.path}

    def is_idempotent(self, arguments: Any) -> bool:
        return self.spec.idempotent


def main(data_dir: str, crash_at: str, ready: Connection) -> None:
    """Run an engine until it is killed; say how long it took to take over what was left."""
    arm(crash_at)
    folder = Path(data_dir)
    actions = {
        "test/work": Witnessed("test/work", folder / "witness.txt", idempotent=True),
        "test/charge": Witnessed("test/charge", folder / "witness.txt", idempotent=False),
    }
    engine = Engine(Settings(data_dir=folder, durability="process"), actions)
    begun = time.monotonic()
    engine.start()
    ready.send(time.monotonic() - begun)
    threading.Event().wait()
