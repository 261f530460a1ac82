"""How much will be sold: a robust weekly level, a damped trend, weekdays, and a band of the sum.

Integers, `math.fsum` and scalar arithmetic in one order: the same days give the same bits on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from payflux.monitor.projections.rules.conformal import WIDEST, Multipliers, PastError, deviation, multipliers
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.slopes import sen_slope
from payflux.monitor.risk.rules.statistics import median, settle

KNOWN_DAYS = 400
"""Older days are not read: 13 months."""

WEEKS = 12
"""Whole weeks that the level, the trend and the weekdays rest on; older ones only say how wrong the method was."""

AGE_WEIGHTS = (1000, 841, 707, 595, 500, 420, 354, 297, 250, 210, 177, 149)
"""The weight of a week by its age, halved every four weeks. Set by a backtest."""

GROWTH_LIMIT = 0.15
"""The trend moves the level by at most this share, up or down (assumed)."""

CARRIED_WEEKS = 3
"""The trend is damped to a step: it brings the level up to date and three weeks on, and no further."""

TREND_WEEKS = 6
"""Fewer weeks than these have no trend."""

TREND_Z = 1.64
"""A trend counts as far as chance does not explain it: the bound, nearer to zero, of Sen's 90 % interval."""

STOPPED_WEEKS = 4
"""A shop that sells in most weeks and sold nothing for so many is taken to have stopped (assumed)."""

TRIMMED_WEEKS = 4
"""From so many weeks on the highest and the lowest count as the median."""

CLIP = 2
"""A week further from the median than so many robust deviations counts as one at that distance."""

DEVIATION = 1.4826
"""A standard deviation of normal errors over their median absolute one."""

REPLAYED = (1, 2, 3, 4, 6, 9, 13)
"""How many weeks ahead the method is replayed; between them the band's reach is interpolated, beyond it stays."""

FIRST_REPLAY = 4
"""A replay knows at least four weeks."""

USUAL_SPREAD = 0.25
"""The relative deviation of a week's sales that is assumed before it is seen; it weighs as much as two weeks."""

USUAL_WEEKS = 2

UNKNOWN_BAND = (0.0, 3.0)
"""The band when less than a week of sales is known (assumed)."""


class VolumeForecast(NamedTuple):
    """`daily` are expected sales of day 1, 2, … after the readout's day, int64 minor units.

    `weeks` is how many whole weeks of sales it rests on, 0 for less than one. `trend_multiplier` is already in `daily`.
    `spread` is the relative deviation of a week; `reach` are the multipliers of the band at `REPLAYED` weeks, empty
    when it needs none.
    """

    daily: np.ndarray
    weeks: int
    trend_multiplier: float
    spread: float
    reach: tuple[Multipliers, ...]

    def band(self, days: int) -> tuple[float, float]:
        """Factors on the expected sum of the first `days` days: its 80 % interval is sum · low … sum · high.

        low ≤ 1 ≤ high. (1, 1) for sales that never varied; 0 to 3 when less than a week is known (assumed).
        """
        if days <= 0 or not self.reach:
            return (1.0, 1.0) if self.weeks or not self.daily.any() else UNKNOWN_BAND
        weeks = days / 7
        right = next((place for place, known in enumerate(REPLAYED) if known > weeks), len(REPLAYED) - 1)
        left = max(0, right - 1)
        part = min(1.0, max(0.0, (weeks - REPLAYED[left]) / max(1, REPLAYED[right] - REPLAYED[left])))
        sigma = deviation(weeks, self.weeks, self.spread)
        low, high = (
            sigma * (below + part * (above - below))
            for below, above in zip(self.reach[left], self.reach[right], strict=True)
        )
        return settle(math.exp(-min(low, WIDEST))), settle(math.exp(min(high, WIDEST)))


class _Fit(NamedTuple):
    """`level`: minor units of a usual week, without the trend; `multiplier`: the trend; `spread`: as above."""

    level: int
    multiplier: float
    spread: float


def forecast_sales(sold: np.ndarray, days: int) -> VolumeForecast:
    """Sales of the next `days` whole UTC days.

    `sold` are int64 settled sales, minor units, of consecutive whole UTC days, oldest first, the last one yesterday; of
    more than 400 the last ones are read, and those before the first sale are not. Raises ValueError for negative days.
    """
    if days < 0:
        raise ValueError("a forecast goes forward")
    sold = sold[-KNOWN_DAYS:]
    active = np.flatnonzero(sold)
    known = sold[int(active[0]) :] if active.size else sold[:0]
    if len(known) < 7:
        level = int(known.sum()) * 7 // len(known) if len(known) else 0
        return VolumeForecast(_spread_over(level, 7 * [1], days), 0, 1.0, 0.0, ())
    rows = known[len(known) % 7 :].reshape(-1, 7)
    weeks: list[int] = rows.sum(axis=1).tolist()
    fit = _fit(weeks[-WEEKS:])
    reach: tuple[Multipliers, ...] = ()
    if len(weeks) == 1 or len(set(weeks)) > 1:
        errors = _replay(weeks)
        reach = tuple(multipliers(errors, ahead, len(weeks) - FIRST_REPLAY) for ahead in REPLAYED)
    profile = _profile(rows[-WEEKS:], fit.level)
    daily = _spread_over(round(fit.level * fit.multiplier), profile, days)
    return VolumeForecast(daily, min(len(weeks), WEEKS), fit.multiplier, fit.spread, reach)


