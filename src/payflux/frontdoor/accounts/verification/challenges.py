"""Challenges as rows: made, found, and superseded."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.verification import rules
from payflux.frontdoor.accounts.verification.models import EmailChallenge
from payflux.frontdoor.accounts.verification.rules import Purpose
from payflux.kit.errors import TooManyRequests
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _


async def lock_user(session: AsyncSession, user_id: UUID) -> User:
    """The user as they are now, and until the transaction ends."""
    found = select(User).where(User.id == user_id).with_for_update().execution_options(populate_existing=True)
    return (await session.execute(found)).scalar_one()


async def issue_challenge(
    session: AsyncSession, *, user: User, purpose: Purpose, email: str, now: datetime
) -> EmailChallenge:
    """A challenge to whoever reads `email`; earlier ones for this purpose are superseded.

    Raises TooManyRequests when the last was sent too short a time ago.
    """
    await lock_user(session, user.id)
    wait_until = await next_mail_at(session, user_id=user.id, purpose=purpose, to=email, now=now)
    if wait_until is not None and now < wait_until:
        raise TooManyRequests(
            _("A mail was sent a short time ago."),
            way_out=_("Look into your mailbox, or wait %(now)s seconds.")
            % {"now": int((wait_until - now).total_seconds()) + 1},
        )
    await supersede(session, user_id=user.id, purposes=[purpose], now=now)
    challenge = EmailChallenge(
        id=new_id(),
        user_id=user.id,
        purpose=purpose,
        email=email,
        previous_email=user.email,
        code_attempts=0,
        created_at=now,
        expires_at=now + rules.LINK_LIFETIME[purpose],
    )
    session.add(challenge)
    await session.flush()
    return challenge


async def next_mail_at(
    session: AsyncSession, *, user_id: UUID, purpose: Purpose, to: str | None = None, now: datetime
) -> datetime | None:
    """When the next mail for this purpose may be sent, to the address of the last unless `to` says another; None: at
    once."""
    query = select(EmailChallenge.created_at, EmailChallenge.email).where(
        EmailChallenge.user_id == user_id,
        EmailChallenge.purpose == purpose,
        EmailChallenge.created_at > now - rules.RESEND_WINDOW,
    )
    sent = (await session.execute(query)).all()
    addresses = {normalize_email(row.email) for row in sent}
    elsewhere = to is not None and normalize_email(to) not in addresses
    return rules.resend_at([row.created_at for row in sent], elsewhere=elsewhere)


async def newest_challenge(
    session: AsyncSession, *, user_id: UUID, purpose: Purpose, lock: bool = False
) -> EmailChallenge | None:
    """The challenge that a code is compared with."""
    found = (
        select(EmailChallenge)
        .where(EmailChallenge.user_id == user_id, EmailChallenge.purpose == purpose)
        .order_by(EmailChallenge.created_at.desc(), EmailChallenge.id.desc())
        .limit(1)
    )
    return (await session.execute(found.with_for_update() if lock else found)).scalar_one_or_none()


async def supersede(session: AsyncSession, *, user_id: UUID, purposes: Collection[Purpose], now: datetime) -> None:
    """Close what is open for these purposes."""
    await session.execute(
        update(EmailChallenge)
        .where(
            EmailChallenge.user_id == user_id,
            EmailChallenge.purpose.in_(purposes),
            EmailChallenge.used_at.is_(None),
            EmailChallenge.superseded_at.is_(None),
        )
        .values(superseded_at=now)
    )


async def get_challenge(session: AsyncSession, challenge_id: UUID) -> EmailChallenge | None:
    return await session.get(EmailChallenge, challenge_id)


async def challenged_address(session: AsyncSession, challenge_id: UUID) -> Addressee | None:
    """Where the mail of a challenge goes."""
    found = select(User.name, EmailChallenge.email, User.language, User.id).join(
        User, User.id == EmailChallenge.user_id
    )
    row = (await session.execute(found.where(EmailChallenge.id == challenge_id))).one_or_none()
    return None if row is None else Addressee(row.name, row.email, "", row.language, row.id)


async def previous_address(session: AsyncSession, challenge_id: UUID) -> Addressee | None:
    """Where its user was written to before."""
    found = select(User.name, EmailChallenge.previous_email, User.language).join(
        User, User.id == EmailChallenge.user_id
    )
    row = (await session.execute(found.where(EmailChallenge.id == challenge_id))).one_or_none()
    return None if row is None else Addressee(row.name, row.previous_email, "", row.language)


async def delete_old_challenges(session: AsyncSession, *, now: datetime) -> None:
    """Remove challenges whose links even a late reader will not open any more."""
    await session.execute(delete(EmailChallenge).where(EmailChallenge.expires_at <= now - rules.KEPT_AFTER_EXPIRY))
