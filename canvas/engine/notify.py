"""The doorbell: a datagram on loopback that means "look at the database". It may be lost; everybody also polls."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlmodel import Session

from models import Worker
from models.columns import table_of

_RING = b"!"
_WORKER = table_of(Worker)
_LIVE_PORTS = sa.select(_WORKER.c.doorbell_port).where(
    _WORKER.c.doorbell_port.is_not(None), _WORKER.c.lease_until > sa.bindparam("now", type_=_WORKER.c.lease_until.type)
)


class Doorbell:
    """A bell of one's own: a socket that becomes readable when somebody rings. Close it when done."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]

    def fileno(self) -> int:
        """Give the descriptor to wait on."""
        return self.socket.fileno()

    def hush(self) -> None:
        """Take all rings that have come in; many count as one."""
        try:
            while self.socket.recv(64):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Give the socket back."""
        self.socket.close()


def ring(connection: sa.Connection | Session) -> None:
    """Ring every process that takes part. Call it after the commit, on a connection that only reads."""
    now = datetime.now(UTC)
    ports = connection.execute(_LIVE_PORTS, {"now": now}).scalars().all()
    ring_ports(port for port in ports if port is not None)


def ring_ports(ports: Iterable[int]) -> None:
    """Ring these bells; a port that nobody listens on is no error."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for port in ports:
            try:
                sender.sendto(_RING, ("127.0.0.1", port))
            except OSError:  # the bell is gone, or its buffer is full, which means it is ringing
                continue


def tell_ended(port: int, run_id: str) -> None:
    """Tell whoever waits on a port of this machine that a run has ended; that nobody does any more is no error."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, suppress(OSError):
        sender.setblocking(False)
        sender.sendto(run_id.encode(), ("127.0.0.1", port))
