"""Trips to a provider and back: each is good once, for ten minutes, and for the browser that began it.

The browser keeps one secret in a short cookie of its own. What binds the provider's answer to it (nonce and PKCE
verifier) is computed from that secret and the trip's state, so that nothing stored here lets anybody finish a trip.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.providers.models import ProviderTrip
from payflux.frontdoor.accounts.providers.rules import Profile
from payflux.kit.crypto import SecretBox, TokenHasher
from payflux.kit.ids import new_id

TRIP_TIME = timedelta(minutes=10)


class Carried(msgspec.Struct, frozen=True):
    """What survives a trip: the page to go to, the plan that was chosen, an invite's code, the link that led to it
    all, a website scan that the new account is to keep, the account whose identity provider it leads to; and, once
    back, who it was: `profile` for a trip that ends with a question, `told` for one whose answer came without the
    browser's cookies."""

    next: str = ""
    plan: str = ""
    invite: str = ""
    source: str = ""
    scan: str = ""
    account: str = ""
    told: dict[str, str] = {}
    profile: Profile | None = None


@dataclass(frozen=True)
class Trip:
    """A trip under way. `user_id` is who connects the provider, None for a trip to sign in."""

    id: UUID
    user_id: UUID | None
    carried: Carried
    state: str
    nonce: str
    code_verifier: str


async def begin_trip(
    session: AsyncSession,
    tokens: TokenHasher,
    secrets: SecretBox,
    *,
    provider: str,
    browser: str,
    carried: Carried,
    user_id: UUID | None = None,
    now: datetime,
) -> Trip:
    """A new trip for the browser whose secret is `browser`. Trips that have ended are forgotten on the way."""
    await session.execute(delete(ProviderTrip).where(ProviderTrip.expires_at <= now))
    trip_id, state = new_id(), tokens.new_token()
    session.add(
        ProviderTrip(
            id=trip_id,
            state_digest=_state_digest(tokens, state),
            browser_digest=_browser_digest(tokens, browser),
            provider=provider,
            user_id=user_id,
            carried=_sealed(secrets, trip_id, carried),
            expires_at=now + TRIP_TIME,
        )
    )
    await session.flush()
    return _trip(tokens, trip_id, user_id, carried, browser, state)


async def end_trip(
    session: AsyncSession,
    tokens: TokenHasher,
    secrets: SecretBox,
    *,
    provider: str,
    browser: str,
    state: str,
    now: datetime,
) -> Trip | None:
    """The trip that `state` belongs to, which is over from now on; None where it is unknown, over, too old, another
    browser's or another provider's."""
    found = await session.execute(
        update(ProviderTrip)
        .where(
            ProviderTrip.state_digest == _state_digest(tokens, state),
            ProviderTrip.browser_digest == _browser_digest(tokens, browser),
            ProviderTrip.provider == provider,
            ProviderTrip.returned_at.is_(None),
            ProviderTrip.expires_at > now,
        )
        .values(returned_at=now)
        .returning(ProviderTrip.id, ProviderTrip.user_id, ProviderTrip.carried)
    )
    row = found.one_or_none()
    if row is None:
        return None
    return _trip(tokens, row.id, row.user_id, _opened(secrets, row.id, row.carried), browser, state)


async def find_trip(
    session: AsyncSession, tokens: TokenHasher, secrets: SecretBox, *, provider: str, state: str, now: datetime
) -> tuple[UUID, Carried] | None:
    """The trip under way that `state` belongs to, whichever browser's it is; it goes on. None where there is none."""
    query = select(ProviderTrip.id, ProviderTrip.carried).where(
        ProviderTrip.state_digest == _state_digest(tokens, state),
        ProviderTrip.provider == provider,
        ProviderTrip.returned_at.is_(None),
        ProviderTrip.expires_at > now,
    )
    row = (await session.execute(query.with_for_update())).one_or_none()
    return None if row is None else (row.id, _opened(secrets, row.id, row.carried))


async def hold_told(
    session: AsyncSession, secrets: SecretBox, *, trip_id: UUID, carried: Carried, told: dict[str, str]
) -> None:
    """Keep who came back, until their browser does."""
    sealed = _sealed(secrets, trip_id, msgspec.structs.replace(carried, told=told))
    await session.execute(update(ProviderTrip).where(ProviderTrip.id == trip_id).values(carried=sealed))


async def hold_profile(session: AsyncSession, secrets: SecretBox, trip: Trip, profile: Profile) -> None:
    """Keep who came back, while they are asked whether to connect."""
    carried = msgspec.structs.replace(trip.carried, profile=profile)
    await session.execute(
        update(ProviderTrip).where(ProviderTrip.id == trip.id).values(carried=_sealed(secrets, trip.id, carried))
    )


async def held_profile(
    session: AsyncSession,
    tokens: TokenHasher,
    secrets: SecretBox,
    *,
    trip_id: UUID,
    provider: str,
    browser: str,
    now: datetime,
) -> Carried | None:
    """What a trip that waits for an answer carries, with its profile; None where this browser has no such trip."""
    query = select(ProviderTrip.carried).where(
        ProviderTrip.id == trip_id,
        ProviderTrip.provider == provider,
        ProviderTrip.browser_digest == _browser_digest(tokens, browser),
        ProviderTrip.returned_at.is_not(None),
        ProviderTrip.expires_at > now,
    )
    sealed = (await session.execute(query.with_for_update())).scalar_one_or_none()
    carried = None if sealed is None else _opened(secrets, trip_id, sealed)
    return carried if carried and carried.profile else None


async def forget_trip(session: AsyncSession, *, trip_id: UUID) -> None:
    """Forget a trip, with who came back from it."""
    await session.execute(delete(ProviderTrip).where(ProviderTrip.id == trip_id))


def _trip(tokens: TokenHasher, trip_id: UUID, user_id: UUID | None, carried: Carried, browser: str, state: str) -> Trip:
    return Trip(
        id=trip_id,
        user_id=user_id,
        carried=carried,
        state=state,
        nonce=tokens.digest(f"nonce {browser} {state}").hex(),
        code_verifier=tokens.digest(f"code verifier {browser} {state}").hex(),
    )


def _state_digest(tokens: TokenHasher, state: str) -> bytes:
    return tokens.digest(f"provider trip {state}")


def _browser_digest(tokens: TokenHasher, browser: str) -> bytes:
    return tokens.digest(f"provider trip of browser {browser}")


def _sealed(secrets: SecretBox, trip_id: UUID, carried: Carried) -> bytes:
    return secrets.encrypt(msgspec.json.encode(carried).decode(), bound_to=f"provider_trips.carried {trip_id}")


def _opened(secrets: SecretBox, trip_id: UUID, sealed: bytes) -> Carried:
    return msgspec.json.decode(secrets.decrypt(sealed, bound_to=f"provider_trips.carried {trip_id}"), type=Carried)
