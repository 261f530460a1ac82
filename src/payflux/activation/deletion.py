"""Delete an account with its workspaces, or one of these: nothing while something stands in the way, the processors'
access first, then every row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import payflux.activation.tables  # noqa: F401 -- so that no table is passed by
from payflux.frontdoor.accounts.family import workspaces_of
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team import queries
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.accounts.team.erasing import erase_account, erase_rows
from payflux.frontdoor.accounts.team.members import forget_membership
from payflux.frontdoor.accounts.team.models import DeletionReceipt
from payflux.frontdoor.billing.ending import cancel_for_deletion
from payflux.frontdoor.billing.trials import remember_owner
from payflux.kit.audit import record_change
from payflux.kit.database import in_account
from payflux.kit.errors import Conflict, Forbidden, InvalidInput, Unavailable
from payflux.kit.jobs import Payload, enqueue, is_pending
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.account_state import read_state
from payflux.monitor.processors.connecting.ending import give_up_access
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus
from payflux.world.bootstrap import World
from payflux.world.outbox import enqueue_mail_to_address, enqueue_mail_to_user
from payflux.world.stripe import ProcessorUnavailable, StripeFailure, StripeGateway

FORGET_AFTER = timedelta(seconds=15)
"""How long to wait for the mails that a former member is still to be sent."""

SWEEP_UP_AFTER = timedelta(hours=1)
"""When rows that a job wrote while the account was being deleted are deleted too: no job runs for longer."""

log = structlog.get_logger(__name__)


class DeletionBlocked(Conflict):
    """Something has to end before the account can be deleted; `details` types what."""

    code = "deletion_blocked"


@dataclass(frozen=True)
class Blocker:
    """What stands in the way of a deletion, and what to do about it. `code` is stable."""

    code: str
    message: str
    way_out: str


async def deletion_blockers(session: AsyncSession, *, account_id: UUID, now: datetime) -> list[Blocker]:
    """What has to end before the account can be deleted; empty when nothing does."""
    blockers = []
    if await queries.open_transfer(session, account_id=account_id, now=now) is not None:
        blockers.append(
            Blocker("open_transfer", _("The ownership is being transferred."), _("Cancel the offer under Team first."))
        )
    return blockers


async def delete_account(world: World, who: SignedIn, *, typed_name: str) -> DeletionReceipt:
    """Delete the caller's account with its further workspaces and every row of them, or the further workspace that they
    act in, and every member who is in no other; a receipt is kept and mailed to the caller.

    Raises Forbidden for anyone but the owner, InvalidInput unless `typed_name` is the account's name, DeletionBlocked,
    and Unavailable when a processor does not answer: then nothing has been deleted. What is paid for is ended first.
    """
    now = world.clock.now()
    async with world.database.tenant(who.account_id) as session:
        await _refuse(session, who, typed_name, now=now)
        connections = await _connections(session, account_id=who.account_id)
        for workspace in await workspaces_of(session, account_id=who.account_id):
            async with in_account(session, workspace.id):
                connections += await _connections(session, account_id=workspace.id)
    for connection in connections:
        await _require_answer(world, connection)
    await cancel_for_deletion(world, who.account_id)
    for connection in connections:
        await give_up_access(world, connection)
    if who.parent_id is None:
        async with world.database.system() as session:
            await remember_owner(session, world.tokens, account_id=who.account_id, now=now)
    async with world.database.tenant(who.account_id) as session:
        await _refuse(session, who, typed_name, now=now)
        erased = await erase_account(session, world.secrets, who, now=now)
        await enqueue_mail_to_address(session, "deletion_receipt", "deletion_receipts", erased.receipt.id)
        for user_id in sorted({each for members in erased.places.values() for each in members} - {who.user_id}):
            await enqueue_mail_to_user(session, "member_removed", user_id, left_account_id=str(who.account_id))
        for account_id, members in erased.places.items():
            for user_id in members:
                await enqueue_forgetting(session, account_id=account_id, user_id=user_id, parent_id=who.parent_id)
            await enqueue(session, "sweep_up_account", {"account_id": str(account_id)}, delay=SWEEP_UP_AFTER)
        if who.parent_id is not None:
            await _tell_account(session, who, who.parent_id, now=now)
    log.info("account deleted", account_id=str(who.account_id), receipt_id=str(erased.receipt.id))
    return erased.receipt


async def _tell_account(session: AsyncSession, who: SignedIn, account_id: UUID, *, now: datetime) -> None:
    """The log of the account says that one of its workspaces is gone, for that one's own log is too."""
    async with in_account(session, account_id):
        await record_change(
            session,
            account_id=account_id,
            actor_id=who.user_id,
            action="workspace.deleted",
            subject=str(who.account_id),
            at=now,
            before={"name": who.account_name},
        )


