"""What merchants granted the Stripe App: codes, access tokens that end after an hour, and refresh tokens good for one
use. docs.stripe.com/stripe-apps/api-authentication/oauth
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Literal, NamedTuple

from payflux.sandbox.errors import OAuthError, StripeError, masked
from payflux.sandbox.merchants.archetypes import APP
from payflux.sandbox.store import Json, Store

if TYPE_CHECKING:
    from payflux.sandbox.work import Work

APP_CLIENT_ID = "ca_sandbox_app"
APP_SECRET_KEY = "sk_test_sandbox_app"  # noqa: S105 - a made-up key that opens nothing outside of the sandbox
APP_PERMISSIONS = frozenset(
    f"rak_{name}"
    for name in (
        "balance_read",
        "balance_transaction_source_read",
        "charge_read",
        "dispute_read",
        "event_read",
        "payment_intent_read",
        "payout_read",
        "review_read",
    )
)
"""What the app's manifest asks for. No app may read the account itself."""

CODE_LIFETIME, ACCESS_LIFETIME, REFRESH_LIFETIME = 300, 3_600, 365 * 86_400  # seconds of the sandbox's time
ACCESS_PREFIX = "sk_test_app_"
_TYPE = "_app_grant"
_Kind = Literal["code", "access", "refresh"]


class Tokens(NamedTuple):
    access: str
    refresh: str


def issue_code(store: Store, account_id: str, now: int) -> str:
    """A one-time code for an account whose owner installs the app."""
    return _grant(store, "code", f"ac_{secrets.token_hex(16)}", account_id, now, CODE_LIFETIME)


def redeem_code(store: Store, code: str, now: int) -> str:
    """The account that installed the app; its first tokens are to be issued. Raises `invalid_grant`.

    A second use uninstalls the app again: it means that somebody else holds the code.
    """
    found = _find(store, "code", code)
    if found is None or (found["until"] <= now and not found["used"]):
        raise OAuthError("invalid_grant", f"Authorization code does not exist: {masked(code)}")
    if found["used"]:
        raise CodeReused(found["account"])
    store.put(APP.account_id, found | {"used": True})
    return found["account"]


class CodeReused(Exception):
    """A code was sent a second time. `account_id` is whose it was."""

    def __init__(self, account_id: str) -> None:
        super().__init__("This authorization code has already been used.")
        self.account_id = account_id


def use_refresh_token(store: Store, token: str, now: int) -> str:
    """The account behind a refresh token, which is used up by it. Raises `invalid_grant`."""
    found = _find(store, "refresh", token)
    if found is None or found["until"] <= now:
        raise OAuthError("invalid_grant", f"Refresh token does not exist: {masked(token)}")
    store.delete(APP.account_id, token)
    return found["account"]


def issue_tokens(store: Store, account_id: str, now: int) -> Tokens:
    """A new access token beside those that still run, and the next refresh token."""
    for past in store.find(APP.account_id, _TYPE, {"account": account_id}):
        if past["until"] + ACCESS_LIFETIME <= now:
            store.delete(APP.account_id, past["id"])
    return Tokens(
        _grant(store, "access", f"{ACCESS_PREFIX}{secrets.token_hex(16)}", account_id, now, ACCESS_LIFETIME),
        _grant(store, "refresh", f"rt_app_{secrets.token_hex(16)}", account_id, now, REFRESH_LIFETIME),
    )


def account_of(store: Store, access_token: str, now: int) -> str | None:
    """The account that an access token reads; None for an unknown one. Raises a 401 StripeError for one that ended."""
    found = _find(store, "access", access_token)
    if found is None:
        return None
    if found["until"] <= now:
        raise StripeError(401, f"Expired API Key provided: {masked(access_token)}", code="api_key_expired")
    return found["account"]


def installed(store: Store) -> set[str]:
    """The accounts that have the app."""
    return {found["account"] for found in store.find(APP.account_id, _TYPE, {"kind": "refresh"})}


def uninstall(work: Work) -> Json | None:
    """End all that an account granted, and tell the app, which is answered; None where the account does not have it."""
    if work.account_id not in installed(work.store):
        return None
    for found in work.store.find(APP.account_id, _TYPE, {"account": work.account_id}):
        if not found["used"]:  # a used code is kept, to know it when it is sent again
            work.store.delete(APP.account_id, found["id"])
    return tell(work, "account.application.deauthorized")


def tell(work: Work, event: str) -> Json:
    """Tell the app, which is answered, that an account installed or uninstalled it."""
    application = {"id": APP_CLIENT_ID, "object": "application", "name": APP.business}
    work.tell(event, application)
    return application


def _grant(store: Store, kind: _Kind, token: str, account_id: str, now: int, lifetime: int) -> str:
    about: Json = {"id": token, "object": _TYPE, "created": now, "kind": kind}
    store.put(APP.account_id, about | {"account": account_id, "until": now + lifetime, "used": False})
    return token


def _find(store: Store, kind: _Kind, token: str) -> Json | None:
    found = store.get(APP.account_id, token)
    return found if found is not None and found["object"] == _TYPE and found["kind"] == kind else None
