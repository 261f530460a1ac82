"""What tells a reader whether what it knows of an account's entitlements is still so: two numbers, read anew each time.

They grow in the transaction of the change, so that whoever sees the change sees the new number, in any process.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# the accounts are next door, where the catalogue does not look: their table is named here, and nothing else of them
_READ = text("""
    SELECT a.entitlements_version, c.version, pg_current_xact_id_if_assigned() IS NULL
    FROM catalogue_state c LEFT JOIN accounts a ON a.id = :account_id
""")
_BUMP_ACCOUNT = text("UPDATE accounts SET entitlements_version = entitlements_version + 1 WHERE id = :account_id")
_BUMP_WORKSPACES = text(
    "UPDATE accounts SET entitlements_version = entitlements_version + 1 WHERE parent_id = :account_id"
)
_BUMP_CATALOGUE = text("UPDATE catalogue_state SET version = version + 1")


class Versions(NamedTuple):
    """The versions of one account's entitlements and of the catalogue. `untouched` while this transaction has written
    nothing: what one that did may still be undone, and its numbers given to another change."""

    account: int
    catalogue: int
    untouched: bool


async def read_versions(session: AsyncSession, *, account_id: UUID) -> Versions:
    """The versions as this transaction sees them. Read before what they are the versions of."""
    account, catalogue, untouched = (await session.execute(_READ, {"account_id": account_id})).one()
    return Versions(account or 0, catalogue, untouched)


async def bump_account(session: AsyncSession, account_id: UUID) -> None:
    """What the account, and each of its workspaces, may do has changed in this transaction: its subscription or an
    override of it. The account's row comes first: who adds a workspace holds it, so that none is missed."""
    await session.execute(_BUMP_ACCOUNT, {"account_id": account_id})
    await session.execute(_BUMP_WORKSPACES, {"account_id": account_id})


async def bump_catalogue(session: AsyncSession) -> None:
    """What is sold has changed in this transaction, for whoever follows it. As the system role or the owner."""
    await session.execute(_BUMP_CATALOGUE)
