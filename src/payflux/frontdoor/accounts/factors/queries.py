"""Reads on how a user can sign in, and on what happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.factors.models import Passkey, TotpFactor
from payflux.frontdoor.accounts.factors.rules import SignInMethods
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.providers.models import OAuthIdentity
from payflux.kit.audit import AuditEntry


async def sign_in_methods(session: AsyncSession, *, user_id: UUID) -> SignInMethods:
    """How the user can sign in now."""
    password = select(User.password_hash.is_not(None)).where(User.id == user_id).scalar_subquery()
    passkeys = select(func.count()).where(Passkey.user_id == user_id).scalar_subquery()
    totp = (
        select(TotpFactor.user_id).where(TotpFactor.user_id == user_id, TotpFactor.confirmed_at.is_not(None)).exists()
    )
    has_password, passkey_count, has_totp = (await session.execute(select(password, passkeys, totp))).one()
    of_user = select(OAuthIdentity.provider).where(OAuthIdentity.user_id == user_id)
    providers = (await session.execute(of_user.order_by(OAuthIdentity.provider))).scalars()
    return SignInMethods(
        password=bool(has_password),
        passkeys=passkey_count,
        providers=tuple(providers),
        totp=has_totp,
    )


@dataclass(frozen=True)
class SecurityEvent:
    """One change of how the user signs in: `action` as the audit log names it, and the network address it came from."""

    action: str
    at: datetime
    address: str


async def security_events(
    session: AsyncSession, *, account_id: UUID, user_id: UUID, limit: int = 10
) -> list[SecurityEvent]:
    """What happened last to how the user signs in, the newest first, from the account's log."""
    query = (
        select(AuditEntry.action, AuditEntry.at, AuditEntry.address)
        .where(
            AuditEntry.account_id == account_id,
            AuditEntry.subject == str(user_id),
            AuditEntry.action.startswith("user.", autoescape=True),
        )
        .order_by(AuditEntry.sequence.desc())
        .limit(limit)
    )
    return [SecurityEvent(*row) for row in await session.execute(query)]
