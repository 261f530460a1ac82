"""Take from a user whose address was never proven everything that somebody who is not its owner could come in by."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.factors.models import (
    Passkey,
    PasskeyChallenge,
    PendingSignIn,
    RecoveryCode,
    TotpFactor,
)
from payflux.frontdoor.accounts.models import Session
from payflux.frontdoor.accounts.providers.models import OAuthIdentity, ProviderTrip
from payflux.frontdoor.accounts.team.models import AccountInvite
from payflux.frontdoor.accounts.verification.challenges import supersede
from payflux.frontdoor.accounts.verification.rules import Purpose

WIPED = (Session, TotpFactor, RecoveryCode, Passkey, PasskeyChallenge, PendingSignIn, OAuthIdentity, ProviderTrip)
"""What lets somebody in as a user, beside the password; a claim deletes all of it."""


async def wipe_ways_in(session: AsyncSession, *, user_id: UUID, now: datetime) -> None:
    """End the user's sessions, factors and identities, the links that were mailed for them, and the invites they sent.
    Their password is for the caller to replace. What their account holds stays: it may well have been the same person.
    """
    for table in WIPED:
        await session.execute(delete(table).where(table.user_id == user_id))
    await session.execute(
        update(AccountInvite)
        .where(
            AccountInvite.invited_by == user_id,
            AccountInvite.accepted_at.is_(None),
            AccountInvite.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    await supersede(session, user_id=user_id, purposes=list(Purpose), now=now)
