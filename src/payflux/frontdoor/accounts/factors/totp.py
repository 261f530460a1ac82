"""The authenticator app (TOTP, RFC 6238): set up, confirmed by a first code, used, removed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.factors import rules
from payflux.frontdoor.accounts.factors.models import RecoveryCode, TotpFactor
from payflux.kit.crypto import SecretBox
from payflux.kit.errors import Conflict
from payflux.kit.messages import gettext as _


async def begin_totp(session: AsyncSession, secrets: SecretBox, *, user_id: UUID, now: datetime) -> None:
    """Make a secret for an authenticator app, in place of one that was never confirmed.

    Raises Conflict where an app is confirmed already.
    """
    values = {
        "secret": secrets.encrypt(pyotp.random_base32(), bound_to=_bound_to(user_id)),
        "created_at": now,
        "last_step": None,
    }
    begun = await session.execute(
        insert(TotpFactor)
        .values(user_id=user_id, **values)
        .on_conflict_do_update(
            index_elements=[TotpFactor.user_id], set_=values, where=TotpFactor.confirmed_at.is_(None)
        )
        .returning(TotpFactor.user_id)
    )
    if begun.scalar_one_or_none() is None:
        raise Conflict(
            _("An authenticator app is set up already."),
            way_out=_("Remove it first, then set up another."),
            code="totp_set_up",
        )


async def unconfirmed_secret(session: AsyncSession, secrets: SecretBox, *, user_id: UUID, now: datetime) -> str | None:
    """The secret (base32) that waits for its first code, or None."""
    query = select(TotpFactor).where(
        TotpFactor.user_id == user_id,
        TotpFactor.confirmed_at.is_(None),
        TotpFactor.created_at > now - rules.TOTP_SETUP_TIME,
    )
    factor = (await session.execute(query)).scalar_one_or_none()
    return None if factor is None else secrets.decrypt(factor.secret, bound_to=_bound_to(user_id))


async def confirm_totp(session: AsyncSession, secrets: SecretBox, *, user_id: UUID, code: str, now: datetime) -> bool:
    """Let the app count from now on, if `code` shows that it holds the secret."""
    factor = await _locked(session, user_id, confirmed=False)
    if factor is None or factor.created_at <= now - rules.TOTP_SETUP_TIME or not _use(factor, secrets, code, now):
        return False
    factor.confirmed_at = now
    return True


async def use_totp_code(session: AsyncSession, secrets: SecretBox, *, user_id: UUID, code: str, now: datetime) -> bool:
    """Whether `code` is the confirmed app's, now and for the first time."""
    factor = await _locked(session, user_id, confirmed=True)
    return factor is not None and _use(factor, secrets, code, now)


async def remove_totp(session: AsyncSession, *, user_id: UUID) -> bool:
    """Forget the app and the recovery codes that stood in for it; whether a confirmed one was there."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    removed = await session.execute(
        delete(TotpFactor).where(TotpFactor.user_id == user_id).returning(TotpFactor.confirmed_at)
    )
    return removed.scalar_one_or_none() is not None


async def _locked(session: AsyncSession, user_id: UUID, *, confirmed: bool) -> TotpFactor | None:
    # locked, or the same code sent twice at once would work twice
    query = select(TotpFactor).where(TotpFactor.user_id == user_id).with_for_update()
    factor = (await session.execute(query)).scalar_one_or_none()
    return factor if factor is not None and (factor.confirmed_at is not None) == confirmed else None


def _use(factor: TotpFactor, secrets: SecretBox, code: str, now: datetime) -> bool:
    secret = secrets.decrypt(factor.secret, bound_to=_bound_to(factor.user_id))
    step = rules.matching_step(secret, code, now, last_step=factor.last_step)
    if step is not None:
        factor.last_step = step
    return step is not None


def _bound_to(user_id: UUID) -> str:
    return f"totp_factors.secret:{user_id}"
