"""Keeping what an account's state was: its changes as events, its balances as rows."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.account_changes import account_changes
from payflux.monitor.processors.account_state import AccountState, stored_state
from payflux.monitor.processors.models import Connection, StoredBalance
from payflux.monitor.processors.snapshots import AccountSnapshot, BalanceSnapshot
from payflux.monitor.processors.store import lock_workspace, upsert_events


class StateChange(NamedTuple):
    """Which half of a state says something else than before."""

    account: bool
    balance: bool


async def record_state(session: AsyncSession, connection: Connection, state: AccountState) -> StateChange:
    """Make `state` the connection's snapshot and keep what it changes: the one way to store a state.

    A state that is older than the stored one changes nothing; a half that could not be read leaves the stored half.
    """
    # before the connection's row, as everyone who writes events does: two who wait for each other never end
    await lock_workspace(session, connection.workspace_id)
    query = (
        select(Connection)
        .where(Connection.account_id == connection.account_id, Connection.id == connection.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    locked = (await session.execute(query)).scalar_one()
    known = stored_state(locked.snapshot)
    account, balance = known.account, known.balance
    if state.account is not None and (account is None or account.taken_at < state.account.taken_at):
        changes = account_changes(account, state.account)
        await upsert_events(session, locked, [(change, state.account.taken_at) for change in changes])
        account = state.account
    if state.balance is not None and (balance is None or balance.taken_at < state.balance.taken_at):
        balance = state.balance
        await keep_balance(session, locked, balance)
    locked.snapshot = AccountState(account, balance).stored()
    await session.flush()
    return StateChange(_differ(known.account, account), _differ(known.balance, balance))


def _differ(before: AccountSnapshot | BalanceSnapshot | None, after: AccountSnapshot | BalanceSnapshot | None) -> bool:
    """Whether two snapshots say different things, their times aside."""
    if before is None or after is None:
        return before is not after
    return msgspec.structs.replace(before, taken_at=after.taken_at) != after


async def keep_balance(session: AsyncSession, connection: Connection, balance: BalanceSnapshot) -> None:
    """Keep a balance beside the earlier ones; one of the same instant is kept once."""
    rows = [
        {
            "account_id": connection.account_id,
            "connection_id": connection.id,
            "taken_at": balance.taken_at,
            "currency": currency,
            "available": balance.available.get(currency, 0),
            "pending": balance.pending.get(currency, 0),
            "reserved": balance.reserved.get(currency),
        }
        for currency in sorted(balance.available | balance.pending | balance.reserved)
    ]
    if rows:
        await session.execute(insert(StoredBalance).values(rows).on_conflict_do_nothing())
