"""Requests to Stripe's API that survive a bad network. Facts: docs.stripe.com/rate-limits and /api/idempotent_requests.

No log line of this module holds a key or a token.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus

import httpx

from payflux.settings import STRIPE_API_VERSION
from payflux.world.limiter import AdaptiveLimiter, Sleep
from payflux.world.stripe.auth import StripeAuth
from payflux.world.stripe.errors import KeyRefused, ProcessorUnavailable, RequestRefused, error_code, refusal

Params = Mapping[str, str | int | Sequence[str]]

TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_FILES = "https://files.stripe.com/"
_ATTEMPTS = 6
_BACKOFF_BASE, _BACKOFF_CAP = 0.5, 8.0  # seconds


class StripeReader:
    """Requests to one Stripe account, under one limiter. What is posted serves the reading: an endpoint that events
    come to, a report.

    Each verb tries again, with full jitter, after a connection error, a 409 on a post, a 429 or a 5xx, and raises
    KeyRefused, Disconnected, PermissionMissing, RequestRefused or ProcessorUnavailable. Where the credentials can be
    renewed, a refused key is renewed once and the request made again.
    """

    def __init__(
        self,
        auth: StripeAuth,
        *,
        http: httpx.AsyncClient,
        base: str,
        limiter: AdaptiveLimiter,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._auth, self._renewing = auth, asyncio.Lock()
        self._http, self._base, self._limiter, self._sleep, self._jitter = http, base, limiter, sleep, jitter

    async def get(
        self,
        path: str,
        params: Params | None = None,
        *,
        version: str = STRIPE_API_VERSION,
        behind: float = math.inf,
    ) -> bytes:
        """The JSON body of `path`, such as `/v1/charges`, in Stripe's API `version`. Of the requests that wait for the
        rate limit, those leave first that the most requests are `behind`."""
        return await self._answer("GET", path, version, params={**params} if params else None, behind=behind)

    async def post(self, path: str, fields: Params, *, idempotency_key: str) -> bytes:
        """The JSON body of what was made at `path`; made once, however often the same key is used."""
        headers = {"Idempotency-Key": idempotency_key}
        return await self._answer("POST", path, STRIPE_API_VERSION, data={**fields}, headers=headers)

    async def lines(self, url: str) -> AsyncGenerator[str, None]:
        """The lines of a file of Stripe's at `url`, as they come in.

        A download that breaks off is not begun again: ProcessorUnavailable. Raises RequestRefused for an address
        elsewhere, which must not see the key.
        """
        if not url.startswith((f"{self._base}/", _FILES)):
            raise RequestRefused("a file that is not Stripe's is not fetched")
        await self._limiter.acquire()
        self._limiter.release()  # one long answer takes no other's place
        try:
            async with self._http.stream("GET", url, headers=self._headers(self._auth), timeout=TIMEOUT) as response:
                if response.is_server_error or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                    raise ProcessorUnavailable(f"Stripe did not give a file (status {response.status_code})")
                if not response.is_success:
                    await response.aread()
                    raise refusal(response)
                async for line in response.aiter_lines():
                    yield line
        except httpx.TransportError as error:
            raise ProcessorUnavailable(f"the download of a file broke off ({type(error).__name__})") from None

    async def delete(self, path: str) -> None:
        """Delete the object at `path`. Raises RequestRefused with status 404 when it is gone already."""
        await self._answer("DELETE", path, STRIPE_API_VERSION)

    @property
    def rate(self) -> float:
        """The most requests a second that are sent."""
        return self._limiter.ceiling

    def _give_way(self, response: httpx.Response) -> None:
        reason = response.headers.get("Stripe-Rate-Limited-Reason", "")
        if reason.endswith("-concurrency"):
            self._limiter.crowded()
        elif reason or error_code(response) != "lock_timeout":  # which says that one object is in use, no more
            self._limiter.throttled()

    @staticmethod
    def _headers(auth: StripeAuth, version: str = STRIPE_API_VERSION) -> dict[str, str]:
        account = {"Stripe-Account": auth.stripe_account} if auth.stripe_account else {}
        return {"Authorization": f"Bearer {auth.key}", "Stripe-Version": version, **account}

    async def _answer(
        self,
        method: str,
        path: str,
        version: str,
        *,
        params: Params | None = None,
        data: Params | None = None,
        headers: Mapping[str, str] | None = None,
        behind: float = math.inf,
    ) -> bytes:
        def send(auth: StripeAuth) -> Awaitable[bytes]:
            return self._send(auth, method, path, version, params=params, data=data, headers=headers, behind=behind)

        auth = self._auth
        try:
            return await send(auth)
        except KeyRefused:
            if auth.renew is None:
                raise
            renewed = await self._renewed(auth)
        return await send(renewed)

    async def _renewed(self, refused: StripeAuth) -> StripeAuth:
        async with self._renewing:
            if self._auth is refused and refused.renew is not None:
                self._auth = await refused.renew()
            return self._auth

    async def _send(
        self,
        auth: StripeAuth,
        method: str,
        path: str,
        version: str,
        *,
        params: Params | None,
        data: Params | None,
        headers: Mapping[str, str] | None,
        behind: float,
    ) -> bytes:
        sent = self._headers(auth, version) | dict(headers or {})
        trouble = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                await self._sleep(self._jitter() * min(_BACKOFF_CAP, _BACKOFF_BASE * 2**attempt))
            await self._limiter.acquire(behind)
            try:
                response = await self._http.request(
                    method, self._base + path, params=params, data=data, headers=sent, timeout=TIMEOUT
                )
            except httpx.TransportError as error:
                trouble = type(error).__name__
                continue
            finally:
                self._limiter.release()
            if response.is_success:
                self._limiter.succeeded()
                return response.content
            trouble = f"status {response.status_code}"
            if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                self._give_way(response)
            elif not _worth_another_try(method, response):
                raise refusal(response)
        raise ProcessorUnavailable(f"Stripe did not answer {path} after {_ATTEMPTS} attempts ({trouble})")


def _worth_another_try(method: str, response: httpx.Response) -> bool:
    in_use = method == "POST" and response.status_code == HTTPStatus.CONFLICT  # the same key is being worked on
    return in_use or response.is_server_error or response.headers.get("Stripe-Should-Retry") == "true"
