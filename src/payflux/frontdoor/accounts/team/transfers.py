"""Hand an account to another member: the owner offers, the member accepts. Until then nothing changes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.family import workspaces_of
from payflux.frontdoor.accounts.models import Membership
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team import queries, rules
from payflux.frontdoor.accounts.team.capabilities import Role, may
from payflux.frontdoor.accounts.team.models import OwnershipTransfer
from payflux.kit.audit import record_change
from payflux.kit.database import in_account
from payflux.kit.errors import Conflict, Forbidden, NotFound
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.world.outbox import enqueue_mail


class TransferRefused(Forbidden):
    code = "transfer_refused"


class TransferOpen(Conflict):
    code = "transfer_open"


class RecipientNotVerified(Conflict):
    code = "recipient_not_verified"


async def request_transfer(session: AsyncSession, who: SignedIn, *, user_id: UUID, now: datetime) -> OwnershipTransfer:
    """Offer the ownership of the account to a member. Both are told by mail, of this and of the answer.

    Raises TransferRefused, NotFound, RecipientNotVerified, and TransferOpen while an earlier offer waits.
    """
    if not may(await _locked_role(session, who), "account.transfer"):
        raise TransferRefused(_("Only the owner can transfer the account."), way_out=_("Ask the owner."))
    member = await queries.find_member(session, account_id=who.account_id, user_id=user_id)
    if member is None or member.user_id == who.user_id:
        raise NotFound(_("The new owner has to be another member of the account."), way_out=_("Invite them first."))
    if not member.verified:
        raise RecipientNotVerified(
            _("%(name)s has not verified their e-mail address.") % {"name": member.name},
            way_out=_("Ask them to, then offer it again."),
        )
    await _close_expired(session, who, now=now)
    if await queries.open_transfer(session, account_id=who.account_id, now=now) is not None:
        raise TransferOpen(_("An offer waits for its answer."), way_out=_("Cancel it before you make another."))
    offer = OwnershipTransfer(
        account_id=who.account_id,
        id=new_id(),
        from_user_id=who.user_id,
        to_user_id=user_id,
        requested_at=now,
        expires_at=now + rules.TRANSFER_LIFETIME,
    )
    session.add(offer)
    await session.flush()
    await _tell(session, who, "offered", offer, now=now)
    return offer


async def cancel_transfer(session: AsyncSession, who: SignedIn, *, now: datetime) -> OwnershipTransfer:
    """Take the open offer back, as the owner. Raises TransferRefused, and NotFound when none is open."""
    if not may(await _locked_role(session, who), "account.transfer"):
        raise TransferRefused(_("Only the owner can cancel the transfer."), way_out=_("Decline it, if it is yours."))
    return await _close(session, who, await _open(session, who, now=now), "canceled", now=now)


async def decline_transfer(session: AsyncSession, who: SignedIn, *, now: datetime) -> OwnershipTransfer:
    """Refuse the open offer, as the member it was made to. Raises NotFound when there is none to them."""
    await _locked_role(session, who)
    return await _close(session, who, await _mine(session, who, now=now), "declined", now=now)


async def accept_transfer(session: AsyncSession, who: SignedIn, *, now: datetime) -> OwnershipTransfer:
    """Become the owner, also of the account's workspaces; the owner until now becomes an admin. At every commit there
    is exactly one.

    Raises TransferRefused for an unverified address, and NotFound when there is no open offer to the caller.
    """
    if not who.email_verified:
        raise TransferRefused(
            _("Your e-mail address is not verified."),
            way_out=_("Verify it, then accept. The offer stays open until it expires."),
            code="email_not_verified",
        )
    await _locked_role(session, who)
    offer = await _mine(session, who, now=now)
    # in this order: the index allows no second owner even for a moment
    await _set_role(session, who.account_id, offer.from_user_id, Role.ADMIN)
    await _set_role(session, who.account_id, who.user_id, Role.OWNER)
    await hand_over_workspaces(
        session,
        account_id=who.account_id,
        from_user_id=offer.from_user_id,
        to_user_id=who.user_id,
        actor_id=who.user_id,
        now=now,
    )
    return await _close(session, who, offer, "accepted", now=now)


async def hand_over_workspaces(
    session: AsyncSession, *, account_id: UUID, from_user_id: UUID, to_user_id: UUID, actor_id: UUID, now: datetime
) -> None:
    """Make the account's new owner the owner of each of its workspaces, whether or not they were in it, and the former
    one an admin there."""
    for workspace in await workspaces_of(session, account_id=account_id):
        async with in_account(session, workspace.id):
            former = (Membership.account_id == workspace.id, Membership.user_id == from_user_id)
            await session.execute(update(Membership).where(*former).values(role=Role.ADMIN))
            place = {"account_id": workspace.id, "user_id": to_user_id, "role": Role.OWNER, "created_at": now}
            owning = insert(Membership).values(place)
            key = [Membership.account_id, Membership.user_id]
            await session.execute(owning.on_conflict_do_update(index_elements=key, set_={"role": Role.OWNER}))
            await record_change(
                session,
                account_id=workspace.id,
                actor_id=actor_id,
                action="ownership.accepted",
                subject=str(workspace.id),
                at=now,
                before={"owner": str(from_user_id)},
                after={"owner": str(to_user_id)},
            )


async def _locked_role(session: AsyncSession, who: SignedIn) -> str:
    """The caller's role as it is now; one change of ownership comes after the other."""
    members = select(Membership.user_id, Membership.role).where(Membership.account_id == who.account_id)
    rows = await session.execute(members.order_by(Membership.user_id).with_for_update())
    role = {member.user_id: member.role for member in rows}.get(who.user_id)
    if role is None:
        raise NotFound(_("You are not a member of this account (any more)."), way_out=_("Sign in again."))
    return role


