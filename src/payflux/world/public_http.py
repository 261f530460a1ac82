"""Ask addresses that customers name, such as their identity provider's: in production those of the public internet
alone, over TLS, each at an address that was checked. No redirect is followed, and only so much is read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

from payflux.settings import Settings
from payflux.world.addresses import HostUnknown, NotPublic, checked_address, pinned

LARGEST = 1_000_000
"""Bytes of an answer that are read."""
_PATIENCE = 20.0
"""Seconds that asking takes at most, however slowly the answer comes."""


class PublicHttp:
    """`http`, for addresses that others name. What may not be reached looks as if it did not answer."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._pinned, self._http = settings.environment == "production", http

    async def get(self, url: str, *, timeout: httpx.Timeout) -> httpx.Response:  # noqa: ASYNC109 -- httpx's own word
        """Raises httpx.TransportError."""
        return await self._ask("GET", url, None, {}, timeout)

    async def post(
        self,
        url: str,
        *,
        data: Mapping[str, str],
        headers: Mapping[str, str],
        timeout: httpx.Timeout,  # noqa: ASYNC109
    ) -> httpx.Response:
        """Raises httpx.TransportError."""
        return await self._ask("POST", url, data, headers, timeout)

    async def _ask(
        self, method: str, url: str, data: Mapping[str, str] | None, headers: Mapping[str, str], patience: httpx.Timeout
    ) -> httpx.Response:
        target, own_name, extensions = await self._target(url)
        request = self._http.build_request(
            method, target, data=data, headers={**headers, **own_name}, timeout=patience, extensions=extensions
        )
        body = bytearray()
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await self._http.send(request, stream=True, follow_redirects=False)
                try:
                    async for piece in answer.aiter_bytes():
                        body += piece
                        if len(body) > LARGEST:
                            raise httpx.ReadError("the answer is too large")
                finally:
                    await answer.aclose()
        except TimeoutError:
            raise httpx.ReadTimeout("the answer comes too slowly") from None
        except httpx.DecodingError:
            raise httpx.ReadError("the answer cannot be unpacked") from None
        return httpx.Response(answer.status_code, content=bytes(body), request=request)

    async def _target(self, url: str) -> tuple[httpx.URL, dict[str, str], dict[str, str]]:
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL:
            raise httpx.UnsupportedProtocol("this is no address") from None
        if not self._pinned:
            return target, {}, {}
        if target.scheme != "https" or target.userinfo:
            raise httpx.UnsupportedProtocol("only https is asked")
        try:
            return pinned(target, await checked_address(target.host))
        except (HostUnknown, NotPublic):
            raise httpx.ConnectError("the host is not of the public internet") from None
