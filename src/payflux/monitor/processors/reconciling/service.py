"""Reconciling a connection after a sync: the checks are made, kept, and made again where they differed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.jobs import enqueue
from payflux.monitor.processors.account_state import AccountState
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.models import Connection, ConnectionStatus, StoredBalance
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.processors.reconciling import queries
from payflux.monitor.processors.reconciling.checking import Checked, Checking
from payflux.monitor.processors.reconciling.models import Reconciliation
from payflux.monitor.processors.reconciling.reading import TooMany
from payflux.monitor.processors.reconciling.rules import Balance, Check, Identity
from payflux.monitor.processors.reviewing import refresh_reviews
from payflux.monitor.processors.state_history import record_state
from payflux.world.bootstrap import World
from payflux.world.stripe import PermissionMissing, StripeGateway

RECONCILE_CONNECTION = "reconcile_connection"

SAMPLED_EVERY = timedelta(hours=20)
"""Single objects are compared about once a day; balances and movements after every sync."""

LONGEST_STRETCH = timedelta(days=7)
"""A stretch that began earlier is not added up, and one that differed is not checked again after that long."""

KEPT = timedelta(days=90)
BALANCES_KEPT = timedelta(days=400)

_CHECKED_AGAIN = 3


class _Known(NamedTuple):
    """Where the checks go on. `before` is the balance at the last one."""

    stored: tuple[datetime, datetime]
    before: Balance | None
    movements_since: datetime
    sample: bool
    differing: list[Check]


async def enqueue_reconciliation(session: AsyncSession, connection: Connection) -> None:
    """Have `connection` reconciled once `session`'s transaction commits: call it at the end of every sync."""
    payload = {
        "account_id": str(connection.account_id),
        "connection_id": str(connection.id),
        "workspace_id": str(connection.workspace_id),
    }
    await enqueue(session, RECONCILE_CONNECTION, payload, dedupe_key=f"{RECONCILE_CONNECTION}:{connection.id}")


async def reconcile(world: World, *, account_id: UUID, connection_id: UUID) -> list[Check]:
    """Check everything that can be checked now, and keep what was found. Nothing to check before the first pull is
    finished, or once the connection has ended.

    Raises StripeFailure, after which nothing of this run is kept, and NotFound.
    """
    now = world.clock.now()
    async with world.database.tenant(account_id) as session:
        connection = await get_connection(session, account_id=account_id, connection_id=connection_id)
        known = await _known(session, connection, now)
    if known is None:
        return []
    reader = StripeGateway(world.settings, world.http).reader(await auth_of(world, connection))
    checking = Checking(world.database, world.clock, reader, connection, known.stored)
    checked = await checking.stretch(known.before, known.movements_since)
    checks = checked.checks
    with suppress(PermissionMissing, TooMany):  # what differed is still told
        checks += await checking.again(known.differing)
    if known.sample:
        checks += await checking.samples()
        await refresh_reviews(world, reader, connection)
    async with world.database.tenant(account_id) as session:
        await _keep(session, connection, Checked(checks, checked.balance), now)
    return checks


async def _known(session: AsyncSession, connection: Connection, now: datetime) -> _Known | None:
    stored = await queries.read_through(session, connection)
    if stored is None or connection.status == ConnectionStatus.DISCONNECTED:
        return None
    until = await queries.checked_until(session, connection)
    earliest = now - LONGEST_STRETCH
    anchor = until.get(Identity.BALANCE_CHANGE) or await queries.first_balance(session, connection)
    before = await queries.balance_at(session, connection, anchor) if anchor and anchor > earliest else None
    sampled = until.get(Identity.COUNTS)
    differing = await queries.open_differences(session, connection, since=earliest)
    return _Known(
        stored=stored,
        before=before if before and before.payments else None,
        movements_since=max(stored[0], earliest, until.get(Identity.MOVEMENTS_STORED, stored[1] - timedelta(days=1))),
        sample=sampled is None or sampled < now - SAMPLED_EVERY,
        differing=[queries.check_of(row) for row in differing[:_CHECKED_AGAIN]],
    )


async def _keep(session: AsyncSession, connection: Connection, checked: Checked, now: datetime) -> None:
    if checked.balance is not None:
        await record_state(session, connection, AccountState(balance=checked.balance))
    await _store(session, connection, checked.checks, now)
    for table, moment, kept in (
        (Reconciliation, Reconciliation.until, KEPT),
        (StoredBalance, StoredBalance.taken_at, BALANCES_KEPT),
    ):
        await session.execute(
            delete(table).where(
                table.account_id == connection.account_id,
                table.connection_id == connection.id,
                moment < now - kept,
            )
        )


async def _store(session: AsyncSession, connection: Connection, checks: Sequence[Check], now: datetime) -> None:
    mine = {"account_id": connection.account_id, "connection_id": connection.id, "checked_at": now}
    key = ("identity", "subject", "currency", "until")
    rows = {tuple(getattr(check, name) for name in key): {**mine, **check._asdict()} for check in checks}
    if not rows:
        return
    statement = insert(Reconciliation).values(list(rows.values()))
    found = {
        name: statement.excluded[name] for name in ("since", "expected", "actual", "state", "reason", "checked_at")
    }
    await session.execute(
        statement.on_conflict_do_update(index_elements=["account_id", "connection_id", *key], set_=found)
    )
