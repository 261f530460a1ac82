"""What is stored, as reconciliation compares it, and what it has found."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import unpack_letters
from payflux.monitor.processors.models import Connection, HistoryPull, StoredBalance, StoredEvent
from payflux.monitor.processors.reconciling.models import Reconciliation
from payflux.monitor.processors.reconciling.rules import Balance, Check, Identity, Movement, State

SHOWN = timedelta(days=30)
"""How long a difference is shown, unless a later check of the same stretch explains it."""


async def read_through(session: AsyncSession, connection: Connection) -> tuple[datetime, datetime] | None:
    """From when to when everything is stored; None before the first pull is finished."""
    query = select(func.min(HistoryPull.from_at), func.max(HistoryPull.to_at)).where(
        HistoryPull.account_id == connection.account_id,
        HistoryPull.connection_id == connection.id,
        HistoryPull.finished_at.is_not(None),
    )
    first, last = (await session.execute(query)).one()
    since, until = connection.history_from or first, connection.synced_through or last
    return None if since is None or until is None else (since, until)


async def balance_at(session: AsyncSession, connection: Connection, taken_at: datetime) -> Balance:
    """The balance that was kept at `taken_at`."""
    query = select(StoredBalance).where(
        StoredBalance.account_id == connection.account_id,
        StoredBalance.connection_id == connection.id,
        StoredBalance.taken_at == taken_at,
    )
    rows = (await session.execute(query)).scalars().all()
    reserved = {row.currency: row.reserved for row in rows if row.reserved is not None}
    return Balance(taken_at, {row.currency: row.available + row.pending for row in rows}, reserved or None)


async def first_balance(session: AsyncSession, connection: Connection) -> datetime | None:
    """When the earliest balance that is kept was taken."""
    query = select(func.min(StoredBalance.taken_at)).where(
        StoredBalance.account_id == connection.account_id, StoredBalance.connection_id == connection.id
    )
    return (await session.execute(query)).scalar_one()


async def checked_until(session: AsyncSession, connection: Connection) -> dict[Identity, datetime]:
    """Up to when each identity has been checked."""
    query = (
        select(Reconciliation.identity, func.max(Reconciliation.until))
        .where(Reconciliation.account_id == connection.account_id, Reconciliation.connection_id == connection.id)
        .group_by(Reconciliation.identity)
    )
    return {Identity(identity): until for identity, until in (await session.execute(query))}


async def stored_amounts(
    session: AsyncSession, connection: Connection, movements: Iterable[Movement]
) -> dict[tuple[str, str], int]:
    """The settled amounts of the events that `movements` name, by kind and source id."""
    ids = sorted({movement.source for movement in movements if movement.kind})
    query = select(StoredEvent.kind, StoredEvent.source_id, StoredEvent.settled).where(
        *_of(connection), StoredEvent.source_id == any_(bindparam("ids", ids, ARRAY(TEXT)))
    )
    return {(Kind(kind).name.lower(), source): amount for kind, source, amount in (await session.execute(query))}


async def stored_reserves(session: AsyncSession, connection: Connection) -> dict[str, int]:
    """Holds less releases, as stored, by settlement currency."""
    query = (
        select(StoredEvent.settled_currency, StoredEvent.kind, func.sum(StoredEvent.settled))
        .where(*_of(connection), StoredEvent.kind.in_((Kind.RESERVE_HOLD, Kind.RESERVE_RELEASE)))
        .group_by(StoredEvent.settled_currency, StoredEvent.kind)
    )
    totals: dict[str, int] = {}
    for packed, kind, amount in await session.execute(query):
        currency = unpack_letters(packed).lower()
        totals[currency] = totals.get(currency, 0) + (int(amount) if kind == Kind.RESERVE_HOLD else -int(amount))
    return totals


async def stored_refunds(session: AsyncSession, connection: Connection, charges: Collection[str]) -> dict[str, int]:
    """The refunds of `charges` that did not fail, in the charge's currency."""
    query = (
        select(StoredEvent.charge_id, func.sum(StoredEvent.amount))
        .where(
            *_of(connection),
            StoredEvent.kind == Kind.REFUND,
            StoredEvent.status.not_in((Status.FAILED, Status.CANCELED)),
            StoredEvent.charge_id == any_(bindparam("charges", sorted(charges), ARRAY(TEXT))),
        )
        .group_by(StoredEvent.charge_id)
    )
    return {charge: int(amount) for charge, amount in (await session.execute(query))}


async def stored_ids(
    session: AsyncSession, connection: Connection, kind: Kind, window: tuple[datetime, datetime]
) -> set[str]:
    """The events of a kind dated within `window`, its last second included."""
    since, until = (int(moment.timestamp()) for moment in window)
    query = select(StoredEvent.source_id).where(
        *_of(connection), StoredEvent.kind == kind, StoredEvent.at > since, StoredEvent.at <= until
    )
    return set((await session.execute(query)).scalars())


async def latest_checks(session: AsyncSession, *, account_id: UUID, connection_id: UUID, now: datetime) -> list[Check]:
    """Of each identity, subject and currency the newest check, and every difference of the last 30 days that nothing
    has explained since; in the order of the identities, newest first."""
    rows = (
        await session.execute(
            select(Reconciliation)
            .where(
                Reconciliation.account_id == account_id,
                Reconciliation.connection_id == connection_id,
                Reconciliation.until > now - SHOWN,
            )
            .order_by(Reconciliation.until.desc())
        )
    ).scalars()
    found, seen = [], set()
    for row in rows:
        key = (row.identity, row.subject, row.currency)
        if key not in seen or (row.state == State.DIFFERS and row.identity in _OF_STRETCHES):
            found.append(check_of(row))
        seen.add(key)
    order = list(Identity)
    return sorted(found, key=lambda check: (order.index(check.identity), check.subject, check.currency))


_OF_STRETCHES = (Identity.BALANCE_CHANGE, Identity.MOVEMENTS_STORED)
"""Identities of one stretch of time each: a later stretch that holds does not explain an earlier one."""


async def open_differences(session: AsyncSession, connection: Connection, *, since: datetime) -> list[Reconciliation]:
    """The stretches that ended after `since` and differ."""
    query = select(Reconciliation).where(
        Reconciliation.account_id == connection.account_id,
        Reconciliation.connection_id == connection.id,
        Reconciliation.identity.in_(_OF_STRETCHES),
        Reconciliation.state == State.DIFFERS,
        Reconciliation.until > since,
    )
    return list((await session.execute(query.order_by(Reconciliation.until.desc()))).scalars())


def check_of(row: Reconciliation) -> Check:
    """The check that a row keeps."""
    return Check(
        Identity(row.identity),
        row.subject,
        row.currency,
        row.since,
        row.until,
        row.expected,
        row.actual,
        State(row.state),
        row.reason,
    )


def _of(connection: Connection) -> tuple:
    return StoredEvent.account_id == connection.account_id, StoredEvent.connection_id == connection.id
