"""Compute what shops of one size have in common, and compare one with it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, case, column, delete, func, select, table
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.benchmarks.models import Benchmark
from payflux.monitor.benchmarks.rules import (
    LEAST_SHOPS,
    METRICS,
    SIZES,
    Metric,
    Quartiles,
    Size,
    Standing,
    size_of,
    standing_of,
    told,
)
from payflux.monitor.processors.models import Connection, ConnectionStatus
from payflux.monitor.risk.sweep.models import SweepReading

QUARTERS = (0.25, 0.5, 0.75)

_ACCOUNTS = table("accounts", column("id"), column("parent_id"))


class Compared(NamedTuple):
    """One rate of a shop, in [0, 1], beside those of others. `rate` is None where it cannot be said, `others` and
    `standing` where too few can be compared with."""

    metric: Metric
    rate: float | None
    others: Quartiles | None
    standing: Standing | None


class Comparison(NamedTuple):
    """A shop's rates beside those of shops of its `size`, as of `computed_at`; both None where there is nothing to
    compare yet. `payments` are those of its last 30 days, None before its first sweep."""

    payments: int | None
    size: Size | None
    computed_at: datetime | None
    rates: tuple[Compared, ...]


async def compute_benchmarks(session: AsyncSession, *, livemode: bool, now: datetime) -> int:
    """Write every benchmark anew from the readings of the last sweep; how many there are. As the system role.

    Each workspace counts once, by the currency of most of its payments, while a connection of that mode is live. A
    figure rests on as many shops of different owners as it has to: whoever has several knows those.
    """
    reading = SweepReading
    connected = select(Connection.account_id).where(
        Connection.livemode == livemode, Connection.status != ConnectionStatus.DISCONNECTED
    )
    size = case(
        *((and_(reading.payments_30 >= each.least, reading.payments_30 < each.below), each.key) for each in SIZES[:-1]),
        else_=SIZES[-1].key,
    )
    owner = func.coalesce(_ACCOUNTS.c.parent_id, _ACCOUNTS.c.id)
    shops = (
        select(reading, size.label("size"), owner.label("owner"))
        .join(_ACCOUNTS, _ACCOUNTS.c.id == reading.account_id)
        .where(reading.payments_30 >= SIZES[0].least, reading.account_id.in_(connected))
        .ext(distinct_on(reading.account_id))
        .order_by(reading.account_id, reading.payments_30.desc(), reading.currency)
        .subquery()
    )
    await session.execute(delete(Benchmark))
    written = 0
    for metric in METRICS:
        rate = shops.c[metric.key]
        query = (
            select(shops.c.size, func.count(), *(func.percentile_cont(share).within_group(rate) for share in QUARTERS))
            .where(rate.is_not(None))
            .group_by(shops.c.size)
            .having(func.count(shops.c.owner.distinct()) >= LEAST_SHOPS)
        )
        for key, count, *quarters in (await session.execute(query)).all():
            lower, median, upper = map(told, quarters)
            session.add(
                Benchmark(
                    size=key, metric=metric.key, shops=count, lower=lower, median=median, upper=upper, computed_at=now
                )
            )
            written += 1
    await session.flush()
    return written


async def compare(session: AsyncSession, *, account_id: UUID) -> Comparison:
    """The account's own rates, as the last sweep read them, beside those of shops of its size."""
    own = (
        select(SweepReading)
        .where(SweepReading.account_id == account_id)
        .order_by(SweepReading.payments_30.desc(), SweepReading.currency)
        .limit(1)
    )
    reading = (await session.execute(own)).scalar_one_or_none()
    payments = reading.payments_30 if reading else None
    size = None if payments is None else size_of(payments)
    stored = select(Benchmark).where(Benchmark.size == (size.key if size else ""))
    known = {row.metric: row for row in (await session.execute(stored)).scalars()}
    computed_at = max((row.computed_at for row in known.values()), default=None)
    rates = tuple(_compared(metric, reading if size else None, known.get(metric.key)) for metric in METRICS)
    return Comparison(payments, size, computed_at, rates)


def _compared(metric: Metric, reading: SweepReading | None, benchmark: Benchmark | None) -> Compared:
    rate = getattr(reading, metric.key) if reading else None
    if benchmark is None:
        return Compared(metric, rate, None, None)
    others = Quartiles(benchmark.shops, benchmark.lower, benchmark.median, benchmark.upper)
    return Compared(metric, rate, others, None if rate is None else standing_of(rate, others))
