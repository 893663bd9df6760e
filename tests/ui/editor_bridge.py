"""Calls the pure JavaScript modules of the editor from Python."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCRIPT = Path(__file__).with_suffix(".mjs")


class Bridge:
    """A node process that answers questions."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def ask(self, question: str, **given: Any) -> Any:
        """Ask one question of `editor_bridge.mjs` and wait for the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"question": question, **given}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the editor's JavaScript failed; its error is above"
        return json.loads(answer)


@contextmanager
def bridge() -> Iterator[Bridge]:
    """Keep a node process going for as long as the block lasts."""
    command = [str(Path(sys.executable).parent / "node"), "--no-warnings", str(_SCRIPT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Bridge(process)
        finally:
            process.kill()
