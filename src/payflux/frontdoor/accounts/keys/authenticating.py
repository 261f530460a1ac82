"""Who a key speaks for: asked on every call of a program, so it costs one statement."""

from __future__ import annotations

from datetime import datetime, timedelta

from payflux.frontdoor.accounts.keys.rules import Environment, environment_of, state_at
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit.crypto import TokenHasher
from payflux.kit.database import Database
from payflux.kit.errors import NotSignedIn

LAST_USE_RESOLUTION = timedelta(minutes=1)

# The membership is joined, so that a key of somebody who is gone, or whose role changed, is what they are now. Two
# values, and no array of them: PostgreSQL then keeps its plan, which takes longer to make than the answer.
_HOLDER = """
    SELECT key.id, key.account_id, key.digest, key.scopes, key.created_at AS made_at, key.expires_at, key.revoked_at,
        key.replaced_by, key.last_used_at, key.owner_id, membership.role, person.name, person.email,
        person.email_verified_at, person.created_at, account.name AS account_name, account.parent_id
    FROM api_keys AS key
    JOIN memberships AS membership ON membership.account_id = key.account_id AND membership.user_id = key.owner_id
    JOIN users AS person ON person.id = key.owner_id
    JOIN accounts AS account ON account.id = key.account_id
    WHERE key.digest IN ($1, $2)
"""
# a key that was stored under the secret before is written under the current one, so that the old can be forgotten
_USED = "UPDATE api_keys SET last_used_at = $2, digest = $3 WHERE id = $1"


class KeyRefused(NotSignedIn):
    """What was sent as a key opens nothing; `code` says whether it is no key, unknown, of the other environment,
    expired or revoked."""


async def authenticate_key(
    database: Database, tokens: TokenHasher, *, key: str, environment: Environment, now: datetime
) -> SignedIn:
    """The member that `key` speaks for, with the scopes it has. Raises KeyRefused."""
    written_for = environment_of(key)
    if written_for is None:
        raise KeyRefused(
            "This is not an API key: it was cut off or mistyped.",
            way_out="Copy the whole key again, from pfx_ to its end.",
            code="key_malformed",
        )
    if written_for != environment:
        raise KeyRefused(
            f"This is a {written_for} key, and this is a {environment} installation.",
            way_out=f"Make a {environment} key under API keys.",
            code="key_environment",
        )
    digests = tokens.digests(key)
    found = await database.ask(_HOLDER, digests[0], digests[-1])
    if found is None:
        raise KeyRefused("There is no such API key.", way_out="Make one under API keys.", code="key_unknown")
    state = state_at(
        now, expires_at=found["expires_at"], revoked_at=found["revoked_at"], replaced_by=found["replaced_by"]
    )
    if not state.opens:
        raise KeyRefused(f"This API key is {state}.", way_out="Make a new one under API keys.", code=f"key_{state}")
    last_used = found["last_used_at"]
    if last_used is None or now - last_used > LAST_USE_RESOLUTION or found["digest"] != digests[0]:
        await database.ask(_USED, found["id"], now, digests[0])
    return SignedIn(
        user_id=found["owner_id"],
        account_id=found["account_id"],
        session_id=found["id"],
        role=found["role"],
        name=found["name"],
        email=found["email"],
        email_verified=found["email_verified_at"] is not None,
        user_created_at=found["created_at"],
        account_name=found["account_name"],
        authenticated_at=found["made_at"],
        factors=frozenset(),
        kind="key",
        scopes=frozenset(found["scopes"]),
        parent_id=found["parent_id"],
    )
