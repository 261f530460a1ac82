"""How much will be sold: a robust weekly level with a weekday profile, and a band of the cumulative sum."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.statistics import Z80, median, robust_scale, settle

WEEKS = 12
RECENT_WEEKS = 4
TREND_LIMIT = 0.10
"""The forecast leaves the usual week by at most a tenth: a spike is never extrapolated."""

DRIFT = 0.1
"""How much variance, in that of one week, the level gains in a week. Set by a backtest on real daily sales."""


class VolumeForecast(NamedTuple):
    """`daily` are expected sales of day 1, 2, … after the readout's day, int64 minor units.

    `weeks` is how many whole weeks of sales it rests on, 0 for less than one. `trend_multiplier` is already in `daily`.
    `spread` is the relative error of one week; 0 for sales that never varied.
    """

    daily: np.ndarray
    weeks: int
    trend_multiplier: float
    spread: float

    def band(self, days: int) -> tuple[float, float]:
        """Factors on the expected sum of the first `days` days: its 80 % interval is sum · low … sum · high.

        low ≤ 1 ≤ high. The logarithm of high, and of 1 / low, is t·s·√(1/n + π/2k + 0.1·n) with n weeks ahead and k
        weeks seen: noise of the weeks, error of the median, drift; t is Student's for k − 1 degrees by its first
        Cornish-Fisher term. Less than a week of sales says nothing: 0 … 2 (assumed).
        """
        if days <= 0 or self.spread == 0:
            return 1.0, 1.0
        if not self.weeks:
            return 0.0, 2.0
        n, k = days / 7, self.weeks
        t = Z80 + (Z80**3 + Z80) / (4 * max(1, k - 1))
        width = math.exp(min(2.0, t * self.spread * math.sqrt(1 / n + math.pi / (2 * k) + DRIFT * n)))
        return settle(1 / width), settle(width)


def forecast_sales(sold: np.ndarray, days: int) -> VolumeForecast:
    """Sales of the next `days` whole UTC days.

    `sold` are int64 settled sales, minor units, of consecutive whole UTC days, oldest first, the last one yesterday.
    Level: median of the last 12 whole weeks since the first sale among them, moved halfway to the median of the last
    four, by at most 10 %. Profile: median of each weekday.
    """
    sold = sold[-7 * WEEKS :]
    active = np.flatnonzero(sold)
    age = len(sold) - int(active[0]) if active.size else 0
    if age < 7:
        level = int(sold.sum()) * 7 // age if age else 0
        return VolumeForecast(_spread_over(level, 7 * [1], days), 0, 1.0, 1.0 if age else 0.0)
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
        basis_points / 10_000,
        _spread(weeks, level),
    )


def daily_sales(history: History, days: int) -> np.ndarray:
    """Settled payments of each of the last `days` whole UTC days in the main currency, oldest first."""
    rows = history.in_currency(history.last(history.payments, days, skip=1))
    sold = np.zeros(days, np.int64)
    np.add.at(sold, rows["day"] - (history.today - days), rows["settled"])
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
