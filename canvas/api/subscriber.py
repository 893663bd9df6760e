"""One open web socket as the live feed sees it: frames wait here, merged, until the browser has taken the last one."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import orjson

Frame = dict[str, Any]
_LINES_KEPT: Final = 500


class Subscriber:
    """Collects frames from any thread for one socket; a slow browser gets fewer and larger ones, never a backlog."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[Frame] = []
        self._is_closed = False
        self._has_news = asyncio.Event()

    def tell(self, frame: Frame) -> None:
        """Hand over a frame; never blocks. For any thread."""
        self._soon(self._take, frame)

    def close(self) -> None:
        """End the socket after what was told already. For any thread."""
        self._soon(self._take, None)

    async def next_frame(self) -> bytes | None:
        """Wait for a frame; None when there will be none any more."""
        await self._has_news.wait()
        if not self._waiting:
            return None
        frame = self._waiting.pop(0)
        if not self._waiting and not self._is_closed:
            self._has_news.clear()
        return orjson.dumps(frame)

    def _soon(self, function: Any, frame: Frame | None) -> None:
        with suppress(RuntimeError):  # the loop has ended, and the socket with it
            self._loop.call_soon_threadsafe(function, frame)

    def _take(self, frame: Frame | None) -> None:
        if frame is None:
            self._is_closed = True
        elif self._waiting and self._waiting[-1]["type"] == frame["type"] == "delta":
            self._waiting[-1] = _merged(self._waiting[-1], frame)
        elif self._waiting and self._waiting[-1]["type"] == frame["type"] == "changed":
            runs = dict.fromkeys([*self._waiting[-1]["runs"], *frame["runs"]])
            self._waiting[-1] = {**frame, "runs": list(runs)}
        else:
            self._waiting.append(frame)
        self._has_news.set()


def _merged(old: Frame, new: Frame) -> Frame:
    return {
        **new,
        "run": {**old["run"], **new["run"]},
        "nodes": {**old["nodes"], **new["nodes"]},
        "lines": [*old["lines"], *new["lines"]][-_LINES_KEPT:],
    }
