"""Sign in to the console: always by a password and a code; and prove oneself anew before a dangerous act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.factors.rules import matching_step
from payflux.frontdoor.accounts.models import Session
from payflux.frontdoor.accounts.passwords import verify_password
from payflux.frontdoor.accounts.rules import (
    CLIENT_FREE_FAILURES,
    FREE_FAILURES,
    is_email,
    normalize_email,
    printable,
)
from payflux.frontdoor.accounts.sessions import Client
from payflux.frontdoor.accounts.throttling import Budget, require_budget, restore, spend
from payflux.frontdoor.staff import rules
from payflux.frontdoor.staff.joining import totp_secret
from payflux.frontdoor.staff.models import StaffMember, StaffSession
from payflux.kit.crypto import SecretBox, TokenHasher
from payflux.kit.errors import NotSignedIn
from payflux.kit.ids import new_id


class StaffNotSignedIn(NotSignedIn):
    """Whoever asks is not signed in to the console."""

    code = "staff_not_signed_in"


@dataclass(frozen=True)
class Staff:
    """Who of the staff is asking, and since when they are signed in."""

    id: UUID
    session_id: UUID
    name: str
    email: str
    signed_in_at: datetime

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


async def sign_in(
    session: AsyncSession,
    tokens: TokenHasher,
    secrets: SecretBox,
    *,
    email: str,
    password: str,
    code: str,
    client: Client,
    now: datetime,
) -> str | None:
    """Open a session for whoever has both the password and the app; returns its token.

    None where either is wrong: which of them is not told, and it is counted. Raises TooManyRequests while the next try
    has to wait; nothing is looked at then.
    """
    address = normalize_email(email)
    own = Budget(f"staff sign in {address if is_email(address) else ''} {client.address}", FREE_FAILURES)
    by_client = Budget(f"staff sign in from {client.address}", CLIENT_FREE_FAILURES)
    await require_budget(session, tokens, own, by_client, refusal="Too many attempts to sign in.", now=now)
    # locked, or the same code sent twice at once would work twice
    query = select(StaffMember).where(StaffMember.email_normalized == address, StaffMember.joined_at.is_not(None))
    member = (await session.execute(query.with_for_update())).scalar_one_or_none()
    correct = await verify_password(password, member.password_hash if member else None)
    if member is None or not correct or not _use_code(member, secrets, code, now):
        await spend(session, tokens, own.key, by_client.key, now=now)
        return None
    await restore(session, tokens, own.key)
    token = tokens.new_token()
    session.add(
        StaffSession(
            id=new_id(),
            token_digest=tokens.digest(token),
            staff_id=member.id,
            user_agent=printable(client.user_agent)[:300],
            address=printable(client.address)[:64],
            created_at=now,
            expires_at=rules.session_expiry(now, now),
        )
    )
    await session.flush()
    return token


async def authenticate(session: AsyncSession, tokens: TokenHasher, *, token: str, now: datetime) -> Staff:
    """Who holds `token`; extends the session. Raises StaffNotSignedIn for an unknown or ended one."""
    row = (
        await session.execute(
            select(StaffSession, StaffMember)
            .join(StaffMember, StaffMember.id == StaffSession.staff_id)
            .where(
                StaffSession.token_digest == tokens.digest(token),
                StaffSession.expires_at > now,
                StaffMember.joined_at.is_not(None),
            )
        )
    ).one_or_none()
    if row is None:
        raise StaffNotSignedIn("You are not signed in to the console.", way_out="Sign in at /admin/sign-in.")
    browser, member = row
    browser.expires_at = rules.session_expiry(browser.created_at, now)
    return Staff(member.id, browser.id, member.name, member.email, browser.created_at)


async def prove(
    session: AsyncSession, tokens: TokenHasher, secrets: SecretBox, staff: Staff, *, code: str, now: datetime
) -> bool:
    """Whether `code` is the one that the app of `staff` shows now, for the first time. A wrong one is counted.

    Raises TooManyRequests while the next has to wait; the code is not looked at then.
    """
    own = Budget(f"staff code {staff.id}", FREE_FAILURES)
    await require_budget(session, tokens, own, refusal="Too many wrong codes.", now=now)
    member = await session.get_one(StaffMember, staff.id, with_for_update=True)
    if _use_code(member, secrets, code, now):
        await restore(session, tokens, own.key)
        return True
    await spend(session, tokens, own.key, now=now)
    return False


async def sign_out(session: AsyncSession, staff: Staff) -> None:
    """End the session, and with it any visit of theirs."""
    await session.execute(delete(StaffSession).where(StaffSession.id == staff.session_id))
    await session.execute(delete(Session).where(Session.impersonated_by == staff.id))


async def delete_ended_staff_sessions(session: AsyncSession, *, now: datetime) -> None:
    """Remove sessions past their end."""
    await session.execute(delete(StaffSession).where(StaffSession.expires_at <= now))


def _use_code(member: StaffMember, secrets: SecretBox, code: str, now: datetime) -> bool:
    step = matching_step(totp_secret(secrets, member), code, now, last_step=member.totp_last_step)
    if step is not None:
        member.totp_last_step = step
    return step is not None
