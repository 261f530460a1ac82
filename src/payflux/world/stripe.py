"""Stripe as the reader of a merchant's history sees it: Connect OAuth, and GET requests that survive a bad network.

Facts: docs.stripe.com/connect/oauth-reference, /rate-limits, /api/errors and /keys. No exception and no log line of
this module holds a key, a code or a token.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode

import httpx
import msgspec

from payflux.settings import STRIPE_API_VERSION, Settings
from payflux.world.limiter import AdaptiveLimiter, Sleep

Params = Mapping[str, str | int | Sequence[str]]

_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_ATTEMPTS = 6
_BACKOFF_BASE, _BACKOFF_CAP = 0.5, 8.0  # seconds


class StripeFailure(Exception):
    """Stripe did not do what was asked; the subclasses say why."""


class KeyRefused(StripeFailure):
    """401: the key is wrong, revoked or expired."""


class Disconnected(StripeFailure):
    """403 `account_invalid`: the merchant, or we, took the access away. Trying again does not help."""


class PermissionMissing(StripeFailure):
    """403: the key may not read this. `permission` is Stripe's name of what is missing; empty when it is not said."""

    def __init__(self, permission: str) -> None:
        super().__init__(f"the key lacks the permission {permission or 'for this resource'}")
        self.permission = permission


class CodeRefused(StripeFailure):
    """The OAuth code is unknown, expired or used; only a new authorization helps."""


class RequestRefused(StripeFailure):
    """Stripe understood the request and refuses it: a defect of ours, or an object that is gone."""


class ProcessorUnavailable(StripeFailure):
    """Stripe cannot be reached, fails, or keeps asking to slow down, after every retry."""


@dataclass(frozen=True)
class StripeAuth:
    """How to act: a restricted key on its own account, or the platform's key on a connected account."""

    key: str = field(repr=False)
    stripe_account: str | None = None

    @property
    def livemode(self) -> bool:
        return "_live_" in self.key[:9]


@dataclass(frozen=True)
class Authorization:
    """What an OAuth code was exchanged for. No token is kept: the platform's key and the account id replace it."""

    stripe_account: str
    livemode: bool
    scope: str


class _ApiError(msgspec.Struct):
    type: str = ""
    code: str = ""
    message: str = ""


class _ApiErrorBody(msgspec.Struct):
    error: _ApiError


class _OAuthError(msgspec.Struct):
    error: str = ""


class _Token(msgspec.Struct):
    stripe_user_id: str
    livemode: bool
    scope: str = ""


class StripeReader:
    """GET requests to one Stripe account, under one limiter."""

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
        self._http, self._base, self._limiter, self._sleep, self._jitter = http, base, limiter, sleep, jitter
        self._headers = {"Authorization": f"Bearer {auth.key}", "Stripe-Version": STRIPE_API_VERSION}
        if auth.stripe_account:
            self._headers["Stripe-Account"] = auth.stripe_account

    async def get(self, path: str, params: Params | None = None) -> bytes:
        """The JSON body of `path`, such as `/v1/charges`.

        Tries again, with full jitter, after a connection error, a 429 or a 5xx. Raises KeyRefused, Disconnected,
        PermissionMissing, RequestRefused or ProcessorUnavailable.
        """
        trouble = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                await self._sleep(self._jitter() * min(_BACKOFF_CAP, _BACKOFF_BASE * 2**attempt))
            await self._limiter.acquire()
            try:
                response = await self._http.get(
                    self._base + path,
                    params={**params} if params else None,
                    headers=self._headers,
                    timeout=_TIMEOUT,
                )
            except httpx.TransportError as error:
                trouble = type(error).__name__
                continue
            if response.is_success:
                self._limiter.succeeded()
                return response.content
            trouble = f"status {response.status_code}"
            if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                self._limiter.throttled()
            elif not response.is_server_error and response.headers.get("Stripe-Should-Retry") != "true":
                raise _refusal(response)
        raise ProcessorUnavailable(f"Stripe did not answer {path} after {_ATTEMPTS} attempts ({trouble})")


