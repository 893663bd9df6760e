"""The one way out over HTTP: a client that never connects where it should not, whatever a name or a redirect says.

The check happens where the connection is made. A name is resolved once, every address of it has to be allowed, and the
address that was checked is the one that is dialled; neither a second answer of the name server nor a redirect gets
round it.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Iterable
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore
import httpx

from canvas.actions.failures import ActionFailed
from canvas.domain.errors import Invalid
from canvas.settings import Settings

MAX_REDIRECTS = 5
CONNECT_SECONDS = 10.0
MAX_CONNECTIONS = 200
Address = IPv4Address | IPv6Address
_NAT64 = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")


class AddressRefused(ActionFailed):
    """The address is private, and no setting allows it."""

    code = "address_refused"


def guarded_client(settings: Settings, *, also: Iterable[str] = ()) -> httpx.AsyncClient:
    """Make the client that actions use; it belongs to the event loop that first uses it, which also has to close it.

    Args:
        also: Origins that may be reached wherever they lead, besides those of the settings.

    Raises:
        Invalid: a setting that lists networks or origins, or names a file of certificates, cannot be read.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log whole addresses, tokens in queries included
    transport = httpx.AsyncHTTPTransport(trust_env=False)
    # httpx has no public way to hand a network backend to its pool; a test fails if this attribute ever moves
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=_trust(settings.http_ca_file),
        max_connections=MAX_CONNECTIONS,
        network_backend=GuardedBackend(Allowed(settings, also)),
    )
    return httpx.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        timeout=CONNECT_SECONDS,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # those of one run are no business of the next
    )


class Allowed:
    """What the settings let out."""

    def __init__(self, settings: Settings, also: Iterable[str] = ()) -> None:
        self._everything = settings.http_allow_private
        try:
            self._networks = [ip_network(text, strict=False) for text in _listed(settings.http_allowed_networks)]
            self._origins = {_origin(text) for text in [*_listed(settings.http_allowed_origins), *also]}
        except ValueError as error:
            raise Invalid(f"An allow-list of the HTTP guard cannot be read: {error}.") from error

    def origin(self, host: str, port: int) -> bool:
        """Tell whether this host and port are allowed wherever they lead."""
        return self._everything or (host.lower(), port) in self._origins

    def address(self, address: Address) -> bool:
        """Tell whether an address is public, or private and allowed."""
        return is_public(address) or any(address in network for network in self._networks)


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to the open internet; IPv4 wrapped in IPv6 counts as what it wraps."""
    if isinstance(address, IPv6Address):
        if address.teredo is not None or address in _NAT64_LOCAL:
            return False
        wrapped = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            wrapped = IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(wrapped)
    return address.is_global and not address.is_multicast and not address.is_reserved


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name once, checks every address, and connects to the literal address it checked."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host's first address that answers.

        Raises:
            AddressRefused: one of its addresses is not allowed; nothing was connected to.
        """
        addresses = await _resolve(host, port)
        if not self._allowed.origin(host, port) and not all(map(self._allowed.address, addresses)):
            raise AddressRefused(
                f"{host}:{port} leads to a private address. To allow it, set CANVAS_HTTP_ALLOWED_ORIGINS={host}:{port}."
            )
        failure: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: sockets of this machine are no address of the internet."""
        raise AddressRefused(f"{path} is a socket of this machine.")

    async def sleep(self, seconds: float) -> None:
        """Pause, for the pool's own retries."""
        await asyncio.sleep(seconds)


@cache
def _trust(ca_file: str) -> ssl.SSLContext:
    """Read the trusted certificates once: that takes longer than most requests."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise Invalid(f"CANVAS_HTTP_CA_FILE: {ca_file} holds no certificates that can be read: {error}.") from error
    return context


async def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} cannot be resolved") from error
    return list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _origin(text: str) -> tuple[str, int]:
    url = httpx.URL(text if "://" in text else f"http://{text}")
    if not url.host:
        raise ValueError(f"{text!r} names no host")
    return url.host.lower(), url.port or (443 if url.scheme == "https" else 80)
