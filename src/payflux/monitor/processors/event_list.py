"""Stored payment events, one by one, for whoever wants to see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.codes import REASONS, Kind, Method, Network, Outcome, RiskLevel, Status
from payflux.monitor.processors.events import PaymentEvent, moment, unpack_letters
from payflux.monitor.processors.models import StoredEvent


@dataclass(frozen=True)
class ListedEvent:
    """An event of a connection, and its place in the list: (unix seconds, kind, the processor's id, connection)."""

    event: PaymentEvent
    connection_id: UUID
    place: tuple[int, int, str, UUID]


async def list_events(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    kinds: Sequence[Kind] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    after: Sequence[object] | None = None,
    limit: int,
) -> list[ListedEvent]:
    """The newest `limit` events of a workspace, from `since` on and before `until`, of any of `kinds` (all where none
    is named), after the place `after`."""
    row = StoredEvent
    place = tuple_(row.at, row.kind, row.source_id, row.connection_id)
    query = select(row).where(row.account_id == account_id, row.workspace_id == workspace_id)
    if kinds:
        query = query.where(row.kind.in_(kinds))
    if since is not None:
        query = query.where(row.at >= _ceiling(since))
    if until is not None:
        query = query.where(row.at < _ceiling(until))
    if after is not None:
        query = query.where(place < tuple_(*after))
    ordered = query.order_by(row.at.desc(), row.kind.desc(), row.source_id.desc(), row.connection_id.desc())
    found = (await session.execute(ordered.limit(limit))).scalars()
    return [_listed(each) for each in found]


def _ceiling(instant: datetime) -> int:
    """The first whole second at or after `instant`: stored times are whole seconds."""
    return -int(-instant.timestamp() // 1)


def _listed(row: StoredEvent) -> ListedEvent:
    event = PaymentEvent(
        kind=Kind(row.kind),
        source_id=row.source_id,
        occurred_at=moment(row.at),
        status=Status(row.status),
        amount=row.amount,
        currency=unpack_letters(row.currency).lower(),
        settled_amount=row.settled,
        settled_currency=unpack_letters(row.settled_currency).lower(),
        charge_id=row.charge_id,
        charge_occurred_at=moment(row.charge_at) if row.charge_at else None,
        network=Network(row.network),
        method=Method(row.method),
        outcome=Outcome(row.outcome),
        risk_level=RiskLevel(row.risk_level),
        three_d_secure=None if row.three_d_secure < 0 else bool(row.three_d_secure),
        country=unpack_letters(row.country),
        reason=row.detail or (REASONS[row.reason] if row.reason else ""),
        ends_at=moment(row.ends_at) if row.ends_at else None,
    )
    return ListedEvent(event, row.connection_id, (row.at, row.kind, row.source_id, row.connection_id))
