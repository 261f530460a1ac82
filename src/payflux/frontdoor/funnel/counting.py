"""The funnel: of the accounts that were opened on a day, how many have come how far until now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Date, and_, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from payflux.frontdoor.funnel.events import (
    CheckoutCompleted,
    EmailVerificationCompleted,
    LiveMonitoringStarted,
    PricingPageViewed,
    ProcessorConnected,
    ProductEvent,
    RegisterCompleted,
    ScanStarted,
    WelcomeWizardCompleted,
)
from payflux.frontdoor.funnel.models import RecordedEvent

STAGES: Mapping[str, type[ProductEvent]] = {
    "registered": RegisterCompleted,
    "verified": EmailVerificationCompleted,
    "wizard": WelcomeWizardCompleted,
    "connected": ProcessorConnected,
    "live": LiveMonitoringStarted,
    "paid": CheckoutCompleted,
}
"""The stages of an account in the order in which most come to them, and the event that tells of each."""


@dataclass(frozen=True)
class Visits:
    """Of one day: how many scanned a website or looked at the prices, and how many of them registered the same day. A
    visitor cannot be followed to the next day, so this is the least that it was."""

    looked: int
    registered: int


class FunnelRow(NamedTuple):
    """How many accounts that were opened on `day` by `method` have reached each of :data:`STAGES`."""

    day: date
    method: str
    reached: Mapping[str, int]


@dataclass(frozen=True)
class Funnel:
    """`rows` by day, the newest first, and method; `visits` of the prices and `scans` by day, the newest first."""

    rows: list[FunnelRow]
    visits: dict[date, Visits]
    scans: dict[date, Visits]

    @property
    def total(self) -> dict[str, int]:
        return _summed(self.rows)

    def by_day(self) -> dict[date, dict[str, int]]:
        """The stages by day, also of a day on which somebody only scanned or looked; the newest first."""
        days = sorted({row.day for row in self.rows} | set(self.visits) | set(self.scans), reverse=True)
        return {day: _summed(row for row in self.rows if row.day == day) for day in days}

    def by_method(self) -> dict[str, dict[str, int]]:
        methods = sorted({row.method for row in self.rows})
        return {method: _summed(row for row in self.rows if row.method == method) for method in methods}

    @property
    def looked(self) -> Visits:
        """The visits of the prices of all days."""
        return _together(self.visits)

    @property
    def scanned(self) -> Visits:
        """The scans of all days."""
        return _together(self.scans)


async def count_funnel(session: AsyncSession, *, since: datetime, until: datetime) -> Funnel:
    """The accounts opened from `since` until before `until`, by UTC day. As the system role."""
    opened, reached = aliased(RecordedEvent, name="opened"), aliased(RecordedEvent, name="reached")
    stage_of = {kind.NAME: stage for stage, kind in STAGES.items()}
    day, method = _day(opened.at), opened.properties["method"].astext
    counted = (
        select(day, method, reached.name, func.count(opened.account_id.distinct()))
        .join(reached, reached.account_id == opened.account_id)
        .where(
            opened.name == RegisterCompleted.NAME,
            opened.properties["invited"].astext == "false",
            opened.at >= since,
            opened.at < until,
            reached.name.in_(stage_of),
        )
        .group_by(day, method, reached.name)
    )
    found: dict[tuple[date, str], dict[str, int]] = defaultdict(dict)
    for on, by, name, number in await session.execute(counted):
        found[on, by][stage_of[name]] = number
    rows = [
        FunnelRow(on, by, {stage: stages.get(stage, 0) for stage in STAGES})
        for (on, by), stages in sorted(found.items(), key=lambda item: item[0][0], reverse=True)
    ]
    looks, scans = [await _visits(session, kind, since=since, until=until) for kind in (PricingPageViewed, ScanStarted)]
    return Funnel(rows, looks, scans)


async def _visits(
    session: AsyncSession, kind: type[ProductEvent], *, since: datetime, until: datetime
) -> dict[date, Visits]:
    looked, registered = aliased(RecordedEvent), aliased(RecordedEvent)
    day = _day(looked.at)
    query = (
        select(
            day,
            func.count(looked.visitor.distinct()),
            func.count(case((registered.id.is_not(None), looked.visitor)).distinct()),
        )
        .outerjoin(registered, and_(registered.visitor == looked.visitor, registered.name == RegisterCompleted.NAME))
        .where(
            looked.name == kind.NAME,
            looked.account_id.is_(None),
            looked.at >= since,
            looked.at < until,
        )
        .group_by(day)
        .order_by(day.desc())
    )
    return {on: Visits(seen, came) for on, seen, came in await session.execute(query)}


def _day(at: InstrumentedAttribute[datetime]) -> ColumnElement[date]:
    return cast(func.timezone("UTC", at), Date)


def _together(days: Mapping[date, Visits]) -> Visits:
    every = days.values()
    return Visits(sum(day.looked for day in every), sum(day.registered for day in every))


def _summed(rows: Iterable[FunnelRow]) -> dict[str, int]:
    total = dict.fromkeys(STAGES, 0)
    for row in rows:
        for stage, number in row.reached.items():
            total[stage] += number
    return total
