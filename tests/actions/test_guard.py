"""The guard of outgoing HTTP: no name, number or redirect leads to a private address that no setting allows."""

import asyncio
import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.actions.failures import ActionFailed
from canvas.actions.guard import AddressRefused, guarded_client, is_public
from canvas.actions.registry import registry
from canvas.domain.errors import Invalid
from canvas.settings import Settings

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "2002:7f00:1::", "2001:0:1::1", "2001:db8::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


async def get(context, url):
    return await registry()["http/request"].call({"url": url, "timeout_seconds": 5}, context)


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_are_told(text):
    """Every reserved range counts as private, also when wrapped in IPv6."""
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_told(text):
    """The open internet is reachable, whatever the notation."""
    assert is_public(ip_address(text))


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_changes_nothing(address):
    """An IPv4 address is as public as its IPv6 forms."""
    assert is_public(address) == is_public(ip_address(f"::ffff:{address}"))
    assert is_public(address) == is_public(ip_address(int(ip_address("64:ff9b::")) | int(address)))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
async def test_loopback_is_refused_however_it_is_written(make_context, server, host):
    """Nothing is connected to: an open and a closed port look alike from within a workflow."""
    with pytest.raises(ActionFailed) as caught:
        await get(make_context(), f"http://{host}:{server.server_port}/echo")

    assert [] == server.arrived
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "settings", [{"http_allow_private": True}, {"http_allowed_networks": "10.0.0.0/8, 127.0.0.0/8"}]
)
async def test_settings_open_the_way(make_context, server, settings):
    """All private addresses, or those of some networks, can be allowed."""
    assert 200 == (await get(make_context(**settings), f"{server.url}/echo"))["status"]


async def test_an_allowed_origin_is_one_port_of_one_host(make_context, server):
    """Allowing the demo service allows nothing beside it."""
    context = make_context(http_allowed_origins=f"http://127.0.0.1:{server.server_port}")

    assert 200 == (await get(context, f"{server.url}/echo"))["status"]
    with pytest.raises(AddressRefused):
        await get(context, "http://127.0.0.1:1/")


async def test_a_redirect_is_checked_like_any_address(make_context, server):
    """An allowed service cannot send the client on to a private address."""
    context = make_context(http_allowed_origins=f"127.0.0.1:{server.server_port}")
    with pytest.raises(AddressRefused):
        await get(context, f"{server.url}/redirect?to=http://localhost:{server.server_port}/echo")

    assert 1 == len(server.arrived)


async def test_one_private_address_among_public_ones_is_enough(make_context, server, monkeypatch):
    """A name that leads to several addresses is refused when any of them is private."""
    resolve_to(monkeypatch, ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(AddressRefused):
        await get(make_context(), f"http://two.example:{server.server_port}/echo")


async def test_the_address_that_was_checked_is_the_one_dialled(make_context, server, monkeypatch):
    """A name server that changes its answer between check and connection gains nothing: it is asked once."""
    asked = resolve_to(monkeypatch, ["127.0.0.1"])
    context = make_context(http_allowed_networks="127.0.0.1/32")

    assert 200 == (await get(context, f"http://rebinding.example:{server.server_port}/echo"))["status"]
    assert ["rebinding.example"] == asked


async def test_proxies_of_the_environment_are_ignored(make_context, server, monkeypatch):
    """A proxy would make the connection in our place, unguarded."""
    monkeypatch.setenv("HTTP_PROXY", server.url)
    with pytest.raises(AddressRefused):
        await get(make_context(), "http://10.0.0.1/")

    assert [] == server.arrived


@pytest.mark.parametrize("settings", [{"http_allowed_networks": "10.0.0.0/33"}, {"http_allowed_origins": "http://"}])
def test_an_allow_list_that_cannot_be_read_stops_the_start(settings):
    """A typing error in a setting is told at once, not at the first request."""
    with pytest.raises(Invalid, match="allow-list"):
        guarded_client(Settings(**settings))


def resolve_to(monkeypatch, addresses: list[str]) -> list[str]:
    """Let every name lead to these addresses; gives the names asked for."""
    asked: list[str] = []

    async def getaddrinfo(_loop, host, port, **_):
        if not host.replace(".", "").isdigit():
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return asked