async def _open(session: AsyncSession, who: SignedIn, *, now: datetime) -> OwnershipTransfer:
    offer = await queries.open_transfer(session, account_id=who.account_id, now=now)
    if offer is None:
        raise NotFound(_("No transfer of ownership is open."), way_out=_("Reload the page to see how it stands."))
    return offer


async def _mine(session: AsyncSession, who: SignedIn, *, now: datetime) -> OwnershipTransfer:
    offer = await _open(session, who, now=now)
    owner = select(Membership.user_id).where(Membership.account_id == who.account_id, Membership.role == Role.OWNER)
    if offer.to_user_id != who.user_id or offer.from_user_id != (await session.execute(owner)).scalar_one():
        raise NotFound(
            _("No transfer of ownership is open to you."), way_out=_("Reload the page to see how it stands.")
        )
    return offer


async def _close(
    session: AsyncSession, who: SignedIn, offer: OwnershipTransfer, outcome: str, *, now: datetime
) -> OwnershipTransfer:
    offer.closed_at, offer.outcome = now, outcome
    await session.flush()
    await _tell(session, who, outcome, offer, now=now)
    return offer


async def _close_expired(session: AsyncSession, who: SignedIn, *, now: datetime) -> None:
    await session.execute(
        update(OwnershipTransfer)
        .where(
            OwnershipTransfer.account_id == who.account_id,
            OwnershipTransfer.closed_at.is_(None),
            OwnershipTransfer.expires_at <= now,
        )
        .values(closed_at=now, outcome="expired")
    )


async def _set_role(session: AsyncSession, account_id: UUID, user_id: UUID, role: Role) -> None:
    await session.execute(
        update(Membership).where(Membership.account_id == account_id, Membership.user_id == user_id).values(role=role)
    )


async def _tell(session: AsyncSession, who: SignedIn, event: str, offer: OwnershipTransfer, *, now: datetime) -> None:
    """Write the audit entry, and mail both."""
    await record_change(
        session,
        account_id=who.account_id,
        actor_id=who.user_id,
        action=f"ownership.{event}",
        subject=str(offer.id),
        at=now,
        before={"owner": str(offer.from_user_id)},
        after={"owner": str(offer.to_user_id)},
    )
    for user_id in (offer.from_user_id, offer.to_user_id):
        ids = {"transfer_id": str(offer.id), "event": event}
        await enqueue_mail(session, "ownership_transfer", who.account_id, user_id, **ids)
