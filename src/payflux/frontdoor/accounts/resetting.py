"""A new password for whoever reads the address of a user."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.claiming import wipe_ways_in
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.passwords import hash_password
from payflux.frontdoor.accounts.personal_audit import record_personal_change
from payflux.frontdoor.accounts.rules import is_email, normalize_email
from payflux.frontdoor.accounts.sessions import end_sessions
from payflux.frontdoor.accounts.verification import rules
from payflux.frontdoor.accounts.verification.challenges import get_challenge, issue_challenge, lock_user, supersede
from payflux.frontdoor.accounts.verification.rules import LinkState, Purpose
from payflux.frontdoor.accounts.verification.secrets import challenge_of
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import TooManyRequests
from payflux.world.outbox import enqueue_mail_to_address, enqueue_mail_to_user


async def request_reset(session: AsyncSession, *, email: str, now: datetime) -> None:
    """Mail a link to set a new password, if the address is a user's. Whoever asks learns nothing from it: a mail that
    was sent a short time ago stands, and somebody who has no password is told how they sign in."""
    address = normalize_email(email)
    if not is_email(address):
        return
    user = (await session.execute(select(User).where(User.email_normalized == address))).scalar_one_or_none()
    if user is None:
        return
    try:
        challenge = await issue_challenge(session, user=user, purpose=Purpose.RESET, email=user.email, now=now)
    except TooManyRequests:
        return
    mail = "reset_password" if _may_set_password(user) else "no_password_to_reset"
    await enqueue_mail_to_address(session, mail, "email_challenge", challenge.id)


async def open_reset_link(
    session: AsyncSession, tokens: TokenHasher, *, token: str, now: datetime
) -> tuple[LinkState, User | None]:
    """What a reset link is worth, and whose password it sets; looking at it uses nothing up."""
    challenge_id = challenge_of(tokens, token)
    challenge = await get_challenge(session, challenge_id) if challenge_id is not None else None
    if challenge is None or challenge.purpose != Purpose.RESET:
        return LinkState.UNKNOWN, None
    user = await session.get_one(User, challenge.user_id)
    state = rules.link_state(
        used_at=challenge.used_at, superseded_at=challenge.superseded_at, expires_at=challenge.expires_at, now=now
    )
    if state is LinkState.OPEN and (
        not _may_set_password(user) or normalize_email(challenge.email) != user.email_normalized
    ):
        state = LinkState.SUPERSEDED  # their address or their way to sign in has changed since
    return state, user


async def reset_password(
    session: AsyncSession, tokens: TokenHasher, *, token: str, password: str, now: datetime
) -> LinkState:
    """Set an acceptable new `password` by a reset link; OPEN in the answer says that this was done.

    It ends every session and signs nobody in, so that a second factor is asked for as ever. The link was mailed, so
    the address is proven by it.
    """
    challenge_id = challenge_of(tokens, token)
    challenge = await get_challenge(session, challenge_id) if challenge_id is not None else None
    if challenge is not None:
        await lock_user(session, challenge.user_id)
        await session.refresh(challenge)
    state, user = await open_reset_link(session, tokens, token=token, now=now)
    if state is not LinkState.OPEN or user is None or challenge is None:
        return state
    challenge.used_at = now
    user.password_hash = await hash_password(password)
    if user.email_verified_at is None:  # whoever registered the address may not be who reads it
        await wipe_ways_in(session, user_id=user.id, now=now)
        user.email_verified_at = now
    if user.mail_returns:
        user.email_verified_at = now
    await end_sessions(session, user_id=user.id)
    await supersede(session, user_id=user.id, purposes=list(Purpose), now=now)
    await enqueue_mail_to_user(session, "password_changed", user.id, at=now.isoformat())
    await record_personal_change(session, user_id=user.id, action="user.password_reset", at=now)
    return state


def _may_set_password(user: User) -> bool:
    """Whether a mailed link sets a password: not for somebody who chose to sign in by a provider alone. Where nobody
    has proven the address, its owner may be asking, and somebody else may have registered it."""
    return user.password_hash is not None or user.email_verified_at is None
