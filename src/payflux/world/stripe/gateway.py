"""The way to each account at Stripe: the credentials, the address and the rate."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import httpx

from payflux.settings import Settings
from payflux.world.limiter import AdaptiveLimiter, Sleep
from payflux.world.stripe.auth import StripeAuth
from payflux.world.stripe.reader import StripeReader


class StripeGateway:
    """Reads the accounts of others at Stripe."""

    def __init__(
        self,
        settings: Settings,
        http: httpx.AsyncClient,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._settings, self._http = settings, http
        self._monotonic, self._sleep, self._jitter = monotonic, sleep, jitter

    def platform_auth(self, stripe_account: str) -> StripeAuth:
        """The platform's key, acting on the connected account `stripe_account`."""
        return StripeAuth(self._settings.stripe_secret_key.get_secret_value(), stripe_account or None)

    def reader(self, auth: StripeAuth, *, share: float = 1.0) -> StripeReader:
        """A reader with its own limiter, at `share` of the rate the settings allow for live or test accounts."""
        rate = self._settings.stripe_live_rate if auth.livemode else self._settings.stripe_test_rate
        return StripeReader(
            auth,
            http=self._http,
            base=self._settings.stripe_api_base,
            limiter=AdaptiveLimiter(rate * share, monotonic=self._monotonic, sleep=self._sleep),
            sleep=self._sleep,
            jitter=self._jitter,
        )