def daily_sales(history: History, days: int) -> np.ndarray:
    """Settled payments of each of the last `days` whole UTC days in the main currency, oldest first."""
    rows = history.in_currency(history.last(history.payments, days, skip=1))
    sold = np.zeros(days, np.int64)
    np.add.at(sold, rows["day"] - (history.today - days), rows["settled"])
    return sold


def _fit(weeks: Sequence[int]) -> _Fit:
    """The level is a trimmed mean of the weeks weighted by age, each cut at two robust deviations from their median.

    When most of the weight has no sales it is the median of those that have, times their share of the weight (Croston's
    split of size and frequency, 1972). A shop that sold in most weeks and in none of the last four has stopped.
    """
    if len(weeks) > STOPPED_WEEKS and not any(weeks[-STOPPED_WEEKS:]) and median(weeks[:-STOPPED_WEEKS]) > 0:
        return _Fit(0, 1.0, 0.0)
    weights = AGE_WEIGHTS[len(weeks) - 1 :: -1]
    whole = sum(weights)
    middle = _weighted_median(weeks, weights)
    away = math.floor(CLIP * DEVIATION * _weighted_median([abs(week - middle) for week in weeks], weights))
    cut = [min(max(week, middle - away), middle + away) for week in weeks]
    if len(weeks) >= TRIMMED_WEEKS:
        cut[weeks.index(max(weeks))] = cut[weeks.index(min(weeks))] = middle
    level = sum(weight * week for weight, week in zip(weights, cut, strict=True)) // whole
    if not middle:
        selling = [(week, weight) for week, weight in zip(weeks, weights, strict=True) if week]
        share = sum(weight for _, weight in selling)
        level = _weighted_median(*zip(*selling, strict=True)) * share // whole if selling else 0
    if not level:
        return _Fit(0, 1.0, 0.0)
    errors = [week / level - 1 for week in weeks]
    limit = 3 * DEVIATION * median([abs(error) for error in errors])
    squares = math.fsum(min(abs(error), limit) ** 2 for error in errors) + USUAL_WEEKS * USUAL_SPREAD**2
    age = sum(weight * old for old, weight in zip(range(len(weeks) - 1, -1, -1), weights, strict=True)) / whole
    moved = max(-GROWTH_LIMIT, min(GROWTH_LIMIT, _slope(weeks) / level * (age + CARRIED_WEEKS)))
    return _Fit(level, settle(1 + moved), math.sqrt(squares / (len(weeks) + USUAL_WEEKS)))


def _slope(weeks: Sequence[int]) -> float:
    """The bound nearer to zero of the interval of the change a week; 0 when it holds zero.

    It holds even if any one week were wrong, so that no single week makes a trend.
    """
    if len(weeks) < TREND_WEEKS:
        return 0.0
    slope = sen_slope(weeks, z=TREND_Z, spare=len(weeks) - 1)
    return max(slope.low, 0.0) + min(slope.high, 0.0) if slope else 0.0


def _replay(weeks: Sequence[int]) -> list[PastError]:
    """What the method would have missed at each past week, from the fourth known one on."""
    errors = []
    for origin in range(FIRST_REPLAY, len(weeks)):
        known = weeks[max(0, origin - WEEKS) : origin]
        fit = _fit(known)
        if not fit.level:
            continue
        usual = fit.level * fit.multiplier
        for ahead in REPLAYED:
            if origin + ahead <= len(weeks):
                ratio = sum(weeks[origin : origin + ahead]) / (ahead * usual)
                missed = math.log(max(ratio, math.exp(-WIDEST)))
                errors.append(PastError(ahead, missed / deviation(ahead, len(known), fit.spread)))
    return errors


def _profile(rows: np.ndarray, level: int) -> list[int]:
    """The median of each weekday, or equal ones when sales are too sparse for weekdays."""
    profile = [math.floor(median(rows[:, weekday].tolist())) for weekday in range(7)]
    return profile if 2 * sum(profile) >= level else 7 * [1]


def _spread_over(level: int, profile: Sequence[int], days: int) -> np.ndarray:
    """A week's `level` over the weekdays; the last seen day is place 6, today 0. Each day is rounded half up."""
    whole = sum(profile)
    week = [(2 * level * part + whole) // (2 * whole) for part in profile] if whole else 7 * [0]
    return np.array([week[day % 7] for day in range(1, days + 1)], np.int64)


def _weighted_median(values: Sequence[int], weights: Sequence[int]) -> int:
    """The least value that at least half of the weight does not exceed."""
    whole, reached = sum(weights), 0
    for value, weight in sorted(zip(values, weights, strict=True)):
        reached += weight
        if 2 * reached >= whole:
            return value
    return 0
