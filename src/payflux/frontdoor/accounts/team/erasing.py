"""Delete every row of an account, and keep a receipt. What has to end outside first is the bridge's business."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.family import workspaces_of
from payflux.frontdoor.accounts.models import Account, Membership
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.exporting import account_tables
from payflux.frontdoor.accounts.team.models import DeletionReceipt
from payflux.kit.crypto import SecretBox
from payflux.kit.database import in_account
from payflux.kit.ids import new_id


@dataclass(frozen=True)
class Erased:
    """`receipt` is kept; `places` are the members of the account, and of each of its workspaces, by its id."""

    receipt: DeletionReceipt
    places: dict[UUID, list[UUID]]


async def erase_account(session: AsyncSession, secrets: SecretBox, who: SignedIn, *, now: datetime) -> Erased:
    """Delete all rows of the caller's account and of its further workspaces; the receipt counts them together.

    Tables that the app may only add to are emptied by the cascade from `accounts`.
    """
    workspaces = [each.id for each in await workspaces_of(session, account_id=who.account_id)]
    rows: Counter[str] = Counter()
    places: dict[UUID, list[UUID]] = {}
    for account_id in (*workspaces, who.account_id):
        async with in_account(session, account_id):
            places[account_id] = await _members(session, account_id)
            rows += await _counted(session, account_id)
            if account_id != who.account_id:
                await _erase(session, account_id)
    receipt_id = new_id()
    receipt = DeletionReceipt(
        id=receipt_id,
        deleted_account_id=who.account_id,
        deleted_by=who.user_id,
        deleted_at=now,
        rows=dict(rows),
        mail_to=secrets.encrypt(who.email, bound_to=f"deletion_receipts.mail_to.{receipt_id}"),
    )
    session.add(receipt)
    await session.flush()
    await _erase(session, who.account_id)
    return Erased(receipt, places)


async def _members(session: AsyncSession, account_id: UUID) -> list[UUID]:
    return list(
        (await session.execute(select(Membership.user_id).where(Membership.account_id == account_id))).scalars()
    )


async def _counted(session: AsyncSession, account_id: UUID) -> Counter[str]:
    rows: Counter[str] = Counter()
    for table, account_column in account_tables().items():
        counted = select(func.count()).select_from(table).where(account_column == account_id)
        if number := (await session.execute(counted)).scalar_one():
            rows[table.name] = number
    return rows


async def _erase(session: AsyncSession, account_id: UUID) -> None:
    await erase_rows(session, account_id=account_id)
    await session.execute(delete(Account).where(Account.id == account_id))


async def erase_rows(session: AsyncSession, *, account_id: UUID) -> None:
    """Delete the account's rows from every table that the session's role may delete from, children before parents."""
    for table, account_column in reversed(account_tables().items()):
        if table.name in ("accounts", "memberships"):
            continue  # go last and together, so that at no moment an account is without its owner
        allowed = text("SELECT has_table_privilege(CAST(:name AS text), 'DELETE')")
        if (await session.execute(allowed, {"name": table.name})).scalar_one():
            await session.execute(delete(table).where(account_column == account_id))
