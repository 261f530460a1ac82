"""Checks the audit logs: whether each account's chain holds, from its first entry to the end it is known to have."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.audit import AuditEntry, AuditHead
from payflux.kit.audit_chain import FIRST_HASH, Break, find_breaks
from payflux.kit.database import Database

log = structlog.get_logger(__name__)


async def verify_log(session: AsyncSession, *, account_id: UUID) -> list[Break]:
    """Where the audit log of an account does not hold; empty when it does."""
    # one statement, so that entries and end are of one instant; neither hides the loss of the other
    both = select(AuditHead, AuditEntry).join(AuditEntry, AuditEntry.account_id == AuditHead.account_id, full=True)
    of_account = or_(AuditHead.account_id == account_id, AuditEntry.account_id == account_id)
    rows = (await session.execute(both.where(of_account).order_by(AuditEntry.sequence))).all()
    head = rows[0][0] if rows else None
    return find_breaks(
        [entry.link() for _, entry in rows if entry is not None],
        last_sequence=head.sequence if head else 0,
        last_hash=head.hash if head else FIRST_HASH,
    )


async def verify_every_log(database: Database) -> Mapping[UUID, list[Break]]:
    """The breaks of every account's audit log; an account without one has an empty list. Logs the outcome."""
    async with database.system() as session:
        of_heads, of_entries = select(AuditHead.account_id), select(AuditEntry.account_id)
        accounts = (await session.execute(of_heads.union(of_entries))).scalars().all()
    found: dict[UUID, list[Break]] = {}
    for account_id in sorted(accounts):
        async with database.system() as session:
            found[account_id] = await verify_log(session, account_id=account_id)
        for each in found[account_id]:
            log.error("audit log broken", account_id=str(account_id), sequence=each.sequence, flaw=each.flaw)
    log.info("audit logs checked", accounts=len(found), broken=sum(bool(breaks) for breaks in found.values()))
    return found
