"""Sessions on the server: who holds one, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts import rules
from payflux.frontdoor.accounts.models import Account, Membership, Session, SignInFailure, User
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import NotSignedIn
from payflux.kit.ids import new_id

_LAST_USE_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True)
class SignedIn:
    """Who is asking: a user, the account they act in, and their role there."""

    user_id: UUID
    account_id: UUID
    session_id: UUID
    role: str
    name: str
    email: str
    email_verified: bool
    user_created_at: datetime
    account_name: str


async def start_session(
    session: AsyncSession, tokens: TokenHasher, *, user_id: UUID, now: datetime, replacing: UUID | None = None
) -> str:
    """Open a new session for a user who has just proven who they are; returns the token the browser keeps.

    `replacing` is the session that the browser had until now: it ends.
    """
    if replacing is not None:
        await sign_out(session, session_id=replacing)
    token = tokens.new_token()
    session.add(
        Session(
            id=new_id(),
            token_digest=tokens.digest(token),
            user_id=user_id,
            created_at=now,
            last_used_at=now,
            expires_at=rules.session_expiry(now, now),
        )
    )
    await session.flush()
    return token


async def authenticate(session: AsyncSession, tokens: TokenHasher, *, token: str, now: datetime) -> SignedIn:
    """Who holds `token`. Extends the session. Raises NotSignedIn for an unknown or ended one."""
    row = (
        await session.execute(
            select(Session, User, Membership, Account)
            .join(User, User.id == Session.user_id)
            .join(Membership, Membership.user_id == User.id)
            .join(Account, Account.id == Membership.account_id)
            .where(Session.token_digest == tokens.digest(token), Session.expires_at > now)
            .order_by(Membership.created_at)
            .limit(1)
        )
    ).first()
    if row is None:
        raise NotSignedIn("You are not signed in.", way_out="Sign in and try again.")
    browser, user, membership, account = row
    if now - browser.last_used_at > _LAST_USE_RESOLUTION:
        browser.last_used_at = now
        browser.expires_at = rules.session_expiry(browser.created_at, now)
    return SignedIn(
        user_id=user.id,
        account_id=account.id,
        session_id=browser.id,
        role=membership.role,
        name=user.name,
        email=user.email,
        email_verified=user.email_verified_at is not None,
        user_created_at=user.created_at,
        account_name=account.name,
    )


async def sign_out(session: AsyncSession, *, session_id: UUID) -> None:
    """End a session on the server, so that its cookie opens nothing any more."""
    await session.execute(delete(Session).where(Session.id == session_id))


async def delete_ended_sessions(session: AsyncSession, *, now: datetime) -> None:
    """Remove sessions past their end, and refusals past their use."""
    await session.execute(delete(Session).where(Session.expires_at <= now))
    await session.execute(delete(SignInFailure).where(SignInFailure.at <= now - rules.FAILURE_WINDOW))
