"""Sign in with a password; refusals slow the next attempt down."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts import rules
from payflux.frontdoor.accounts.models import SignInFailure, User
from payflux.frontdoor.accounts.passwords import verify_password
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import TooManyRequests
from payflux.kit.ids import new_id


async def sign_in(
    session: AsyncSession, tokens: TokenHasher, *, email: str, password: str, client: str, now: datetime
) -> User | None:
    """The user with this address and password, or None. A refusal is counted, and too many make the next one wait.

    Refusals count per address and `client` (the network address asking), so that nobody can keep another person out.
    Raises TooManyRequests while the client has to wait; the password is not looked at then.
    """
    address = rules.normalize_email(email)
    if not rules.is_email(address):
        address = ""  # belongs to nobody
    key = tokens.digest(f"sign in {address} {client}")
    # one after the other, or attempts made at once would not see each other's failures
    await session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(key[:8], "big", signed=True))))
    failures, last = (
        await session.execute(
            select(func.count(), func.max(SignInFailure.at)).where(
                SignInFailure.key_digest == key, SignInFailure.at > now - rules.FAILURE_WINDOW
            )
        )
    ).one()
    delay = rules.sign_in_delay(failures)
    if last is not None and now < last + delay:
        raise TooManyRequests(
            "Too many attempts to sign in to this address.",
            way_out=f"Wait {int((last + delay - now).total_seconds()) + 1} seconds, then try again.",
        )
    user = (await session.execute(select(User).where(User.email_normalized == address))).scalar_one_or_none()
    correct = await verify_password(password, user.password_hash if user is not None else None)
    if user is None or not correct:
        session.add(SignInFailure(id=new_id(), key_digest=key, at=now))
        return None
    await session.execute(delete(SignInFailure).where(SignInFailure.key_digest == key))
    return user
