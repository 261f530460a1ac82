"""The tokens of API clients: access tokens, signed and good for ten minutes (JWT, RFC 7519), and refresh tokens.

A refresh token is nowhere stored: it is the MAC of its session, its generation and what only that session's row holds.
So every generation that was ever given out is known again, and none can be made up. All keys are derived from the
secret; under the previous secret, tokens are still read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from payflux.kit.crypto import derive_key
from payflux.kit.errors import NotSignedIn
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.settings import Settings

ACCESS_TOKEN_LIFE = timedelta(minutes=10)

_ALGORITHM = "HS256"
_REFRESH_TOKEN = re.compile(r"pfr_([0-9a-f]{32})_([0-9]{1,9})_([\w-]{43})", re.ASCII)


@dataclass(frozen=True)
class RefreshToken:
    """What a refresh token says of itself; true once :func:`is_genuine` holds."""

    session_id: UUID
    generation: int
    mac: str


def write_access_token(settings: Settings, *, user_id: UUID, session_id: UUID, now: datetime) -> str:
    """A token that names the user and the session, for this API alone."""
    key = _signing_keys(settings)[0]
    claims = {
        "iss": settings.url,
        "aud": _audience(settings),
        "sub": str(user_id),
        "sid": str(session_id),
        "jti": str(new_id()),
        "iat": int(now.timestamp()),
        "exp": int((now + ACCESS_TOKEN_LIFE).timestamp()),
    }
    return jwt.encode({"alg": _ALGORITHM, "kid": key.kid}, claims, key, algorithms=[_ALGORITHM])


def read_access_token(settings: Settings, token: str, *, now: datetime) -> UUID:
    """The session that `token` names. Raises NotSignedIn unless we signed it, for this API, in the last ten minutes."""
    rules = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        iss={"essential": True, "value": settings.url},
        aud={"essential": True, "value": _audience(settings)},
        exp={"essential": True},
        sid={"essential": True},
    )
    try:
        found = jwt.decode(token, KeySet(list(_signing_keys(settings))), algorithms=[_ALGORITHM])
        rules.validate(found.claims)
        return UUID(str(found.claims["sid"]))
    except (JoseError, ValueError):
        raise NotSignedIn(
            _("The access token is not valid, or no longer."),
            way_out=_("Exchange your refresh token at /api/v1/auth/refresh, or sign in at /api/v1/auth/login."),
        ) from None


def write_refresh_token(settings: Settings, *, session_id: UUID, generation: int, bound_to: bytes) -> str:
    """The refresh token of this generation. `bound_to` is random and stays in the session's row."""
    return f"pfr_{session_id.hex}_{generation}_{_mac(_secrets(settings)[0], session_id, generation, bound_to)}"


def parse_refresh_token(token: str) -> RefreshToken | None:
    """`token` taken apart, or None where it cannot be one."""
    found = _REFRESH_TOKEN.fullmatch(token)
    return RefreshToken(UUID(found[1]), int(found[2]), found[3]) if found else None


def is_genuine(settings: Settings, token: RefreshToken, *, bound_to: bytes) -> bool:
    """Whether we gave out `token` for the session whose row holds `bound_to`."""
    return any(
        hmac.compare_digest(token.mac, _mac(secret, token.session_id, token.generation, bound_to))
        for secret in _secrets(settings)
    )


def _mac(secret: str, session_id: UUID, generation: int, bound_to: bytes) -> str:
    key = derive_key(secret, "refresh tokens")
    digest = hmac.new(key, f"{session_id}:{generation}:{bound_to.hex()}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _signing_keys(settings: Settings) -> tuple[OctKey, ...]:
    """The key that signs, then the one that only reads. The key's id is a hash of it, and tells nothing of it."""
    keys = [derive_key(secret, "access tokens") for secret in _secrets(settings)]
    return tuple(OctKey.import_key(key, {"kid": hashlib.sha256(b"kid" + key).hexdigest()[:16]}) for key in keys)


def _secrets(settings: Settings) -> tuple[str, ...]:
    previous = settings.previous_secret_key.get_secret_value()
    return (settings.secret_key.get_secret_value(), *([previous] if previous else []))


def _audience(settings: Settings) -> str:
    return f"{settings.url}/api/v1"
