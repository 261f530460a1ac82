"""Compare what a projection said of a horizon with what came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import numpy as np

from payflux.monitor.processors.events import pack_letters
from payflux.monitor.projections.projection import ProjectedWindow, ReserveProjection, ScenarioKind
from payflux.monitor.projections.rules.reserves import rolling_reserve
from payflux.monitor.projections.scorebook import ProjectionScore
from payflux.monitor.risk.rules import score
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.holds import open_holds

INSTANT = timedelta(seconds=1)
"""The resolution of stored times."""


def due_at(as_of: datetime, horizon_days: int) -> datetime:
    """When a horizon of a projection can be scored: the end of its last whole day of UTC."""
    day = as_of.astimezone(UTC).date() + timedelta(days=horizon_days + 1)
    return datetime.combine(day, time(), UTC)


def unread_from(stretches: Iterable[tuple[datetime, datetime]], start: datetime, end: datetime) -> datetime | None:
    """The first instant after `start` that no stretch has read, or None when they reach `end` without a gap.

    A stretch is (first, last), both included, in whole seconds.
    """
    reached = start
    for first, last in sorted(stretches):
        if first > reached + INSTANT:
            break
        reached = max(reached, last)
    return None if reached >= end - INSTANT else reached


def score_projection(
    projection: ReserveProjection, horizon_days: int, history: History, *, tier_said: int, holds_seen: bool = True
) -> ProjectionScore:
    """The score of one horizon from `history` as of the last second of its last day.

    The scenario that was stated is applied to the real sales of the horizon's days; the holds that it started from are
    those that were known then. `holds_seen` says whether the connection may read reserve movements. Raises ValueError
    when the projection has no such horizon or `history` ends elsewhere.
    """
    [window] = [found for found in projection.windows if found.horizon_days == horizon_days] or [None]
    if window is None:
        raise ValueError(f"the projection has no horizon of {horizon_days} days")
    if history.as_of != due_at(projection.as_of, horizon_days) - INSTANT:
        raise ValueError("a score needs the history as of the end of its horizon")
    mine = replace(history, currency=pack_letters(projection.currency))
    rows = mine.in_currency(mine.last(mine.payments, horizon_days))
    sold = np.zeros(horizon_days, np.int64)
    np.add.at(sold, rows["day"] - (mine.today - horizon_days + 1), rows["settled"])
    return ProjectionScore(
        currency=projection.currency,
        sales_said=window.forecast_sales,
        sales_low=window.sales_low,
        sales_high=window.sales_high,
        sales=int(sold.sum()),
        trapped_said=window.trapped,
        trapped_low=window.low,
        trapped_high=window.high,
        trapped=_would_have_held(projection, window, sold),
        held=open_holds(mine).open_at(mine.now) if holds_seen else None,
        tier_said=tier_said,
        tier=score(history).risk_tier,
    )


def _would_have_held(projection: ReserveProjection, window: ProjectedWindow, sold: np.ndarray) -> int:
    """What the stated scenario would have held of `sold`, minor units by day.

    A payout pause holds what it held at first and a constant share of sales: that share is taken from the window.
    """
    scenario = projection.scenario
    if scenario.kind == ScenarioKind.PAYOUT_PAUSE:
        first = projection.daily[0][1]
        kept = window.trapped - first
        return first + (round(int(sold.sum()) * kept / window.forecast_sales) if window.forecast_sales else 0)
    [held] = rolling_reserve(sold, scenario.rate, scenario.hold_days, [window.horizon_days])
    return _observed(projection, window) + held


def _observed(projection: ReserveProjection, window: ProjectedWindow) -> int:
    if window.observed is not None:
        return window.observed
    released = sum(amount for day, amount in projection.releases if day <= window.horizon_days)
    return projection.currently_held - released
