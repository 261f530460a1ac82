"""Ask the domain name system for text records, over HTTPS: nobody on the way can answer in a domain's place.

Source: developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json; dns.google/resolve gives
the same. A text longer than 255 octets comes in several quoted pieces (RFC 1035, section 3.3.14).
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable
from typing import Protocol

import httpx
import msgspec

from payflux.world.limiter import Sleep

_TIMEOUT = httpx.Timeout(6.0, connect=3.0)
_ATTEMPTS = 3
_PAUSE = 0.3  # seconds, doubled with each attempt
_TXT = 16
_NO_SUCH_NAME = 3
_PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"')


class DnsUnavailable(Exception):
    """The resolver does not answer, or not as it should; later may help."""


class Dns(Protocol):
    """What a name's records say."""

    async def texts(self, name: str) -> list[str]:
        """The TXT records of `name`; empty where there are none, or no such name. Raises DnsUnavailable."""
        ...


class _Record(msgspec.Struct):
    type: int
    data: str = ""


class _Answer(msgspec.Struct):
    status: int = msgspec.field(name="Status")
    answers: list[_Record] = msgspec.field(name="Answer", default_factory=list)


class DnsOverHttps:
    """The resolver at `resolver`, an address that answers in JSON."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        resolver: str,
        *,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._http, self._resolver, self._sleep, self._jitter = http, resolver, sleep, jitter

    async def texts(self, name: str) -> list[str]:
        reason = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                await self._sleep(self._jitter() * _PAUSE * 2**attempt)
            try:
                response = await self._http.get(
                    self._resolver,
                    params={"name": name, "type": "TXT"},
                    headers={"Accept": "application/dns-json"},
                    timeout=_TIMEOUT,
                )
                answer = msgspec.json.decode(response.content, type=_Answer)
            except (httpx.TransportError, msgspec.DecodeError) as error:
                reason = type(error).__name__
                continue
            if answer.status == _NO_SUCH_NAME:
                return []
            if answer.status == 0:
                return [_text(record.data) for record in answer.answers if record.type == _TXT]
            reason = f"status {answer.status}"
        raise DnsUnavailable(f"the resolver does not answer ({reason})")


def _text(data: str) -> str:
    """A record's pieces as one text; Google's resolver sends one without quotes."""
    pieces = _PIECE.findall(data)
    return "".join(pieces).replace('\\"', '"') if pieces else data
