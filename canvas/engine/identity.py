"""Who a process is, so that a later one on the same host can tell at once that it is gone."""

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CLOCK_SLACK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Identity:
    """A process: its host, the host's boot, its number and when it started."""

    host: str
    boot_id: str
    pid: int
    process_started: float
    "Seconds since the epoch."


@cache
def boot_id() -> str:
    """Name the current boot of this host."""
    if _BOOT_ID.exists():
        return _BOOT_ID.read_text().strip()
    return str(int(psutil.boot_time()))


def this_process() -> Identity:
    """Describe this process."""
    pid = os.getpid()
    return Identity(socket.gethostname(), boot_id(), pid, psutil.Process(pid).create_time())


def is_gone(other: Identity) -> bool | None:
    """Tell whether a process has ended; None when it lives on another host and cannot be asked."""
    if other.host != socket.gethostname():
        return None
    if other.boot_id != boot_id():
        return True
    try:
        process = psutil.Process(other.pid)
        started: float = process.create_time()
        is_dead = bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True
    return is_dead or abs(started - other.process_started) > _CLOCK_SLACK_SECONDS
