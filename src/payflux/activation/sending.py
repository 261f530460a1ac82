"""The mails of an activation and of what follows: each is sent once for its reason, and what became of it is kept."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import ActivationMail, Workspace
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.accounts.team.queries import members
from payflux.kit.ids import new_id
from payflux.kit.jobs import Payload
from payflux.world.bootstrap import World
from payflux.world.outbox import enqueue_mail, enqueue_mail_to_address

SUPPORT = "support"
"""Where support's address is kept: the settings."""

MOST_SHOWN = 100

_ROW = "activation_mail_id"


async def mail_members_once(
    session: AsyncSession,
    mail: str,
    reason: str,
    *,
    account_id: UUID,
    capability: str,
    now: datetime,
    only: Collection[UUID] | None = None,
    **subject_ids: str,
) -> int:
    """Send `mail` to each member (of `only`, where it is given) with `capability` whose address is proven, unless they
    were sent it for the same `reason` before; how many it was sent to now."""
    sent = 0
    for member in await members(session, account_id=account_id):
        chosen = only is None or member.user_id in only
        if not chosen or not member.verified or not may(member.role, capability):
            continue
        row_id = await _note(session, mail, f"{reason} {member.user_id}", account_id, member.user_id, now)
        if row_id is not None:
            ids = _of_row(row_id) | subject_ids
            await enqueue_mail(session, mail, account_id, member.user_id, **ids)
            sent += 1
    return sent


async def mail_support(session: AsyncSession, world: World, workspace: Workspace, *, now: datetime) -> bool:
    """Tell support, once, that the activation of `workspace` has kept failing since it began to; False where nobody is
    named in the settings."""
    if not world.settings.support_email or workspace.failing_since is None:
        return False
    reason = f"failing {workspace.pull_id} {workspace.failing_since.isoformat()}"
    row_id = await _note(session, "activation_failing", reason, workspace.account_id, None, now)
    if row_id is not None:
        ids = {"account_id": str(workspace.account_id)} | _of_row(row_id)
        await enqueue_mail_to_address(session, "activation_failing", SUPPORT, workspace.id, **ids)
    return True


async def note_outcome(
    world: World,
    payload: Payload,
    *,
    delivered: bool = False,
    refused: str = "",
    unwanted: bool = False,
    returning: bool = False,
) -> None:
    """Keep what became of a mail, where it is one of an activation: that the mail server took it, or refused it and
    how, that its reader does without such mails, that mails to them come back, or else that it was out of date by
    then."""
    if _ROW not in payload:
        return
    account_id = UUID(payload["account_id"])
    async with world.database.tenant(account_id) as session:
        row = await session.get(ActivationMail, (account_id, UUID(payload[_ROW])), with_for_update=True)
        if row is None:
            return
        if delivered:
            row.delivered_at, row.outcome = world.clock.now(), "The mail server has taken it."
        elif refused:
            row.refused_at, row.outcome = world.clock.now(), refused
        elif unwanted:
            row.outcome = "Not sent: its reader does without such mails."
        elif returning:
            row.outcome = "Not sent: mails to its reader's address come back."
        else:
            row.outcome = "Not sent: it was out of date."


async def was_delivered(world: World, payload: Payload) -> bool:
    """Whether the mail server has taken this mail of an activation before: its job ran twice."""
    if _ROW not in payload:
        return False
    account_id = UUID(payload["account_id"])
    async with world.database.tenant(account_id) as session:
        row = await session.get(ActivationMail, (account_id, UUID(payload[_ROW])))
    return row is not None and row.delivered_at is not None


async def mails_sent(session: AsyncSession, *, account_id: UUID) -> list[ActivationMail]:
    """What was last mailed about the account's workspace, the newest first."""
    row = ActivationMail
    query = select(row).where(row.account_id == account_id).order_by(row.enqueued_at.desc(), row.id).limit(MOST_SHOWN)
    return list((await session.execute(query)).scalars())


async def support_address(world: World, _session: AsyncSession, _row_id: UUID) -> Addressee | None:
    return Addressee("", world.settings.support_email, "") if world.settings.support_email else None


def _of_row(row_id: UUID) -> dict[str, str]:
    """What ties a mail to its row: the mail's own id is the row's, so that one that comes back names it."""
    return {_ROW: str(row_id), "mail_id": str(row_id)}


async def _note(
    session: AsyncSession, mail: str, reason: str, account_id: UUID, user_id: UUID | None, now: datetime
) -> UUID | None:
    row = {
        "account_id": account_id,
        "id": new_id(),
        "mail": mail,
        "dedupe_key": reason,
        "user_id": user_id,
        "enqueued_at": now,
    }
    added = insert(ActivationMail).values(row).on_conflict_do_nothing().returning(ActivationMail.id)
    return (await session.execute(added)).scalar_one_or_none()
