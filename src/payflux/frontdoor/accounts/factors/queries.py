"""Reads on how a user can sign in, and on what happened to it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.factors.models import Passkey, TotpFactor
from payflux.frontdoor.accounts.factors.rules import SignInMethods
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.providers.models import OAuthIdentity


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
