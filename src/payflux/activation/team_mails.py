"""The mails about invites, members, ownership and deletion: how each is written, and where it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account, Membership, User
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.accounts.team.codes import invite_code
from payflux.frontdoor.accounts.team.models import AccountInvite, DeletionReceipt, InviteMail, OwnershipTransfer
from payflux.frontdoor.accounts.team.rules import CAP_WINDOW, RECIPIENT_CAP, InviteState, invite_state, name_in_mail
from payflux.kit.figures import moment_words
from payflux.kit.jobs import Payload
from payflux.kit.messages import gettext as _
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, write_mail


async def _invited_address(_world: World, session: AsyncSession, invite_id: UUID) -> Addressee | None:
    query = (
        select(AccountInvite.email, Account.name)
        .join(Account, Account.id == AccountInvite.account_id)
        .where(AccountInvite.id == invite_id)
    )
    found = (await session.execute(query)).one_or_none()
    return None if found is None else Addressee(name="", email=found[0], account_name=found[1])


async def _account_invite(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    now, mail_id = world.clock.now(), UUID(payload["invite_mail_id"])
    async with world.database.system() as session:
        query = select(AccountInvite, User.name, User.email).join(User, User.id == AccountInvite.invited_by)
        found = (await session.execute(query.where(AccountInvite.id == UUID(payload["row_id"])))).one_or_none()
        counted = await session.get(InviteMail, (UUID(payload["account_id"]), mail_id))
        if found is None or counted is None or invite_state(found[0], now) is not InviteState.OPEN:
            return None
        earlier = select(func.count()).where(
            InviteMail.recipient_digest == counted.recipient_digest,
            InviteMail.at > counted.at - CAP_WINDOW,
            InviteMail.id < mail_id,  # ids sort by time
        )
        if (await session.execute(earlier)).scalar_one() >= RECIPIENT_CAP.mails:
            return None
    stored, inviter, inviter_email = found
    return write_mail(
        "account_invite",
        inviter=name_in_mail(inviter, otherwise=_("A member")),
        inviter_email=inviter_email,
        account=name_in_mail(addressee.account_name, otherwise=_("their business")),
        role=stored.role,
        expires_at=moment_words(stored.expires_at),
        url=f"{world.settings.url}/accept-invite?{urlencode({'code': invite_code(world.tokens, stored.id)})}",
    )


async def _invite_delivered(world: World, payload: Payload) -> None:
    async with world.database.system() as session:
        sent = update(AccountInvite).where(AccountInvite.id == UUID(payload["row_id"]))
        await session.execute(sent.values(email_sent_at=world.clock.now()))


async def _member_joined(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    async with world.database.system() as session:
        member = await session.get(User, UUID(payload["member_id"]))
    if member is None:
        return None
    return write_mail(
        "member_joined",
        greeting=addressee.greeting,
        account=addressee.account_name,
        member=member.name,
        member_email=member.email,
        url=f"{world.settings.url}/account/team",
    )


async def _added_to_workspace(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    account_id, user_id = UUID(payload["account_id"]), UUID(payload["user_id"])
    async with world.database.system() as session:
        place = await session.get(Membership, (account_id, user_id))
        adder = await session.get(User, UUID(payload["added_by"]))
    if place is None:
        return None
    return write_mail(
        "added_to_workspace",
        greeting=addressee.greeting,
        workspace=addressee.account_name,
        adder=adder.name if adder is not None else _("A member"),
        role=place.role,
        url=f"{world.settings.url}/workspaces",
    )


async def _member_removed(world: World, payload: Payload, addressee: Addressee) -> Mail:
    async with world.database.system() as session:
        account = await session.get(Account, UUID(payload["left_account_id"]))
    return write_mail(
        "member_removed",
        greeting=addressee.greeting,
        account=account.name if account is not None else "",
        url=world.settings.url,
    )


async def _ownership_transfer(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    account_id = UUID(payload["account_id"])
    async with world.database.tenant(account_id) as session:
        offer = await session.get(OwnershipTransfer, (account_id, UUID(payload["transfer_id"])))
        if offer is None:
            return None
        query = select(User.id, User.name).where(User.id.in_([offer.from_user_id, offer.to_user_id]))
        names = {row.id: row.name for row in await session.execute(query)}
    return write_mail(
        "ownership_transfer",
        greeting=addressee.greeting,
        account=addressee.account_name,
        event=payload["event"],
        old_owner=names.get(offer.from_user_id, _("the owner")),
        new_owner=names.get(offer.to_user_id, _("a member")),
        to_new_owner=payload["user_id"] == str(offer.to_user_id),
        expires_at=moment_words(offer.expires_at),
        url=f"{world.settings.url}/account/team",
    )


async def _receipt_address(world: World, session: AsyncSession, receipt_id: UUID) -> Addressee | None:
    receipt = await session.get(DeletionReceipt, receipt_id)
    if receipt is None or receipt.mail_to is None:
        return None
    address = world.secrets.decrypt(receipt.mail_to, bound_to=f"deletion_receipts.mail_to.{receipt_id}")
    return Addressee(name="", email=address, account_name="")


async def _deletion_receipt(world: World, payload: Payload, _addressee: Addressee) -> Mail | None:
    async with world.database.system() as session:
        receipt = await session.get(DeletionReceipt, UUID(payload["row_id"]))
    if receipt is None:
        return None
    return write_mail(
        "deletion_receipt",
        receipt_id=str(receipt.id),
        account_id=str(receipt.deleted_account_id),
        deleted_at=moment_words(receipt.deleted_at),
        total=sum(receipt.rows.values()),
        tables=sorted(receipt.rows.items()),
        url=world.settings.url,
    )


async def _receipt_delivered(world: World, payload: Payload) -> None:
    async with world.database.system() as session:
        sent = update(DeletionReceipt).where(DeletionReceipt.id == UUID(payload["row_id"]))
        await session.execute(sent.values(mail_to=None))


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = {
    "account_invite": _account_invite,
    "added_to_workspace": _added_to_workspace,
    "deletion_receipt": _deletion_receipt,
    "member_joined": _member_joined,
    "member_removed": _member_removed,
    "ownership_transfer": _ownership_transfer,
}
ADDRESSES: dict[str, Callable[[World, AsyncSession, UUID], Awaitable[Addressee | None]]] = {
    "account_invites": _invited_address,
    "deletion_receipts": _receipt_address,
}
DELIVERED: dict[str, Callable[[World, Payload], Awaitable[None]]] = {
    "account_invite": _invite_delivered,
    "deletion_receipt": _receipt_delivered,
}
