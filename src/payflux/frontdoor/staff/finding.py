"""Find an account or a user, and see what the front door knows of them, as the system role reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.bounces import bounces_of
from payflux.frontdoor.accounts.family import FurtherWorkspace, Place, places_of, workspaces_of
from payflux.frontdoor.accounts.models import Account, MailBounce, Membership, Session, User
from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.team.queries import Invite, Member, members, pending_invites
from payflux.frontdoor.billing.models import Subscription
from payflux.kit.audit import AuditEntry
from payflux.kit.errors import NotFound

Row = TypeVar("Row", Account, User)

MOST_FOUND = 25
MOST_ENTRIES = 100


@dataclass(frozen=True)
class Found:
    """What a search found, the newest first: at most :data:`MOST_FOUND` accounts, and as many users."""

    accounts: list[Account]
    users: list[User]


@dataclass(frozen=True)
class AccountRecord:
    """An account as the front door knows it. A further workspace has a `parent`, and an account the `workspaces` that
    belong to it. `subscriptions` and `entries` (of its log) have the newest first."""

    account: Account
    members: list[Member]
    invites: list[Invite]
    subscriptions: list[Subscription]
    entries: list[AuditEntry]
    parent: Account | None = None
    workspaces: tuple[FurtherWorkspace, ...] = ()


@dataclass(frozen=True)
class UserRecord:
    """A user: the accounts they belong to, the sessions that have not ended, the one used last first, and what came
    back of the mails to them, the newest first."""

    user: User
    places: list[Place]
    sessions: list[Session]
    bounces: list[MailBounce]


async def find(session: AsyncSession, typed: str) -> Found:
    """Accounts and users by id, by the beginning of an address, or by a part of a name."""
    words = " ".join(typed.split())
    if not words:
        return Found([], [])
    if (wanted := as_id(words)) is not None:
        accounts, users = select(Account).where(Account.id == wanted), select(User).where(User.id == wanted)
    elif "@" in words:
        users = select(User).where(User.email_normalized.startswith(normalize_email(words), autoescape=True))
        theirs = select(Membership.account_id).join(User, User.id == Membership.user_id)
        accounts = select(Account).where(
            Account.id.in_(theirs.where(User.email_normalized.startswith(normalize_email(words), autoescape=True)))
        )
    else:
        accounts = select(Account).where(Account.name.icontains(words, autoescape=True))
        by_address = User.email_normalized.startswith(words.lower(), autoescape=True)
        users = select(User).where(or_(User.name.icontains(words, autoescape=True), by_address))
    return Found(
        await _newest(session, accounts.order_by(Account.created_at.desc())),
        await _newest(session, users.order_by(User.created_at.desc())),
    )


async def accounts_by_id(session: AsyncSession, account_ids: set[UUID]) -> list[Account]:
    """These accounts, the newest first."""
    query = select(Account).where(Account.id.in_(account_ids)).order_by(Account.created_at.desc())
    return await _newest(session, query)


async def account_record(session: AsyncSession, *, account_id: UUID, now: datetime) -> AccountRecord:
    """Everything about one account. Raises NotFound."""
    account = await session.get(Account, account_id)
    if account is None:
        raise NotFound("There is no such account (any more).", way_out="Search again.")
    bought = select(Subscription).where(Subscription.account_id == account_id).order_by(Subscription.created_at.desc())
    entries = select(AuditEntry).where(AuditEntry.account_id == account_id)
    newest = entries.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(MOST_ENTRIES)
    return AccountRecord(
        account=account,
        members=await members(session, account_id=account_id),
        invites=await pending_invites(session, account_id=account_id, now=now),
        subscriptions=list((await session.execute(bought)).scalars()),
        entries=list((await session.execute(newest)).scalars()),
        parent=await session.get(Account, account.parent_id) if account.parent_id else None,
        workspaces=tuple(await workspaces_of(session, account_id=account_id)),
    )


async def user_record(session: AsyncSession, *, user_id: UUID, now: datetime) -> UserRecord:
    """Everything about one user. Raises NotFound."""
    user = await session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such user (any more).", way_out="Search again.")
    running = select(Session).where(Session.user_id == user_id, Session.expires_at > now)
    return UserRecord(
        user=user,
        places=await places_of(session, user_id=user_id),
        sessions=list((await session.execute(running.order_by(Session.last_used_at.desc()))).scalars()),
        bounces=await bounces_of(session, user_id=user_id),
    )


def as_id(typed: str) -> UUID | None:
    """`typed` as an id, or None where it is none."""
    try:
        return UUID(typed)
    except ValueError:
        return None


async def _newest(session: AsyncSession, query: Select[Row]) -> list[Row]:
    return list((await session.execute(query.limit(MOST_FOUND))).scalars())
