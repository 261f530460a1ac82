"""What staff may do to an account, each act in the account's own log under the name of whoever did it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts import sessions
from payflux.frontdoor.accounts.family import parent_of
from payflux.frontdoor.accounts.models import Membership, User
from payflux.frontdoor.accounts.resetting import request_reset
from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.frontdoor.accounts.team.models import OwnershipTransfer
from payflux.frontdoor.accounts.team.queries import find_member
from payflux.frontdoor.accounts.team.transfers import RecipientNotVerified, hand_over_workspaces
from payflux.frontdoor.accounts.verification.proving import send_verification
from payflux.frontdoor.staff import rules
from payflux.frontdoor.staff.signing_in import Staff
from payflux.kit.audit import AuditEntry, record_change
from payflux.kit.errors import Conflict, InvalidInput, NotFound
from payflux.kit.ids import new_id
from payflux.world.outbox import enqueue_mail

log = structlog.get_logger(__name__)

MailKind = Literal["verification", "password_reset"]


async def record_act(
    session: AsyncSession, staff: Staff, *, account_id: UUID, act: str, subject: str, at: datetime, **after: object
) -> None:
    """Write what `staff` did to the log of the account, in the transaction of the act."""
    await record_change(
        session,
        account_id=account_id,
        actor_id=staff.id,
        action=f"staff.{act}",
        subject=subject,
        at=at,
        after={"staff": str(staff), **after},
    )


async def record_look(session: AsyncSession, staff: Staff, *, account_id: UUID, now: datetime) -> None:
    """Write that `staff` opened the account, once for each time that they signed in."""
    action = "staff.account_opened"
    earlier = select(AuditEntry.id).where(
        AuditEntry.account_id == account_id,
        AuditEntry.at >= staff.signed_in_at,
        AuditEntry.actor_id == staff.id,
        AuditEntry.action == action,
    )
    if (await session.execute(earlier.limit(1))).scalar_one_or_none() is None:
        await record_act(session, staff, account_id=account_id, act="account_opened", subject=str(account_id), at=now)


def require_reason(reason: str) -> str:
    """`reason` as it is kept. Raises InvalidInput for one that explains nothing."""
    if problem := rules.reason_problem(reason):
        raise InvalidInput({"reason": problem}, message=problem)
    return " ".join(reason.split())


async def send_again(session: AsyncSession, staff: Staff, *, user_id: UUID, kind: MailKind, now: datetime) -> None:
    """Mail a user, to their own address alone, the link that verifies it or one that sets a new password.

    Raises NotFound, AlreadyVerified, and TooManyRequests for a verification that was mailed a short time ago.
    """
    user = await _user(session, user_id)
    if kind == "verification":
        await send_verification(session, user, now)
    else:
        await request_reset(session, email=user.email, now=now)
    await _record_for_user(session, staff, user_id=user_id, act="mail_sent", now=now, mail=kind)


async def end_user_sessions(session: AsyncSession, staff: Staff, *, user_id: UUID, now: datetime) -> int:
    """Sign a user out of every browser and program; returns how many sessions ended. Raises NotFound."""
    await _user(session, user_id)
    ended = await sessions.end_sessions(session, user_id=user_id)
    await _record_for_user(session, staff, user_id=user_id, act="sessions_ended", now=now, sessions=ended)
    return ended


async def transfer_ownership(
    session: AsyncSession, staff: Staff, *, account_id: UUID, user_id: UUID, reason: str, now: datetime
) -> None:
    """Make a member the owner without the owner, who becomes an admin, in the account and its workspaces; both are told
    by mail. `session` is a tenant's. An open offer of the owner's is canceled.

    Raises InvalidInput without a reason, NotFound for somebody who is no member, Conflict for the owner and in a
    further workspace, and RecipientNotVerified.
    """
    reason = require_reason(reason)
    if await parent_of(session, account_id=account_id) is not None:
        raise Conflict("A workspace is owned by who owns its account.", way_out="Change the owner of the account.")
    rows = select(Membership).where(Membership.account_id == account_id).order_by(Membership.user_id).with_for_update()
    members = {member.user_id: member for member in (await session.execute(rows)).scalars()}
    heir = await find_member(session, account_id=account_id, user_id=user_id)
    if heir is None:
        raise NotFound("They are not a member of this account.", way_out="The owner can invite them first.")
    owner = next(member for member in members.values() if member.role == Role.OWNER)
    if owner.user_id == user_id:
        raise Conflict(f"{heir.name} owns the account already.", way_out="There is nothing left to do.")
    if not heir.verified:
        raise RecipientNotVerified(f"{heir.name} has not verified their e-mail address.", way_out="Ask them to first.")
    open_offers = update(OwnershipTransfer).where(
        OwnershipTransfer.account_id == account_id, OwnershipTransfer.closed_at.is_(None)
    )
    await session.execute(open_offers.values(closed_at=now, outcome="canceled"))
    owner.role = Role.ADMIN
    await session.flush()  # the index allows no second owner even for a moment
    members[user_id].role = Role.OWNER
    await hand_over_workspaces(
        session, account_id=account_id, from_user_id=owner.user_id, to_user_id=user_id, actor_id=staff.id, now=now
    )
    transfer = OwnershipTransfer(
        account_id=account_id,
        id=new_id(),
        from_user_id=owner.user_id,
        to_user_id=user_id,
        requested_at=now,
        expires_at=now,
        closed_at=now,
        outcome="forced",
    )
    session.add(transfer)
    await session.flush()
    await record_act(
        session,
        staff,
        account_id=account_id,
        act="ownership_transferred",
        subject=str(transfer.id),
        at=now,
        reason=reason,
        previous_owner=str(owner.user_id),
        owner=str(user_id),
    )
    for told in (owner.user_id, user_id):
        ids = {"transfer_id": str(transfer.id), "event": "forced"}
        await enqueue_mail(session, "ownership_transfer", account_id, told, **ids)


async def _user(session: AsyncSession, user_id: UUID) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such user (any more).", way_out="Search again.")
    return user


async def _record_for_user(
    session: AsyncSession, staff: Staff, *, user_id: UUID, act: str, now: datetime, **after: object
) -> None:
    """The log of each account that the user belongs to; the process log where they belong to none."""
    query = select(Membership.account_id).where(Membership.user_id == user_id).order_by(Membership.account_id)
    accounts = (await session.execute(query)).scalars().all()
    if not accounts:
        log.info("staff act on a user without account", act=act, staff_id=str(staff.id), user_id=str(user_id))
    for account_id in accounts:
        await record_act(session, staff, account_id=account_id, act=act, subject=str(user_id), at=now, **after)
