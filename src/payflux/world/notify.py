"""Post to addresses that customers name: their own endpoints, Slack, PagerDuty. Nothing inside is ever reached.

In production a host is looked up, every address it has is checked, and the connection is made to the one that was
checked, under the host's own name: a name that changes its address between check and connection leads nowhere. No
redirect is followed. Source: OWASP, Server-Side Request Forgery Prevention Cheat Sheet; RFC 6890 lists what is not
global.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpx

from payflux.kit.errors import InvalidInput
from payflux.settings import Settings

_TIMEOUT = httpx.Timeout(15.0, connect=5.0)
_LONGEST_URL = 2000
_KEPT = 500
"""Bytes of an answer that are read."""


class PostFailure(Exception):
    """What was posted did not arrive; the message is fit for the customer and holds no secret."""


class AddressRefused(PostFailure):
    """The address leads into a network of ours, or nowhere that may be posted to."""


@dataclass(frozen=True)
class Answer:
    """What the other side says: its HTTP status, the beginning of its words, and how many seconds it asks to wait."""

    status: int
    words: str
    retry_after: float | None

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


def check_url(settings: Settings, url: str, *, field: str) -> str:
    """`url` as it may be posted to. Raises InvalidInput on `field`; whether its host is public is seen when it is."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    wrong = ""
    if parsed.scheme not in ("https", "http") or not parsed.host or len(url) > _LONGEST_URL:
        wrong = "This is not an address that can be posted to. Write it like https://example.com/payflux."
    elif parsed.userinfo:
        wrong = "Leave the name and the password out of the address; what we post is signed."
    elif settings.environment == "production" and parsed.scheme != "https":
        wrong = "Use an https:// address, so that nobody reads what is posted on its way."
    elif settings.environment == "production" and _is_address(parsed.host) and not is_public(parsed.host):
        wrong = "This address is of a private network, where we do not post to."
    if wrong:
        raise InvalidInput({field: wrong})
    return str(parsed)


def is_public(address: str) -> bool:
    """Whether an IP `address` is one of the public internet, also inside an address of IPv6 that stands for IPv4."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None) or _nat64(found)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast and not found.is_reserved


async def post(
    settings: Settings, http: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]
) -> Answer:
    """Post `body` to `url`, once. Raises PostFailure where no answer comes, AddressRefused where none is asked for."""
    target = httpx.URL(url)
    # a connection is made for one host: another one at the same address has not been checked on it
    sent, extensions = {**headers, "Host": target.netloc.decode("ascii"), "Connection": "close"}, {}
    if settings.environment == "production":
        address = await _checked_address(target)
        extensions = {"sni_hostname": target.host}
        target = target.copy_with(host=address)
    request = http.build_request("POST", target, content=body, headers=sent, timeout=_TIMEOUT, extensions=extensions)
    try:
        answer = await http.send(request, stream=True, follow_redirects=False)
        try:
            words = await _beginning(answer)
        finally:
            await answer.aclose()
    except httpx.TimeoutException:
        raise PostFailure("It did not answer in time.") from None
    except httpx.HTTPError as error:
        raise PostFailure(f"It could not be reached ({type(error).__name__}).") from None
    return Answer(answer.status_code, words, _seconds(answer.headers.get("retry-after", "")))


async def _checked_address(url: httpx.URL) -> str:
    """One address of the host of `url`, all of which are public."""
    try:
        found = await _look_up(url.host)
    except OSError:
        raise PostFailure("Its host name is not known.") from None
    addresses = [str(entry[4][0]) for entry in found]
    if url.scheme != "https" or not addresses or not all(map(is_public, addresses)):
        raise AddressRefused("Its address is of a private network, where we do not post to.")
    return addresses[0]


async def _look_up(host: str) -> list[tuple]:
    return await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)


async def _beginning(answer: httpx.Response) -> str:
    read = b""
    async for piece in answer.aiter_raw():
        read += piece
        if len(read) >= _KEPT:
            break
    return "".join(letter for letter in read[:_KEPT].decode(errors="replace") if letter.isprintable())


def _seconds(header: str) -> float | None:
    return float(header) if header.isascii() and header.isdigit() and len(header) < 7 else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _nat64(address: IPv6Address) -> IPv4Address | None:
    """The address of IPv4 inside one of 64:ff9b::/96, RFC 6052."""
    return IPv4Address(int(address) & 0xFFFFFFFF) if int(address) >> 32 == 0x0064FF9B << 64 else None
