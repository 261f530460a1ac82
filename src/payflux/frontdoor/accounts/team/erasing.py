"""Delete every row of an account, and keep a receipt. What has to end outside first is the bridge's business."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account, Membership
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.exporting import account_tables
from payflux.frontdoor.accounts.team.models import DeletionReceipt
from payflux.kit.crypto import SecretBox
from payflux.kit.ids import new_id


async def erase_account(
    session: AsyncSession, secrets: SecretBox, who: SignedIn, *, now: datetime
) -> tuple[DeletionReceipt, list[UUID]]:
    """Delete all rows of the caller's account; returns the receipt, and who the members were.

    Tables that the app may only add to are emptied by the cascade from `accounts`.
    """
    member_ids = list(
        (await session.execute(select(Membership.user_id).where(Membership.account_id == who.account_id))).scalars()
    )
    rows = {}
    for table, account_column in account_tables().items():
        counted = select(func.count()).select_from(table).where(account_column == who.account_id)
        if number := (await session.execute(counted)).scalar_one():
            rows[table.name] = number
    receipt_id = new_id()
    receipt = DeletionReceipt(
        id=receipt_id,
        deleted_account_id=who.account_id,
        deleted_by=who.user_id,
        deleted_at=now,
        rows=rows,
        mail_to=secrets.encrypt(who.email, bound_to=f"deletion_receipts.mail_to.{receipt_id}"),
    )
    session.add(receipt)
    await session.flush()
    await erase_rows(session, account_id=who.account_id)
    await session.execute(delete(Account).where(Account.id == who.account_id))
    return receipt, member_ids


async def erase_rows(session: AsyncSession, *, account_id: UUID) -> None:
    """Delete the account's rows from every table that the session's role may delete from, children before parents."""
    for table, account_column in reversed(account_tables().items()):
        if table.name in ("accounts", "memberships"):
            continue  # go last and together, so that at no moment an account is without its owner
        allowed = text("SELECT has_table_privilege(CAST(:name AS text), 'DELETE')")
        if (await session.execute(allowed, {"name": table.name})).scalar_one():
            await session.execute(delete(table).where(account_column == account_id))
