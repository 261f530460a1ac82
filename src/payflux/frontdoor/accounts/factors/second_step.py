"""The second step of a sign-in: asked for where an authenticator app is set up, after a password or a provider.

Between the steps there is no session: a token that is good for ten minutes and five codes, and opens nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.factors import rules
from payflux.frontdoor.accounts.factors.models import PasskeyChallenge, PendingSignIn, TotpFactor
from payflux.frontdoor.accounts.factors.recovery import use_recovery_code
from payflux.frontdoor.accounts.factors.totp import use_totp_code
from payflux.frontdoor.accounts.rules import FREE_FAILURES
from payflux.frontdoor.accounts.throttling import Budget, require_budget, restore, spend
from payflux.kit.crypto import SecretBox, TokenHasher
from payflux.kit.messages import gettext as _

_FREE_FROM_ANYWHERE = 20  # wrong codes for one user from all addresses together


@dataclass(frozen=True)
class Proven:
    """Who somebody is, by what they have proven so far."""

    user_id: UUID
    factors: frozenset[str]
    sso_account_id: UUID | None = None


async def needs_second_step(session: AsyncSession, *, user_id: UUID) -> bool:
    """Whether a password or a provider alone does not sign this user in."""
    app = select(TotpFactor.user_id).where(TotpFactor.user_id == user_id, TotpFactor.confirmed_at.is_not(None))
    return (await session.execute(app)).scalar_one_or_none() is not None


async def begin_second_step(
    session: AsyncSession,
    tokens: TokenHasher,
    *,
    user_id: UUID,
    factors: frozenset[str],
    sso_account_id: UUID | None = None,
    now: datetime,
) -> str:
    """The token that a browser keeps between the steps; `sso_account_id` is the account whose identity provider was the
    first."""
    token = tokens.new_token()
    session.add(
        PendingSignIn(
            token_digest=tokens.digest(token),
            user_id=user_id,
            factors=sorted(factors),
            sso_account_id=sso_account_id,
            attempts=0,
            expires_at=now + rules.SECOND_STEP_TIME,
        )
    )
    await session.flush()
    return token


async def half_signed_in(session: AsyncSession, tokens: TokenHasher, *, token: str, now: datetime) -> Proven | None:
    """Who holds `token`, or None where it is unknown, too old, or was tried too often."""
    pending = await _pending(session, tokens, token, now)
    return None if pending is None else Proven(pending.user_id, frozenset(pending.factors), pending.sso_account_id)


async def prove_by_code(
    session: AsyncSession,
    tokens: TokenHasher,
    secrets: SecretBox,
    *,
    token: str,
    code: str,
    address: str,
    now: datetime,
) -> Proven | None:
    """Take the second step by a code of the app, or by a recovery code: who is signed in now, and by what.

    None for a wrong code, which counts, and for a token that is no good. Raises TooManyRequests as :func:`use_code`.
    """
    pending = await _pending(session, tokens, token, now)
    if pending is None:
        return None
    factor = await use_code(session, tokens, secrets, user_id=pending.user_id, code=code, address=address, now=now)
    if not factor:
        pending.attempts += 1
        return None
    await end_second_step(session, tokens, token=token)
    return Proven(pending.user_id, frozenset({*pending.factors, factor}), pending.sso_account_id)


async def use_code(
    session: AsyncSession,
    tokens: TokenHasher,
    secrets: SecretBox,
    *,
    user_id: UUID,
    code: str,
    address: str,
    now: datetime,
) -> str:
    """What `code` is, now that it is used: `totp`, `recovery_code`, or empty where it is neither.

    A wrong code is counted, per user and network `address` and, more patiently, per user: whoever guesses from many
    addresses knows the password. Raises TooManyRequests while the next has to wait; the code is not looked at then.
    """
    own = f"code {user_id} {address}"
    budgets = (Budget(own, FREE_FAILURES), Budget(f"code {user_id}", _FREE_FROM_ANYWHERE))
    await require_budget(session, tokens, *budgets, refusal=_("Too many wrong codes."), now=now)
    if rules.normalize_recovery_code(code):
        used = await use_recovery_code(session, tokens, user_id=user_id, code=code, now=now)
        factor = "recovery_code" if used else ""
    else:
        factor = "totp" if await use_totp_code(session, secrets, user_id=user_id, code=code, now=now) else ""
    if factor:
        await restore(session, tokens, own)
    else:
        await spend(session, tokens, *(budget.key for budget in budgets), now=now)
    return factor


async def end_second_step(session: AsyncSession, tokens: TokenHasher, *, token: str) -> None:
    """Forget a sign-in under way: its second step was taken, or given up."""
    await session.execute(delete(PendingSignIn).where(PendingSignIn.token_digest == tokens.digest(token)))


async def delete_ended_steps(session: AsyncSession, *, now: datetime) -> None:
    """Remove sign-ins and challenges past their end."""
    await session.execute(delete(PendingSignIn).where(PendingSignIn.expires_at <= now))
    await session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= now))


async def _pending(session: AsyncSession, tokens: TokenHasher, token: str, now: datetime) -> PendingSignIn | None:
    # locked, or codes sent at once would not see each other's attempts
    query = (
        select(PendingSignIn)
        .where(
            PendingSignIn.token_digest == tokens.digest(token),
            PendingSignIn.expires_at > now,
            PendingSignIn.attempts < rules.SECOND_STEP_ATTEMPTS,
        )
        .with_for_update()
    )
    return (await session.execute(query)).scalar_one_or_none()
