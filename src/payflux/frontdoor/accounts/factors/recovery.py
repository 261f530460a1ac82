"""Recovery codes: shown once, kept as digests, each good once in place of the authenticator app."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.factors import rules
from payflux.frontdoor.accounts.factors.models import RecoveryCode
from payflux.kit.crypto import TokenHasher


async def replace_recovery_codes(session: AsyncSession, tokens: TokenHasher, *, user_id: UUID) -> list[str]:
    """Ten new codes; the old ones stop working. This is the only time that they are known."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [rules.new_recovery_code() for _ in range(rules.RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user_id, code_digest=_digest(tokens, user_id, code)) for code in codes)
    await session.flush()
    return codes


async def use_recovery_code(
    session: AsyncSession, tokens: TokenHasher, *, user_id: UUID, code: str, now: datetime
) -> bool:
    """Whether `code` is one of the user's that was not used yet; from now on it is used."""
    used = await session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_digest == _digest(tokens, user_id, rules.normalize_recovery_code(code)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.user_id)
    )
    return used.scalar_one_or_none() is not None


async def recovery_codes_left(session: AsyncSession, *, user_id: UUID) -> int:
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return (await session.execute(unused)).scalar_one()


def _digest(tokens: TokenHasher, user_id: UUID, code: str) -> bytes:
    return tokens.digest(f"recovery code {user_id} {code}")
