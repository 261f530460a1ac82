"""Which hosts that others name may be reached: those of the public internet, at an address that was checked.

A name is looked up once, every address it has is checked, and the connection is made to one that was checked, under
the host's own name: a name that changes its address between check and connection leads nowhere. Source: OWASP,
Server-Side Request Forgery Prevention Cheat Sheet; RFC 6890 and IANA's registries list what is not global.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx

LookUp = Callable[[str], Awaitable[list[tuple]]]

_NEVER = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # the metadata service of Azure, which stands at a public address
            "192.0.0.0/24",  # protocol assignments, the metadata service of Oracle among them
            "192.88.99.0/24",  # relays to 6to4, RFC 7526
            "64:ff9b:1::/48",  # NAT64 for local use, RFC 8215
            "100::/16",  # discard-only, RFC 6666
            "2001::/32",  # Teredo, RFC 4380
            "2002::/16",  # 6to4, RFC 3056
            "3fff::/20",  # documentation, RFC 9637
            "5f00::/16",  # segment routing, RFC 9602
            "fec0::/10",  # site-local, RFC 3879
        ),
    )
)


class HostUnknown(Exception):
    """Nobody knows an address of the host."""


class NotPublic(Exception):
    """The host is, also, at an address that is not of the public internet."""


def is_public(address: str) -> bool:
    """Whether an IP `address` is one of the public internet, also where it stands for one of IPv4. A tunnel is none."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and (inner := found.ipv4_mapped or _nat64(found)):
        return is_public(str(inner))
    if any(found in network for network in _NEVER if network.version == found.version):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def is_address(host: str) -> bool:
    """Whether `host` is an IP address as it is usually written."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def look_up(host: str) -> list[tuple]:
    """The addresses of `host`, as :func:`socket.getaddrinfo` gives them. Raises OSError."""
    return await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)


async def checked_address(host: str, look_up: LookUp = look_up) -> str:
    """One address of `host`, all of which are public. Raises HostUnknown and NotPublic."""
    try:
        found = await look_up(host)
    except (OSError, UnicodeError):
        raise HostUnknown(host) from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(map(is_public, addresses)):
        raise NotPublic(host)
    return addresses[0]


def pinned(url: httpx.URL, address: str) -> tuple[httpx.URL, dict[str, str], dict[str, str]]:
    """`url` at `address`, with the headers and extensions by which its host is still asked, and proves itself, by its
    own name. The connection serves no other request: another host at the same address has not been checked on it."""
    headers = {"Host": url.netloc.decode("ascii"), "Connection": "close"}
    return url.copy_with(host=address), headers, {"sni_hostname": url.raw_host.decode("ascii")}


def _nat64(address: IPv6Address) -> IPv4Address | None:
    """The address of IPv4 inside one of 64:ff9b::/96, RFC 6052."""
    return IPv4Address(int(address) & 0xFFFFFFFF) if int(address) >> 32 == 0x0064FF9B << 64 else None
