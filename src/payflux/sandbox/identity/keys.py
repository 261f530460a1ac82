"""The keys that sign id tokens. They are kept, so that a token is good over a restart; the newest signs."""

from __future__ import annotations

import msgspec
from joserfc import jwt
from joserfc.jwk import RSAKey

from payflux.sandbox.store import Json, Store

_SETTING = "identity_keys"
KEPT = 3
"""Keys that are published: the one that signs, and those before it, whose tokens may still be about."""


def signed(store: Store, claims: Json) -> str:
    """A JSON Web Token with these claims, by RS256."""
    key = _keys(store)[0]
    return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key.kid}, claims, key, algorithms=["RS256"])


def published(store: Store) -> list[Json]:
    """The public halves, the newest first, as a JSON Web Key Set has them."""
    return [dict(key.as_dict(private=False)) for key in _keys(store)]


def rotate(store: Store) -> list[Json]:
    """Sign by a new key from now on; as :func:`published`."""
    _keep(store, [_fresh(), *_keys(store)][:KEPT])
    return published(store)


def _keys(store: Store) -> list[RSAKey]:
    kept = store.setting(_SETTING)
    if kept:
        return [RSAKey.import_key(key) for key in msgspec.json.decode(kept)]
    return _keep(store, [_fresh()])


def _keep(store: Store, keys: list[RSAKey]) -> list[RSAKey]:
    store.set(_SETTING, msgspec.json.encode([key.as_dict(private=True) for key in keys]).decode())
    return keys


def _fresh() -> RSAKey:
    return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
