"""Join the staff by a one-time link, and leave it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.factors.rules import matching_step
from payflux.frontdoor.accounts.models import Session
from payflux.frontdoor.accounts.passwords import hash_password, password_problem
from payflux.frontdoor.accounts.rules import is_email, normalize_email, printable
from payflux.frontdoor.staff import rules
from payflux.frontdoor.staff.models import StaffMember, StaffSession
from payflux.kit.crypto import SecretBox, TokenHasher
from payflux.kit.errors import InvalidInput, NotFound
from payflux.kit.ids import new_id

ISSUER = "PayFlux staff"


@dataclass(frozen=True)
class Joining:
    """Somebody who holds a good link: what their authenticator app is given. `uri` is the key URI that its QR code
    holds, `secret` the same to type (base32)."""

    name: str
    email: str
    secret: str
    uri: str


async def add_staff(
    session: AsyncSession, tokens: TokenHasher, secrets: SecretBox, *, email: str, name: str = "", now: datetime
) -> str:
    """Let `email` join the staff; returns the token of their link, good once and for 24 hours.

    For one who is staff already, or was, this starts anew: their password, authenticator app and sessions end.
    Raises InvalidInput.
    """
    address = normalize_email(email)
    if not is_email(address):
        raise InvalidInput({"email": "Enter an e-mail address like you@company.com."})
    query = select(StaffMember).where(StaffMember.email_normalized == address).with_for_update()
    member = (await session.execute(query)).scalar_one_or_none()
    if member is None:
        member = StaffMember(id=new_id(), email=email.strip(), email_normalized=address, created_at=now)
        member.name = address.partition("@")[0]
        session.add(member)
    else:
        await end_staff_sessions(session, member)
    token = tokens.new_token()
    member.name = printable(" ".join(name.split()))[:200] or member.name
    member.password_hash = member.joined_at = member.ended_at = member.totp_last_step = None
    member.totp_secret = secrets.encrypt(pyotp.random_base32(), bound_to=_bound_to(member))
    member.link_digest, member.link_expires_at = tokens.digest(token), now + rules.LINK_LIFETIME
    await session.flush()
    return token


async def open_joining_link(
    session: AsyncSession, tokens: TokenHasher, secrets: SecretBox, *, token: str, now: datetime
) -> Joining:
    """What the holder of a link is shown; looking at it uses nothing up. Raises NotFound for a link that is no good."""
    return _shown(secrets, await _invited(session, tokens, token, now))


async def join(
    session: AsyncSession,
    tokens: TokenHasher,
    secrets: SecretBox,
    *,
    token: str,
    password: str,
    code: str,
    now: datetime,
) -> None:
    """Use the link: set the password, and take the app whose `code` this is. It signs nobody in.

    Raises NotFound for a link that is no good, and InvalidInput; the link then stays good.
    """
    member = await _invited(session, tokens, token, now)
    problems = {}
    if problem := password_problem(password, context=(member.name, member.email)):
        problems["password"] = problem
    step = matching_step(totp_secret(secrets, member), code, now, last_step=None)
    if step is None:
        problems["code"] = "This is not the code that your app shows now."
    if problems:
        raise InvalidInput(problems)
    member.password_hash, member.totp_last_step, member.joined_at = await hash_password(password), step, now
    member.link_digest = member.link_expires_at = None
    await session.flush()


async def remove_staff(session: AsyncSession, *, email: str, now: datetime) -> None:
    """End somebody's time on the staff, with their sessions and visits. Raises NotFound."""
    query = select(StaffMember).where(StaffMember.email_normalized == normalize_email(email))
    member = (await session.execute(query.where(StaffMember.ended_at.is_(None)))).scalar_one_or_none()
    if member is None:
        raise NotFound("Nobody on the staff has this address.", way_out="Check how it is spelled.")
    member.ended_at = now
    member.password_hash = member.joined_at = member.link_digest = member.link_expires_at = None
    await end_staff_sessions(session, member)


async def end_staff_sessions(session: AsyncSession, member: StaffMember) -> None:
    """End what a member of staff has open: in the console, and at their visits."""
    await session.execute(delete(StaffSession).where(StaffSession.staff_id == member.id))
    await session.execute(delete(Session).where(Session.impersonated_by == member.id))


def totp_secret(secrets: SecretBox, member: StaffMember) -> str:
    """The secret (base32) of a member's authenticator app."""
    return secrets.decrypt(member.totp_secret, bound_to=_bound_to(member))


async def _invited(session: AsyncSession, tokens: TokenHasher, token: str, now: datetime) -> StaffMember:
    query = select(StaffMember).where(
        StaffMember.link_digest == tokens.digest(token), StaffMember.link_expires_at > now
    )
    member = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if member is None:
        raise NotFound(
            "This link was used, has expired, or is none of ours.",
            way_out="Ask whoever added you for a new one: payflux admin add-staff makes it.",
        )
    return member


def _shown(secrets: SecretBox, member: StaffMember) -> Joining:
    secret = totp_secret(secrets, member)
    uri = pyotp.TOTP(secret).provisioning_uri(name=member.email, issuer_name=ISSUER)
    return Joining(member.name, member.email, secret, uri)


def _bound_to(member: StaffMember) -> str:
    return f"staff_members.totp_secret:{member.id}"
