"""Keeps one command: runs it, ends all that it started when it ends, and ends everything when Canvas does.

Run as a program of its own, with nothing but the standard library: `keeper.py PARENT GRACE PROGRAM ARGUMENT…`. It
adopts every process the command leaves behind, however that detached itself, and ends as the command ended. SIGTERM, or
the death of PARENT, asks all of them to stop, and after GRACE seconds kills them.
"""

import ctypes
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_WATCHED = frozenset({signal.SIGCHLD, signal.SIGTERM})
_PAUSE_SECONDS = 0.02


def keep(parent: int, grace: float, command: list[str]) -> int:
    """Run the command until it and all that it started have ended; gives its wait status.

    Args:
        parent: The process whose death ends everything.
        grace: Seconds between asking to stop and killing.
        command: The program's absolute path and its arguments.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.getppid() != parent:  # it died before its death could be told
        return 0
    child = os.fork()
    if child == 0:
        _become(libc, command)
    _let_go_of_output()
    status = _wait(child, None)
    if status is None:
        status = _end_all(child, grace)
    _end_all(None, 0)
    return status


def _become(libc: ctypes.CDLL, command: list[str]) -> None:
    try:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and that would be inherited
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        os.execv(command[0], command)  # noqa: S606 (the allow-list names it)
    except OSError as error:
        os.write(2, f"{command[0]} cannot be started: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _let_go_of_output() -> None:
    """Leave the pipes to the command, so that they close when it does."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _wait(child: int, seconds: float | None) -> int | None:
    """Reap until the child has ended, a stop is asked for, or the time is up."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        while (reaped := _reap())[0]:
            if reaped[0] == child:
                return reaped[1]
        if deadline is None:
            if signal.sigwait(_WATCHED) == signal.SIGTERM:
                return None
        elif (left := deadline - time.monotonic()) <= 0:
            return None
        else:
            signal.sigtimedwait({signal.SIGCHLD}, left)


def _end_all(child: int | None, grace: float) -> int:
    """Ask every descendant to stop, kill what is left after the grace time, and give the child's status."""
    status = None
    if grace > 0:
        _signal_all(signal.SIGTERM)
        status = None if child is None else _wait(child, grace)
    while _signal_all(signal.SIGKILL):
        while (reaped := _reap())[0]:
            if reaped[0] == child:
                status = reaped[1]
        time.sleep(_PAUSE_SECONDS)
    return signal.SIGKILL if status is None else status


def _reap() -> tuple[int, int]:
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0, 0


def _signal_all(number: signal.Signals) -> int:
    """Send a signal to every descendant that is ours to signal; gives how many that were."""
    count = 0
    for pid in _descendants():
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
            count += 1
    return count


def _descendants() -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                if fields[0] not in "ZX":
                    parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, left = [], [os.getpid()]
    while left:
        below = parents.get(left.pop(), [])
        found += below
        left += below
    return found


def end_as(status: int) -> None:
    """End this process the way a wait status tells: with the same exit code, or by the same signal."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if not os.WIFSIGNALED(status) else 128 + os.WTERMSIG(status))


if __name__ == "__main__":
    end_as(keep(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
