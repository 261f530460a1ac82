"""Which of the mails that come by themselves a member wants. What has to be told is not asked about."""

from __future__ import annotations

import base64
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import MailOptOut, MailSubscription
from payflux.kit.audit import record_change
from payflux.kit.crypto import TokenHasher


class MailKind(StrEnum):
    """What a member may do without."""

    WEEKLY_SUMMARY = "weekly_summary"
    ALERTS = "alerts"
    REMINDERS = "reminders"
    REPORTS = "reports"
    CHECKPOINTS = "checkpoints"


KIND_OF = {
    "weekly_summary": MailKind.WEEKLY_SUMMARY,
    "alert": MailKind.ALERTS,
    "alert_digest": MailKind.ALERTS,
    "activation_reminder": MailKind.REMINDERS,
    "evidence_report": MailKind.REPORTS,
    "ledger_checkpoint": MailKind.CHECKPOINTS,
}
"""The kind of each mail, by its name; a mail without one is always sent."""

ASKED_FOR = frozenset({MailKind.CHECKPOINTS})
"""The kinds that come only to who asks for them."""

_KINDS = list(MailKind)
_IDS_BYTES, _MAC_BYTES = 33, 32


class Unsubscribing(NamedTuple):
    """Which member of which account does without which mails."""

    account_id: UUID
    user_id: UUID
    kind: MailKind


async def opted_out(session: AsyncSession, *, account_id: UUID, kind: MailKind) -> set[UUID]:
    """The members of the account who do without `kind`."""
    row = MailOptOut
    found = await session.execute(select(row.user_id).where(row.account_id == account_id, row.kind == kind))
    return set(found.scalars())


async def subscribers(session: AsyncSession, *, account_id: UUID, kind: MailKind) -> set[UUID]:
    """The members of the account who have asked for `kind`."""
    row = MailSubscription
    found = await session.execute(select(row.user_id).where(row.account_id == account_id, row.kind == kind))
    return set(found.scalars())


async def unwanted_kinds(session: AsyncSession, *, account_id: UUID, user_id: UUID) -> set[MailKind]:
    """What a member does without, or has not asked for."""

    async def kinds(row: type[MailOptOut | MailSubscription]) -> set[MailKind]:
        found = await session.execute(select(row.kind).where(row.account_id == account_id, row.user_id == user_id))
        return set(map(MailKind, found.scalars()))

    return await kinds(MailOptOut) | ASKED_FOR - await kinds(MailSubscription)


async def set_unwanted(session: AsyncSession, whose: Unsubscribing, *, unwanted: bool, now: datetime) -> None:
    """Have a member do without a kind of mail, or get it again. A second time changes nothing."""
    asked_for, keys = whose.kind in ASKED_FOR, whose._asdict()
    row = MailSubscription if asked_for else MailOptOut
    if unwanted is not asked_for:
        since = {"since" if asked_for else "opted_out_at": now}
        statement = insert(row).values(**keys, **since).on_conflict_do_nothing().returning(row.kind)
    else:
        same = (getattr(row, name) == value for name, value in keys.items())
        statement = delete(row).where(*same).returning(row.kind)
    if (await session.execute(statement)).scalar_one_or_none() is not None:
        await record_change(
            session,
            account_id=whose.account_id,
            actor_id=whose.user_id,
            action="mail_preferences.changed",
            subject=str(whose.user_id),
            at=now,
            before={whose.kind: unwanted},
            after={whose.kind: not unwanted},
        )


def unsubscribe_code(tokens: TokenHasher, whose: Unsubscribing) -> str:
    """The code in the link by which a mail is unsubscribed from, without signing in: whom it is about, and a MAC."""
    ids = whose.account_id.bytes + whose.user_id.bytes + bytes([_KINDS.index(whose.kind)])
    return base64.urlsafe_b64encode(ids + tokens.digest(f"unsubscribe {ids.hex()}")).decode().rstrip("=")


def read_unsubscribe_code(tokens: TokenHasher, code: str) -> Unsubscribing | None:
    """Whom `code` is about; None where it is not one of ours."""
    try:
        raw = base64.b64decode(code.encode("ascii") + b"=" * (-len(code) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    ids, mac = raw[:_IDS_BYTES], raw[_IDS_BYTES:]
    if len(mac) != _MAC_BYTES or not tokens.matches(mac.hex(), f"unsubscribe {ids.hex()}"):
        return None
    return Unsubscribing(UUID(bytes=ids[:16]), UUID(bytes=ids[16:32]), _KINDS[ids[32]])
