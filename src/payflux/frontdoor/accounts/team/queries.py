"""Who is in an account, who is invited into it, and the accounts that a user is in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account, Membership, User
from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.frontdoor.accounts.team.models import AccountInvite, OwnershipTransfer
from payflux.frontdoor.accounts.team.rules import InviteState, SeatAllowance, invite_state, seats_left


@dataclass(frozen=True)
class Member:
    """A member as the others see them."""

    user_id: UUID
    name: str
    email: str
    role: Role
    verified: bool
    joined_at: datetime


@dataclass(frozen=True)
class Invite:
    """An invite that is not accepted, as the members see it."""

    id: UUID
    email: str
    role: Role
    state: InviteState
    invited_by: str  # a name; empty for somebody who has left
    created_at: datetime
    expires_at: datetime
    email_sent_at: datetime | None


@dataclass(frozen=True)
class Seats:
    """How many people the plan allows (`limit`, None without one), and what takes a seat now: `elsewhere` counts the
    people of the account's other workspaces who are not in this one."""

    limit: int | None
    members: int
    invites: int
    elsewhere: int = 0

    @property
    def left(self) -> int | None:
        return seats_left(self.limit, members=self.members + self.elsewhere, invites=self.invites)


# the app's role may read these columns of users alone
_MEMBER = (User.id, User.name, User.email, Membership.role, User.email_verified_at, Membership.created_at)


async def account_name(session: AsyncSession, *, account_id: UUID) -> str:
    """The account's name as it is now."""
    return (await session.execute(select(Account.name).where(Account.id == account_id))).scalar_one()


async def members(session: AsyncSession, *, account_id: UUID) -> list[Member]:
    """The account's members, the owner first, then by when they joined."""
    query = (
        select(*_MEMBER)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.account_id == account_id)
        .order_by((Membership.role == Role.OWNER).desc(), Membership.created_at, User.id)
    )
    return [
        Member(user_id, name, email, Role(role), verified_at is not None, joined_at)
        for user_id, name, email, role, verified_at, joined_at in await session.execute(query)
    ]


async def find_member(session: AsyncSession, *, account_id: UUID, user_id: UUID) -> Member | None:
    """A member of the account, or None."""
    found = [member for member in await members(session, account_id=account_id) if member.user_id == user_id]
    return found[0] if found else None


async def pending_invites(session: AsyncSession, *, account_id: UUID, now: datetime) -> list[Invite]:
    """Invites that are open or expired, the newest first."""
    query = (
        select(AccountInvite, User.name)
        .outerjoin(User, User.id == AccountInvite.invited_by)
        .where(
            AccountInvite.account_id == account_id,
            AccountInvite.accepted_at.is_(None),
            AccountInvite.revoked_at.is_(None),
        )
        .order_by(AccountInvite.created_at.desc(), AccountInvite.id)
    )
    return [
        Invite(
            row.id,
            row.email,
            Role(row.role),
            invite_state(row, now),
            name or "",
            row.created_at,
            row.expires_at,
            row.email_sent_at,
        )
        for row, name in await session.execute(query)
    ]


async def seats(session: AsyncSession, *, account_id: UUID, allowance: SeatAllowance, now: datetime) -> Seats:
    """What takes a seat of what the account may have: members, and invites that are open, which hold one so that nobody
    accepts one into a full account."""
    members = select(User.email_normalized).join(Membership, Membership.user_id == User.id)
    invites = select(AccountInvite.email_normalized).where(
        AccountInvite.account_id == account_id,
        AccountInvite.accepted_at.is_(None),
        AccountInvite.revoked_at.is_(None),
        AccountInvite.expires_at > now,
    )
    present = set((await session.execute(members.where(Membership.account_id == account_id))).scalars())
    invited = set((await session.execute(invites)).scalars())
    return Seats(allowance.limit, len(present), len(invited), len(allowance.elsewhere - present - invited))


async def open_transfer(session: AsyncSession, *, account_id: UUID, now: datetime) -> OwnershipTransfer | None:
    """The offer of ownership that waits for an answer, or None."""
    query = select(OwnershipTransfer).where(
        OwnershipTransfer.account_id == account_id,
        OwnershipTransfer.closed_at.is_(None),
        OwnershipTransfer.expires_at > now,
    )
    return (await session.execute(query)).scalar_one_or_none()
