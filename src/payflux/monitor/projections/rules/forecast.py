"""How much will be sold: a robust weekly level with a weekday profile, and a band of the cumulative sum."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from payflux.monitor.risk.rules.history import DAY, History
from payflux.monitor.risk.rules.statistics import Z80, median, robust_scale

WEEKS = 12
RECENT_WEEKS = 4
TREND_LIMIT = 0.10
"""The forecast leaves the usual week by at most a tenth: a spike is never extrapolated."""

DRIFT = 0.1
"""How much variance, in that of one week, the level gains in a week. Set by a backtest on real daily sales."""


class VolumeForecast(NamedTuple):
    """`daily` are expected sales of day 1, 2, … after the readout's day, integer minor units.

    `spread` is the relative error of one week; `trend_multiplier` is already in `daily`.
    """

    daily: np.ndarray
    weeks: int
    spread: float
    trend_multiplier: float

    def relative_half_width(self, days: int) -> float:
        """Half the 80 % band of the sum of `days` days, relative to that sum, at most 1.

        z·s·√(1/n + π/2k + 0.1·n) with n weeks ahead and k weeks seen: noise of the weeks, error of the median, drift;
        z is Student's t for k − 1 degrees by its first Cornish-Fisher term.
        """
        if days <= 0 or self.spread == 0:
            return 0.0
        n, k = days / 7, max(1, self.weeks)
        t = Z80 + (Z80**3 + Z80) / (4 * max(1, k - 1))
        return min(1.0, t * self.spread * math.sqrt(1 / n + math.pi / (2 * k) + DRIFT * n))


def forecast_sales(history: History, days: int) -> VolumeForecast:
    """Sales of the next `days` whole UTC days from the last 12 weeks of whole days, main currency.

    Level: median of the weeks since the first sale among them, moved halfway to the median of the last four, by at
    most 10 %. Profile: median of each weekday. Only payments count, so that any source of the same sales gives the
    same cents.
    """
    sold = daily_sales(history, 7 * WEEKS)
    active = np.flatnonzero(sold)
    age = len(sold) - int(active[0]) if active.size else 0
    if age < 7:
        level = int(sold.sum()) * 7 // age if age else 0
        return VolumeForecast(_spread_over(level, 7 * [1], days), 0, 1.0 if age else 0.0, 1.0)
    seen = sold[len(sold) - age // 7 * 7 :].reshape(-1, 7)
    weeks = [int(week) for week in seen.sum(axis=1)]
    level, basis_points = _middle(weeks), 10_000
    if len(weeks) >= 2 * RECENT_WEEKS and level:
        limit = round(TREND_LIMIT * 10_000)
        moved = (_middle(weeks[-RECENT_WEEKS:]) - level) * 5_000 // level
        basis_points += max(-limit, min(limit, moved))
    profile = [_middle([int(day) for day in seen[:, weekday]]) for weekday in range(7)]
    if 2 * sum(profile) < level:  # too sparse for weekdays
        profile = 7 * [1]
    return VolumeForecast(
        _spread_over(level * basis_points // 10_000, profile, days),
        len(weeks),
        _spread(weeks, level),
        basis_points / 10_000,
    )


def daily_sales(history: History, days: int) -> np.ndarray:
    """Settled payments of each of the last `days` whole UTC days in the main currency, oldest first."""
    today = history.now // DAY
    mine = history.payments[history.payments["settled_currency"] == history.currency]
    place = mine["at"] // DAY - (today - days)
    chosen = (place >= 0) & (place < days)
    sold = np.zeros(days, np.int64)
    np.add.at(sold, place[chosen], mine["settled"][chosen])
    return sold


def _spread_over(level: int, profile: list[int], days: int) -> np.ndarray:
    """A week's `level` over the weekdays; the last seen day is place 6, today 0. Each day is rounded half up."""
    whole = sum(profile)
    week = [(2 * level * part + whole) // (2 * whole) for part in profile] if whole else 7 * [0]
    return np.array([week[day % 7] for day in range(1, days + 1)], np.int64)


def _spread(weeks: list[int], level: int) -> float:
    """The root mean square relative error of a week, single spikes cut at three robust deviations."""
    if not level:
        return 0.0
    errors = [week / level - 1 for week in weeks]
    cut = 3 * robust_scale(errors)
    return math.sqrt(math.fsum(min(abs(error), cut) ** 2 for error in errors) / len(errors)) if len(weeks) > 1 else 1.0


def _middle(values: list[int]) -> int:
    return math.floor(median(values))
