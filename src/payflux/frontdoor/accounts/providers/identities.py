"""The identities that users have at providers, read and written as the system role: they belong to no account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.providers.models import OAuthIdentity
from payflux.frontdoor.accounts.providers.rules import Holder, Profile, Provider
from payflux.frontdoor.accounts.rules import normalize_email
from payflux.kit.crypto import TokenHasher
from payflux.kit.ids import new_id


@dataclass(frozen=True)
class Identity:
    """An identity as its user sees it. `email` is what the provider told when it was connected."""

    provider: Provider
    email: str
    linked_at: datetime
    last_used_at: datetime


async def identities_of(session: AsyncSession, *, user_id: UUID) -> list[Identity]:
    """The user's identities, the oldest first."""
    query = select(OAuthIdentity).where(OAuthIdentity.user_id == user_id).order_by(OAuthIdentity.id)
    return [
        Identity(Provider(row.provider), row.email_at_link, row.linked_at, row.last_used_at)
        for row in (await session.execute(query)).scalars()
    ]


async def providers_of(session: AsyncSession, *, user_id: UUID) -> tuple[Provider, ...]:
    """The providers a user can sign in by, by name."""
    query = select(OAuthIdentity.provider).where(OAuthIdentity.user_id == user_id).order_by(OAuthIdentity.provider)
    return tuple(Provider(name) for name in (await session.execute(query)).scalars())


async def providers_instead_of_password(session: AsyncSession, *, email: str) -> tuple[Provider, ...]:
    """The providers that a user with this address signs in by, having no password; empty for everybody else, and for
    an address that nobody has."""
    query = (
        select(OAuthIdentity.provider)
        .join(User, User.id == OAuthIdentity.user_id)
        .where(User.email_normalized == normalize_email(email), User.password_hash.is_(None))
        .order_by(OAuthIdentity.provider)
    )
    return tuple(Provider(name) for name in (await session.execute(query)).scalars())


async def find_identity(session: AsyncSession, tokens: TokenHasher, profile: Profile) -> OAuthIdentity | None:
    """The identity that `profile` is, if a user has it. Whoever comes back by the same identity, or to the same
    address, waits until this transaction ends."""
    names = sorted((f"identity {profile.issuer} {profile.subject}", f"address {normalize_email(profile.email)}"))
    for name in names:  # in one order, or two could wait for each other
        key = int.from_bytes(tokens.digest(name)[:8], "big", signed=True)
        await session.execute(select(func.pg_advisory_xact_lock(key)))
    query = select(OAuthIdentity).where(
        OAuthIdentity.issuer == profile.issuer, OAuthIdentity.subject == profile.subject
    )
    return (await session.execute(query)).scalar_one_or_none()


async def find_holder(session: AsyncSession, profile: Profile) -> tuple[User | None, Holder]:
    """Who has the address that `profile` tells, locked until the transaction ends."""
    query = select(User).where(User.email_normalized == normalize_email(profile.email)).with_for_update()
    user = (await session.execute(query)).scalar_one_or_none()
    if user is None:
        return None, Holder.NOBODY
    if user.email_verified_at is None:
        return user, Holder.UNVERIFIED
    connected = profile.provider in await providers_of(session, user_id=user.id)
    return user, Holder.CONNECTED if connected else Holder.VERIFIED


async def attach(session: AsyncSession, *, user_id: UUID, profile: Profile, now: datetime) -> None:
    """Give the user the identity that `profile` is. Their address, and whether it is proven, stay as they are."""
    session.add(
        OAuthIdentity(
            id=new_id(),
            user_id=user_id,
            provider=profile.provider,
            issuer=profile.issuer,
            subject=profile.subject,
            email_at_link=profile.email,
            linked_at=now,
            last_used_at=now,
        )
    )
    await session.flush()


async def detach(session: AsyncSession, *, user_id: UUID, provider: Provider) -> bool:
    """Take the user's identity at `provider`; whether they had one."""
    taken = await session.execute(
        delete(OAuthIdentity)
        .where(OAuthIdentity.user_id == user_id, OAuthIdentity.provider == provider)
        .returning(OAuthIdentity.id)
    )
    return taken.scalar_one_or_none() is not None
