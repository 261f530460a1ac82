"""Stripe Connect's OAuth, where the platform's key acts on the connected account from then on.

Facts: docs.stripe.com/connect/oauth-reference. No exception of this module holds a key, a code or a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

import httpx
import msgspec

from payflux.settings import Settings
from payflux.world.stripe.errors import CodeRefused, KeyRefused, ProcessorUnavailable, RequestRefused
from payflux.world.stripe.reader import TIMEOUT


@dataclass(frozen=True)
class Authorization:
    """What an OAuth code was exchanged for. No token is kept: the platform's key and the account id replace it."""

    stripe_account: str
    livemode: bool
    scope: str


class _OAuthError(msgspec.Struct):
    error: str = ""


class _Token(msgspec.Struct):
    stripe_user_id: str
    livemode: bool
    scope: str = ""


class ConnectOAuth:
    """Stripe Connect's OAuth for the platform that the settings name."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._settings, self._http = settings, http

    @property
    def livemode(self) -> bool:
        """Whether the platform's own key is a live one."""
        return "_live_" in self._settings.stripe_secret_key.get_secret_value()[:9]

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
        if oauth_error(response) == "invalid_grant":
            raise CodeRefused("the authorization code is unknown, expired or already used")
        raise KeyRefused(f"Stripe refused the platform's key or client id ({oauth_error(response)})")

    async def deauthorize(self, stripe_account: str) -> None:
        """Give up access to `stripe_account`; an account that is not connected is left alone.

        Raises ProcessorUnavailable.
        """
        fields = {"client_id": self._settings.stripe_client_id, "stripe_user_id": stripe_account}
        response = await self._oauth("deauthorize", fields)
        if not response.is_success and oauth_error(response) != "invalid_client":
            raise RequestRefused(f"Stripe did not deauthorize the account ({oauth_error(response)})")

    async def _oauth(self, verb: str, fields: dict[str, str]) -> httpx.Response:
        key = self._settings.stripe_secret_key.get_secret_value()
        return await post_form(
            self._http,
            f"{self._settings.stripe_connect_base}/oauth/{verb}",
            fields,
            headers={"Authorization": f"Bearer {key}"},
        )


async def post_form(
    http: httpx.AsyncClient, url: str, fields: dict[str, str], *, headers: dict[str, str]
) -> httpx.Response:
    """Stripe's answer to one request, which is not tried again. Raises ProcessorUnavailable."""
    try:
        response = await http.post(url, data=fields, headers=headers, timeout=TIMEOUT)
    except httpx.TransportError as error:
        raise ProcessorUnavailable(f"Stripe's OAuth service does not answer ({type(error).__name__})") from None
    if response.is_server_error or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise ProcessorUnavailable(f"Stripe's OAuth service fails (status {response.status_code})")
    return response


def oauth_error(response: httpx.Response) -> str:
    """The name of the OAuth error that an answer carries."""
    try:
        return msgspec.json.decode(response.content, type=_OAuthError).error
    except msgspec.DecodeError:
        return f"status {response.status_code}"
