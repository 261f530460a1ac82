"""Post to addresses that customers name: their own endpoints, Slack, PagerDuty. Nothing inside is ever reached.

In production the connection is made to a public address that was checked (:mod:`payflux.world.addresses`). No redirect
is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from payflux.kit.errors import InvalidInput
from payflux.kit.messages import mark
from payflux.settings import Settings
from payflux.world.addresses import HostUnknown, NotPublic, checked_address, is_address, is_public, pinned
from payflux.world.addresses import look_up as _look_up

_TIMEOUT = httpx.Timeout(15.0, connect=5.0)
_PATIENCE = 30.0
"""Seconds that a post takes at most, however slowly its answer comes."""
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
    elif settings.environment == "production" and is_address(parsed.host) and not is_public(parsed.host):
        wrong = "This address is of a private network, where we do not post to."
    if wrong:
        raise InvalidInput({field: wrong})
    return str(parsed)


async def check_address(settings: Settings, url: httpx.URL) -> None:
    """Raises PostFailure where the host of `url` is not known, AddressRefused where it is not public; in production,
    as elsewhere a service may be played by this machine."""
    if settings.environment == "production":
        await _checked_address(url)


async def post(
    settings: Settings, http: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]
) -> Answer:
    """Post `body` to `url`, once. Raises PostFailure where no answer comes, AddressRefused where none is asked for."""
    target = httpx.URL(url)
    # a connection is made for one host: another one at the same address has not been checked on it
    sent, extensions = {**headers, "Host": target.netloc.decode("ascii"), "Connection": "close"}, {}
    if settings.environment == "production":
        target, own_name, extensions = pinned(target, await _checked_address(target))
        sent |= own_name
    request = http.build_request("POST", target, content=body, headers=sent, timeout=_TIMEOUT, extensions=extensions)
    try:
        async with asyncio.timeout(_PATIENCE):
            answer = await http.send(request, stream=True, follow_redirects=False)
            try:
                words = await _beginning(answer)
            finally:
                await answer.aclose()
    except (TimeoutError, httpx.TimeoutException):
        raise PostFailure(mark("It did not answer in time.")) from None
    except httpx.HTTPError as error:
        raise PostFailure(f"It could not be reached ({type(error).__name__}).") from None
    return Answer(answer.status_code, words, _seconds(answer.headers.get("retry-after", "")))


async def _checked_address(url: httpx.URL) -> str:
    """One address of the host of `url`, all of which are public."""
    try:
        address = await checked_address(url.host, _look_up)
    except HostUnknown:
        raise PostFailure(mark("Its host name is not known.")) from None
    except NotPublic:
        address = ""
    if url.scheme != "https" or not address:
        raise AddressRefused("Its address is of a private network, where we do not post to.")
    return address


async def _beginning(answer: httpx.Response) -> str:
    read = b""
    async for piece in answer.aiter_raw():
        read += piece
        if len(read) >= _KEPT:
            break
    return "".join(letter for letter in read[:_KEPT].decode(errors="replace") if letter.isprintable())


def _seconds(header: str) -> float | None:
    return float(header) if header.isascii() and header.isdigit() and len(header) < 7 else None
