"""Keeps a few child processes alive: starts them, restarts what dies, and ends them all together."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import click

_STOP_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
_WATCHED: Final = _STOP_SIGNALS | {signal.SIGCHLD}
_STABLE_SECONDS: Final = 30.0
_FIRST_DELAY_SECONDS: Final = 0.5
_LONGEST_DELAY_SECONDS: Final = 30.0
_GRACE_SECONDS: Final = 20.0
_TICK_SECONDS: Final = 0.1
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def restart_delay(deaths: int) -> float:
    """Say how long to wait before the next start, in seconds.

    Args:
        deaths: How often the process died in a row without having been stable; at least 1.

    Returns:
        0 after the first death, then 0.5, 1, 2, … up to 30.
    """
    if deaths <= 1:
        return 0.0
    return min(_FIRST_DELAY_SECONDS * 2.0 ** min(deaths - 2, 10), _LONGEST_DELAY_SECONDS)


def die_with_parent() -> None:
    """Let the kernel kill this process with SIGKILL when the one that started it ends, however that happens."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass
class Child:
    """One process to keep alive, with all that it starts itself."""

    name: str
    command: list[str]
    environment: dict[str, str]
    deaths: int = 0
    due_at: float = 0.0
    "Monotonic time of the next start, while it is not running."
    started_at: float = 0.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it in a process group of its own; it dies with the supervisor, however that ends."""
        self.process = subprocess.Popen(  # noqa: S603 (the command is ours)
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=_prepare_child,
        )
        self.started_at = time.monotonic()

    def reap(self) -> int | None:
        """Notice its death and set the time of the next start.

        Returns:
            The exit code (negative: the signal that ended it), or None while it lives or is known to be dead.
        """
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.signal_group(signal.SIGKILL)  # what it left behind would hold its port or its work
        now = time.monotonic()
        self.deaths = 1 if now - self.started_at >= _STABLE_SECONDS else self.deaths + 1
        self.due_at = now + restart_delay(self.deaths)
        self.process = None
        return code

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to it and to all that it started."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


def supervise(children: Iterable[Child], *, on_tick: Callable[[], None] = lambda: None) -> None:
    """Keep the children alive until SIGTERM or SIGINT, then end them: politely first, for good after 20 s.

    Must run in the main thread of a process without other threads.

    Args:
        children: What to keep alive.
        on_tick: Called about ten times a second and after every signal; must be quick.
    """
    kept = list(children)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    try:
        while not _stop_requested(_TICK_SECONDS):
            for child in kept:
                _keep_alive(child)
            on_tick()
    finally:
        _end(kept)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _keep_alive(child: Child) -> None:
    if (code := child.reap()) is not None:
        wait = child.due_at - time.monotonic()
        again = f"again in {wait:.1f} s" if wait > 0 else "again now"
        click.echo(f"{child.name} ended ({_in_words(code)}); starting it {again}", err=True)
    if child.process is None and time.monotonic() >= child.due_at:
        child.start()


def _end(children: list[Child]) -> None:
    for child in children:
        child.signal_group(signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while any(child.process is not None for child in children) and time.monotonic() < deadline:
        for child in children:
            child.reap()
        if _stop_requested(_TICK_SECONDS / 4):
            break
    for child in children:
        child.signal_group(signal.SIGKILL)
        if child.process is not None:
            child.process.wait()


def _stop_requested(seconds: float) -> bool:
    received = signal.sigtimedwait(_WATCHED, seconds)
    return received is not None and received.si_signo in _STOP_SIGNALS


def _prepare_child() -> None:
    die_with_parent()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)


def _in_words(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
