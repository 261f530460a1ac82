"""Budgets: what may be tried a few times for nothing, and then only slower and slower.

A wait counts from the last try on the same budget, so whoever has not tried never waits, and nobody is locked out.
The budgets' keys are stored as digests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts import rules
from payflux.frontdoor.accounts.models import SignInFailure
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import TooManyRequests
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _

PRESSURE_KEY = "sign in"


@dataclass(frozen=True)
class Budget:
    """`free` tries within :data:`rules.FAILURE_WINDOW` before the next has to wait. `key` says what for and whose."""

    key: str
    free: int


async def require_budget(
    session: AsyncSession, tokens: TokenHasher, *budgets: Budget, refusal: str, now: datetime
) -> None:
    """Raises TooManyRequests, saying `refusal` and how long, while a try has to wait.

    Tries on one budget are taken one after the other until the transaction ends, so that those made at once count.
    """
    wait = 0.0
    for budget in sorted(budgets, key=lambda budget: budget.key):
        digest = tokens.digest(budget.key)
        await session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest[:8], "big", signed=True))))
        tried, last = (
            await session.execute(
                select(func.count(), func.max(SignInFailure.at)).where(
                    SignInFailure.key_digest == digest, SignInFailure.at > now - rules.FAILURE_WINDOW
                )
            )
        ).one()
        if last is not None:
            wait = max(wait, (last + rules.throttle_delay(tried, free=budget.free) - now).total_seconds())
    if wait > 0:
        raise TooManyRequests(refusal, way_out=_("Wait %(wait)s seconds, then try again.") % {"wait": int(wait) + 1})


async def spend(session: AsyncSession, tokens: TokenHasher, *keys: str, now: datetime) -> None:
    """Count one try on each budget."""
    session.add_all(SignInFailure(id=new_id(), key_digest=tokens.digest(key), at=now) for key in keys)
    await session.flush()


async def restore(session: AsyncSession, tokens: TokenHasher, key: str) -> None:
    """Forget the tries on a budget, since its owner has shown that they were theirs."""
    await session.execute(delete(SignInFailure).where(SignInFailure.key_digest == tokens.digest(key)))


async def under_pressure(session: AsyncSession, tokens: TokenHasher, *, now: datetime) -> bool:
    """Whether so many sign-ins are refused everywhere that somebody is trying passwords on many addresses."""
    recent = (
        select(SignInFailure.id)
        .where(SignInFailure.key_digest == tokens.digest(PRESSURE_KEY), SignInFailure.at > now - rules.FAILURE_WINDOW)
        .limit(rules.PRESSURE)
        .subquery()
    )
    return (await session.execute(select(func.count()).select_from(recent))).scalar_one() >= rules.PRESSURE