async def enqueue_forgetting(
    session: AsyncSession, *, account_id: UUID, user_id: UUID, parent_id: UUID | None = None
) -> None:
    """Have what a former member of an account, or of a workspace of the account `parent_id`, still has ended once
    `session`'s transaction commits."""
    payload = {"account_id": str(account_id), "user_id": str(user_id)}
    await enqueue(session, "forget_member", payload | ({"parent_id": str(parent_id)} if parent_id else {}))


async def forget_member(world: World, payload: Payload) -> None:
    """Job: end the sessions of a former member, and delete the user who is in no account any more; not before the mails
    to them are sent or given up, for their address goes with them."""
    async with world.database.system() as session:
        if await is_pending(session, "send_mail", {"user_id": payload["user_id"]}):
            await enqueue(session, "forget_member", payload, delay=FORGET_AFTER)
            return
        parent_id = UUID(payload["parent_id"]) if "parent_id" in payload else None
        account_id, user_id = UUID(payload["account_id"]), UUID(payload["user_id"])
        await forget_membership(session, account_id=account_id, user_id=user_id, parent_id=parent_id)


async def sweep_up_account(world: World, payload: Payload) -> None:
    """Job: delete what other jobs wrote of an account while it was being deleted."""
    account_id = UUID(payload["account_id"])
    async with world.database.tenant(account_id) as session:
        await erase_rows(session, account_id=account_id)


async def _refuse(session: AsyncSession, who: SignedIn, typed_name: str, *, now: datetime) -> None:
    member = await queries.find_member(session, account_id=who.account_id, user_id=who.user_id)
    if member is None or not may(member.role, "account.delete"):
        raise Forbidden(
            _("Only the owner can delete the account."), way_out=_("Ask the owner."), code="role_not_allowed"
        )
    if " ".join(typed_name.split()) != who.account_name:
        raise InvalidInput(
            {"name": _("Type the account's name exactly: %(account_name)s") % {"account_name": who.account_name}}
        )
    if blockers := await deletion_blockers(session, account_id=who.account_id, now=now):
        raise DeletionBlocked(
            " ".join(blocker.message for blocker in blockers),
            way_out=" ".join(blocker.way_out for blocker in blockers),
            details={"blockers": [vars(blocker) for blocker in blockers]},
        )


async def _connections(session: AsyncSession, *, account_id: UUID) -> list[Connection]:
    query = select(Connection).where(
        Connection.account_id == account_id, Connection.status != ConnectionStatus.DISCONNECTED
    )
    return list((await session.execute(query)).scalars())


async def _require_answer(world: World, connection: Connection) -> None:
    """Raises Unavailable unless Stripe answers for `connection`; a refusal is an answer. So an outage is found before
    the access to any of several processors is given up."""
    if connection.method == ConnectionMethod.WEBHOOK:
        return
    try:
        reader = StripeGateway(world.settings, world.http).reader(await auth_of(world, connection))
        await read_state(reader, now=world.clock.now(), livemode=connection.livemode)
    except ProcessorUnavailable:
        raise Unavailable(
            _("Stripe does not answer, so PayFlux cannot give up its access there. Nothing was deleted."),
            way_out=_("Try again in a few minutes."),
        ) from None
    except StripeFailure:
        log.info("Stripe has ended the access already", connection_id=str(connection.id))
