"""The OAuth of a Stripe App, whose access tokens end after an hour and whose refresh tokens are good once.

Facts: docs.stripe.com/stripe-apps/api-authentication/oauth. No exception of this module holds a key, a code or a token.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import msgspec

from payflux.settings import Settings
from payflux.world.limiter import Sleep
from payflux.world.stripe.errors import CodeRefused, Disconnected, KeyRefused, ProcessorUnavailable, RequestRefused
from payflux.world.stripe.oauth import oauth_error, post_form

ACCESS_TOKEN_LIFETIME = timedelta(hours=1)
"""How long an access token is good for; Stripe's answer does not say."""

_ATTEMPTS = 3
_PAUSE = 1.0  # seconds, doubled with each attempt


class AppGrant(msgspec.Struct, frozen=True):
    """The tokens that an account gave the app; the refresh token is good for one use."""

    stripe_user_id: str
    livemode: bool
    access_token: str
    refresh_token: str

    def __repr__(self) -> str:
        return f"AppGrant(stripe_user_id={self.stripe_user_id!r}, livemode={self.livemode})"


class AppOAuth:
    """The OAuth of the Stripe App that the settings name."""

    def __init__(
        self,
        settings: Settings,
        http: httpx.AsyncClient,
        *,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._settings, self._http, self._sleep, self._jitter = settings, http, sleep, jitter

    @property
    def livemode(self) -> bool:
        """Whether the developer's own key is a live one."""
        return "_live_" in self._settings.stripe_app_secret_key.get_secret_value()[:9]

    def authorize_url(self, *, redirect_uri: str, state: str) -> str:
        """The page on which a merchant installs the app; `state` comes back to `redirect_uri` unchanged."""
        query = {"client_id": self._settings.stripe_app_client_id, "redirect_uri": redirect_uri, "state": state}
        return f"{self._settings.stripe_app_authorize_url}?{urlencode(query)}"

    async def exchange_code(self, code: str) -> AppGrant:
        """Exchange the code of the callback, once. Raises CodeRefused, KeyRefused or ProcessorUnavailable."""
        response = await self._post("token", {"grant_type": "authorization_code", "code": code})
        if response.is_success:
            return msgspec.json.decode(response.content, type=AppGrant)
        if oauth_error(response) == "invalid_grant":
            raise CodeRefused("the authorization code is unknown, expired or already used")
        raise KeyRefused(f"Stripe refused the app's key ({oauth_error(response)})")

    async def refresh(self, refresh_token: str) -> AppGrant:
        """New tokens for `refresh_token`, which is used up by it.

        An answer that was lost is asked for again under the same idempotency key. Raises Disconnected when Stripe does
        not know the token any more, KeyRefused when it is the app's own key that is wrong, or ProcessorUnavailable.
        """
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        intent = hashlib.sha256(refresh_token.encode()).hexdigest()
        for attempt in range(_ATTEMPTS):
            try:
                response = await self._post("token", fields, idempotency_key=f"refresh-{intent}")
                break
            except ProcessorUnavailable:
                if attempt == _ATTEMPTS - 1:
                    raise
                await self._sleep(self._jitter() * _PAUSE * 2**attempt)
        if response.is_success:
            return msgspec.json.decode(response.content, type=AppGrant)
        refused = oauth_error(response)
        if refused == "invalid_grant":
            raise Disconnected("Stripe gives no new access token: the app was uninstalled, or unused for a year")
        raise KeyRefused(f"Stripe refused the app's own key ({refused})")

    async def deauthorize(self, stripe_account: str) -> None:
        """Uninstall the app; an account that has it no more is left alone. Raises RequestRefused or
        ProcessorUnavailable."""
        fields = {"client_id": self._settings.stripe_app_client_id, "stripe_user_id": stripe_account}
        response = await self._post("deauthorize", fields)
        if not response.is_success and oauth_error(response) not in ("invalid_client", "invalid_grant"):
            raise RequestRefused(f"Stripe did not uninstall the app ({oauth_error(response)})")

    async def _post(self, verb: str, fields: dict[str, str], *, idempotency_key: str = "") -> httpx.Response:
        key = self._settings.stripe_app_secret_key.get_secret_value()
        headers = {"Authorization": f"Basic {b64encode(f'{key}:'.encode()).decode()}"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        return await post_form(self._http, f"{self._settings.stripe_api_base}/v1/oauth/{verb}", fields, headers=headers)