class StripeGateway:
    """Everything PayFlux asks of Stripe about the accounts of others."""

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

    @property
    def livemode(self) -> bool:
        """Whether the platform's own key is a live one."""
        return self.platform_auth("").livemode

    def platform_auth(self, stripe_account: str) -> StripeAuth:
        """The platform's key, acting on the connected account `stripe_account`."""
        return StripeAuth(self._settings.stripe_secret_key.get_secret_value(), stripe_account or None)

    def authorize_url(self, *, redirect_uri: str, state: str) -> str:
        """The page on which a merchant lets us read their account; `state` comes back to `redirect_uri` unchanged."""
        query = {
            "response_type": "code",
            "client_id": self._settings.stripe_client_id,
            "scope": self._settings.stripe_connect_scope,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self._settings.stripe_connect_base}/oauth/authorize?{urlencode(query)}"

    async def exchange_code(self, code: str) -> Authorization:
        """Exchange the code of the OAuth callback. Never tried again: a second exchange revokes the connection.

        Raises CodeRefused, KeyRefused or ProcessorUnavailable.
        """
        response = await self._oauth("token", {"grant_type": "authorization_code", "code": code})
        if response.is_success:
            token = msgspec.json.decode(response.content, type=_Token)
            return Authorization(token.stripe_user_id, token.livemode, token.scope)
        if _oauth_error(response) == "invalid_grant":
            raise CodeRefused("the authorization code is unknown, expired or already used")
        raise KeyRefused(f"Stripe refused the platform's key or client id ({_oauth_error(response)})")

    async def deauthorize(self, stripe_account: str) -> None:
        """Give up access to `stripe_account`; an account that is not connected is left alone.

        Raises ProcessorUnavailable.
        """
        fields = {"client_id": self._settings.stripe_client_id, "stripe_user_id": stripe_account}
        response = await self._oauth("deauthorize", fields)
        if not response.is_success and _oauth_error(response) != "invalid_client":
            raise RequestRefused(f"Stripe did not deauthorize the account ({_oauth_error(response)})")

    def reader(self, auth: StripeAuth) -> StripeReader:
        """A reader with its own limiter, at the rate the settings allow for live or test accounts."""
        rate = self._settings.stripe_live_rate if auth.livemode else self._settings.stripe_test_rate
        return StripeReader(
            auth,
            http=self._http,
            base=self._settings.stripe_api_base,
            limiter=AdaptiveLimiter(rate, monotonic=self._monotonic, sleep=self._sleep),
            sleep=self._sleep,
            jitter=self._jitter,
        )

    async def _oauth(self, verb: str, fields: dict[str, str]) -> httpx.Response:
        key = self._settings.stripe_secret_key.get_secret_value()
        try:
            response = await self._http.post(
                f"{self._settings.stripe_connect_base}/oauth/{verb}",
                data=fields,
                headers={"Authorization": f"Bearer {key}"},
                timeout=_TIMEOUT,
            )
        except httpx.TransportError as error:
            raise ProcessorUnavailable(f"Stripe's OAuth service does not answer ({type(error).__name__})") from None
        if response.is_server_error or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise ProcessorUnavailable(f"Stripe's OAuth service fails (status {response.status_code})")
        return response


def _oauth_error(response: httpx.Response) -> str:
    try:
        return msgspec.json.decode(response.content, type=_OAuthError).error
    except msgspec.DecodeError:
        return f"status {response.status_code}"


def _refusal(response: httpx.Response) -> StripeFailure:
    try:
        error = msgspec.json.decode(response.content, type=_ApiErrorBody).error
    except msgspec.DecodeError:
        error = _ApiError()
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        return KeyRefused("Stripe does not accept the key")
    if response.status_code == HTTPStatus.FORBIDDEN:
        if error.code == "account_invalid":
            return Disconnected("access to the account was taken away")
        named = re.search(r"'rak_(\w+)'", error.message)
        return PermissionMissing(named[1] if named else "")
    request = response.headers.get("Request-Id", "unknown")
    said = re.sub(r"\b(?:sk|rk|pk|whsec|ac)_\w+", "…", error.message)
    return RequestRefused(f"status {response.status_code} {error.code} (request {request}): {said}")
