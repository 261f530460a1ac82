"""Register, sign in, sign out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts import rules
from payflux.frontdoor.accounts.models import Account, Membership, Session, SignInFailure, User
from payflux.kit.audit import record_change
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import Conflict, InvalidInput, NotSignedIn, TooManyRequests
from payflux.kit.ids import new_id

# slow on purpose, so it runs beside the event loop and not on it
_PASSWORDS = PasswordHash((Argon2Hasher(),))
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
    account_name: str


class EmailTaken(Conflict):
    code = "email_taken"


async def register(
    session: AsyncSession, *, name: str, email: str, password: str, now: datetime
) -> tuple[User, Account]:
    """Create a user and the account they own.

    Raises InvalidInput naming each wrong field, and EmailTaken.
    """
    if problems := rules.registration_problems(name=name, email=email, password=password):
        raise InvalidInput(problems)
    password_hash = await asyncio.to_thread(_PASSWORDS.hash, rules.normalize_password(password))
    added = await session.execute(
        insert(User)
        .values(
            id=new_id(),
            email=email.strip(),
            email_normalized=rules.normalize_email(email),
            name=" ".join(name.split()),
            password_hash=password_hash,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[User.email_normalized])
        .returning(User)
    )
    user = added.scalar_one_or_none()
    if user is None:
        raise EmailTaken("This address cannot be registered again.", way_out="Sign in, or use another address.")
    account = Account(id=new_id(), name=_account_name(user), created_at=now)
    session.add(account)
    await session.flush()
    session.add(Membership(account_id=account.id, user_id=user.id, role="owner", created_at=now))
    await session.flush()
    await record_change(
        session, account_id=account.id, actor_id=user.id, action="account.registered", subject=str(account.id), at=now
    )
    return user, account


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
    stored = user.password_hash if user is not None else None
    typed = rules.normalize_password(password[: 4 * rules.PASSWORD_MAX])
    correct = await asyncio.to_thread(_PASSWORDS.verify, typed, stored or _decoy())
    if user is None or not correct:
        session.add(SignInFailure(id=new_id(), key_digest=key, at=now))
        return None
    await session.execute(delete(SignInFailure).where(SignInFailure.key_digest == key))
    return user


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
        account_name=account.name,
    )


async def sign_out(session: AsyncSession, *, session_id: UUID) -> None:
    """End a session on the server, so that its cookie opens nothing any more."""
    await session.execute(delete(Session).where(Session.id == session_id))


async def delete_ended_sessions(session: AsyncSession, *, now: datetime) -> None:
    """Remove sessions past their end, and refusals past their use."""
    await session.execute(delete(Session).where(Session.expires_at <= now))
    await session.execute(delete(SignInFailure).where(SignInFailure.at <= now - rules.FAILURE_WINDOW))


def _account_name(user: User) -> str:
    domain = user.email_normalized.partition("@")[2].split(".")[0]
    return domain.capitalize() if len(domain) > 1 else f"{user.name}'s business"


@cache
def _decoy() -> str:
    """Verified when there is no such user, so that the answer takes as long either way."""
    return _PASSWORDS.hash("no user has this password")
