"""Codes, good once, and the access tokens they were exchanged for, by the machine's time: what is signed with them
leaves the sandbox, and its reader has no other clock.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping

import msgspec

from payflux.sandbox.errors import OAuthError
from payflux.sandbox.store import Store

CODE_LIFETIME, TOKEN_LIFETIME = 600, 3_600  # seconds
_ACCOUNT, _CODE, _TOKEN = "identity", "_identity_code", "_identity_token"
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")  # RFC 7636 section 4.1


class SignIn(msgspec.Struct):
    """What a person agreed to. `challenge` is PKCE's, by S256; empty where the client sent none."""

    provider: str
    person: str
    scopes: list[str]
    redirect_uri: str
    nonce: str
    challenge: str


def issue_code(store: Store, sign_in: SignIn, now: int) -> str:
    for kind in (_CODE, _TOKEN):
        for past in store.find(_ACCOUNT, kind, created=(0, now - TOKEN_LIFETIME)):
            store.delete(_ACCOUNT, past["id"])
    code = f"4/0{secrets.token_urlsafe(32)}" if sign_in.provider == "google" else f"0.A{secrets.token_urlsafe(48)}"
    about = {"id": code, "object": _CODE, "created": now, "token": ""}
    store.put(_ACCOUNT, about | {"sign_in": msgspec.to_builtins(sign_in)})
    return code


def redeem(store: Store, provider: str, form: Mapping[str, str], now: int) -> tuple[SignIn, str]:
    """The sign-in behind a code, and its access token. Raises `invalid_grant`; a second use ends that token."""
    kept = store.get(_ACCOUNT, form.get("code", ""))
    if kept is None or kept["object"] != _CODE or now >= kept["created"] + CODE_LIFETIME:
        raise OAuthError("invalid_grant", "The code is unknown or expired.")
    sign_in = msgspec.convert(kept["sign_in"], SignIn)
    if kept["token"]:
        store.delete(_ACCOUNT, kept["token"])
        raise OAuthError("invalid_grant", "The code was already redeemed; what was issued for it is revoked.")
    if sign_in.provider != provider:
        raise OAuthError("invalid_grant", "The code was issued to another client.")
    if sign_in.redirect_uri != form.get("redirect_uri", ""):
        raise OAuthError("invalid_grant", "redirect_uri is not the one that the code was sent to.")
    _verify(sign_in.challenge, form.get("code_verifier", ""))
    token = f"ya29.{secrets.token_urlsafe(32)}" if provider == "google" else f"EwB{secrets.token_urlsafe(48)}"
    with store.transaction():
        store.put(_ACCOUNT, kept | {"token": token})
        about = {"id": token, "object": _TOKEN, "created": now}
        store.put(_ACCOUNT, about | {"sign_in": kept["sign_in"]})
    return sign_in, token


def _verify(challenge: str, verifier: str) -> None:
    """RFC 7636 section 4.6; a verifier without a challenge is refused, as RFC 9700 section 4.8.2 asks."""
    if bool(challenge) != bool(verifier):
        said = "missing" if challenge else "given, but there was no code_challenge"
        raise OAuthError("invalid_grant", f"code_verifier is {said}.")
    if challenge and (not _VERIFIER.fullmatch(verifier) or s256(verifier) != challenge):
        raise OAuthError("invalid_grant", "code_verifier does not fit the code_challenge.")


def s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def bearer(store: Store, provider: str, token: str, now: int) -> SignIn | None:
    """Whose access token this is; None for one that is unknown or over."""
    kept = store.get(_ACCOUNT, token)
    if kept is None or kept["object"] != _TOKEN or now >= kept["created"] + TOKEN_LIFETIME:
        return None
    sign_in = msgspec.convert(kept["sign_in"], SignIn)
    return sign_in if sign_in.provider == provider else None
