"""Read alerts with their history, rules, and what became of what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.alerts.facts import Facts
from payflux.monitor.alerts.models import Alert, AlertAttempt, AlertDelivery, AlertEvent, AlertRule, AlertState
from payflux.monitor.alerts.rules import Trigger

MOST_RESOLVED, MOST_DELIVERIES = 50, 100


def told_facts(row: Alert | AlertEvent) -> Facts:
    """What `row` tells, typed."""
    return msgspec.convert(row.facts, Facts)


async def rules_of(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> list[AlertRule]:
    """The rules of a workspace: the default ones in their order, then its own by when they were made."""
    query = select(AlertRule).where(AlertRule.account_id == account_id, AlertRule.workspace_id == workspace_id)
    order = list(Trigger)
    rows = (await session.execute(query)).scalars()
    return sorted(rows, key=lambda row: (order.index(Trigger(row.trigger)), row.armed_at, row.id))


async def unresolved_alerts(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> list[Alert]:
    """Alerts that are not resolved: open ones first, then by when they were raised, the newest first."""
    query = select(Alert).where(
        Alert.account_id == account_id, Alert.workspace_id == workspace_id, Alert.state != AlertState.RESOLVED
    )
    rows = (await session.execute(query.order_by(Alert.raised_at.desc(), Alert.id.desc()))).scalars()
    return sorted(rows, key=lambda row: row.state != AlertState.OPEN)


async def resolved_alerts(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> list[Alert]:
    """The last alerts that are over, the newest first."""
    query = (
        select(Alert)
        .where(Alert.account_id == account_id, Alert.workspace_id == workspace_id, Alert.state == AlertState.RESOLVED)
        .order_by(Alert.resolved_at.desc(), Alert.id.desc())
        .limit(MOST_RESOLVED)
    )
    return list((await session.execute(query)).scalars())


async def list_alerts(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    states: Sequence[AlertState] = (),
    after: Sequence[object] | None = None,
    limit: int,
) -> list[Alert]:
    """The last `limit` alerts of a workspace in any of `states` (all where none is named), the newest first, after the
    place (instant raised, id)."""
    query = select(Alert).where(Alert.account_id == account_id, Alert.workspace_id == workspace_id)
    if states:
        query = query.where(Alert.state.in_(states))
    if after is not None:
        query = query.where(tuple_(Alert.raised_at, Alert.id) < tuple_(*after))
    return list((await session.execute(query.order_by(Alert.raised_at.desc(), Alert.id.desc()).limit(limit))).scalars())


async def raised_between(
    session: AsyncSession, *, account_id: UUID, workspace_id: UUID, since: datetime, until: datetime
) -> list[Alert]:
    """What was raised from `since` on and before `until`, the newest first."""
    query = select(Alert).where(
        Alert.account_id == account_id,
        Alert.workspace_id == workspace_id,
        Alert.raised_at >= since,
        Alert.raised_at < until,
    )
    return list((await session.execute(query.order_by(Alert.raised_at.desc(), Alert.id.desc()))).scalars())


async def events_of(
    session: AsyncSession, *, account_id: UUID, alert_ids: Sequence[UUID]
) -> dict[UUID, list[AlertEvent]]:
    """The history of each of `alert_ids`, the oldest first."""
    query = (
        select(AlertEvent)
        .where(AlertEvent.account_id == account_id, AlertEvent.alert_id.in_(alert_ids))
        .order_by(AlertEvent.at, AlertEvent.id)
    )
    found: dict[UUID, list[AlertEvent]] = {alert_id: [] for alert_id in alert_ids}
    for event in (await session.execute(query)).scalars():
        found[event.alert_id].append(event)
    return found


@dataclass(frozen=True)
class Delivered:
    """A delivery with what it told, None for a test, and its tries, the first first."""

    row: AlertDelivery
    event: AlertEvent | None
    tries: tuple[AlertAttempt, ...]


async def deliveries_to(session: AsyncSession, *, account_id: UUID, target: UUID) -> list[Delivered]:
    """The last deliveries to a channel or member, the newest first."""
    query = (
        select(AlertDelivery, AlertEvent)
        .outerjoin(
            AlertEvent,
            (AlertEvent.account_id == AlertDelivery.account_id) & (AlertEvent.id == AlertDelivery.event_id),
        )
        .where(AlertDelivery.account_id == account_id, AlertDelivery.target == target)
        .order_by(AlertDelivery.created_at.desc(), AlertDelivery.id.desc())
        .limit(MOST_DELIVERIES)
    )
    found = (await session.execute(query)).all()
    attempts = select(AlertAttempt).where(
        AlertAttempt.account_id == account_id, AlertAttempt.delivery_id.in_([row.id for row, _ in found])
    )
    tries: dict[UUID, list[AlertAttempt]] = {row.id: [] for row, _ in found}
    for attempt in (await session.execute(attempts.order_by(AlertAttempt.number))).scalars():
        tries[attempt.delivery_id].append(attempt)
    return [Delivered(row, event, tuple(tries[row.id])) for row, event in found]
