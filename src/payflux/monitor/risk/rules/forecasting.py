"""Forecasting mode: where each daily series is going, how sure that is, and for how long it can be said.

Available once seven days in a row are known. It says what comes if things go on as they did: it is no forecast of sums
(that is the sales forecast's part), and its bands are of the line, not of single days.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from payflux.kit.messages import mark
from payflux.kit.phrases import figure, say
from payflux.monitor.risk.outlook import Arrow, Forecasting, SeriesOutlook
from payflux.monitor.risk.rules.bands import MINIMUM_EVENTS, MINIMUM_PAYMENTS
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.measures import number
from payflux.monitor.risk.rules.slopes import Slope, sen_slope
from payflux.monitor.risk.rules.statistics import Z80, median, settle

WEEK = 7
LEAST_DAYS = 7
WINDOW_DAYS = 56
"""The last eight weeks are read."""

LONGEST_HORIZON = 90
WIDEST_BAND = 0.5
"""The horizon ends where the band leaves the level by more than this share."""

CHANGE_DAYS = 30
DEAD_BAND = 0.20
"""A level that moves by less than a fifth in 30 days has not moved (assumed, as in the trend of the surface)."""

STEEP = 0.50
"""A level that moves by more than a half in 30 days moves steeply (assumed)."""


class DailySeries(NamedTuple):
    """What is counted or summed on consecutive whole UTC days, oldest first, the last one yesterday.

    With a `base` of the same length the series is the share amount / base, unknown on days without base.
    """

    key: str
    amount: np.ndarray
    base: np.ndarray | None = None


def forecasting_of(history: History) -> Forecasting:
    """The outlook of sales, payments and the rates that processors look at, by whole days up to yesterday."""
    payments, declines = _daily(history, history.payments), _daily(history, history.declines)
    sales = _daily(history, history.in_currency(history.payments), "settled")
    series = (
        DailySeries("sales", sales),
        DailySeries("payments", payments),
        DailySeries("dispute_activity", _daily(history, history.disputes), payments),
        DailySeries("fraud_warning_rate", _daily(history, history.warnings), payments),
        DailySeries("refund_rate", _daily(history, history.in_currency(history.refunds), "settled"), sales),
        DailySeries("decline_rate", declines, payments + declines),
    )
    return forecasting(series[:-1] if history.declines_unseen else series)


def _daily(history: History, rows: np.ndarray, column: str = "count") -> np.ndarray:
    days: np.ndarray = np.zeros(WINDOW_DAYS, np.int64)
    recent = history.last(rows, WINDOW_DAYS, skip=1)
    np.add.at(days, recent["day"] - (history.today - WINDOW_DAYS), recent[column])
    return days


def forecasting(series: Sequence[DailySeries]) -> Forecasting:
    """Known days run from the first with anything in any series to the last. Raises ValueError for unequal lengths."""
    arrays = [array for one in series for array in (one.amount, one.base) if array is not None]
    if len({len(array) for array in arrays}) > 1:
        raise ValueError("all series cover the same days")
    first = min((int(np.flatnonzero(array)[0]) for array in arrays if array.any()), default=None)
    known = 0 if first is None else len(arrays[0]) - first
    if known < LEAST_DAYS:
        why = say(
            "%(known)s of the %(least)s whole days in a row are known that forecasting takes.",
            known=known,
            least=LEAST_DAYS,
        )
        return Forecasting(active=False, days_known=known, why_not=why, series=())
    days = min(known, WINDOW_DAYS)
    days = days // WEEK * WEEK if days >= 2 * WEEK else days
    outlooks = (_outlook(one, days) for one in series)
    return Forecasting(
        active=True, days_known=known, why_not="", series=tuple(outlook for outlook in outlooks if outlook)
    )


def _outlook(series: DailySeries, days: int) -> SeriesOutlook | None:
    """The outlook on the last `days` days; None when fewer than seven of them are known.

    Line: Theil and Sen's slope, of pairs of the same weekday from two weeks on, through the medians of the weekdays.
    Acceleration: the slope of the second half less that of the first, over the days between their middles; halves are
    whole weeks. Band of the line n days ahead: the root of the squares of the slope's own bound times the distance from
    the window's middle and of z·1.2533·s/√days, the error of a median (Kenney and Keeping, 1962).
    """
    values = _values(series, days)
    known = sum(value is not None for value in values)
    season = WEEK if days >= 2 * WEEK else 1
    slope = sen_slope(values, season=season)
    if known < LEAST_DAYS or slope is None:
        return None
    centre, noise = _line(values, slope.middle, season)
    level = centre + slope.middle * (days - 1) / 2
    error = Z80 * 1.2533 * noise / math.sqrt(known)
    ceiling = 1.0 if series.base is not None else math.inf

    def band(ahead: int) -> tuple[float, float]:
        away = (days - 1) / 2 + ahead
        middle = level + slope.middle * ahead
        low = middle - math.hypot((slope.middle - slope.low) * away, error)
        return low, middle + math.hypot((slope.high - slope.middle) * away, error)

    horizon = _horizon(level, slope.middle, band)
    low, high = band(horizon)
    usual = _usual(values)
    arrow, because = _arrow(series, days, slope, usual)

    def bounded(value: float) -> float | None:
        return settle(min(ceiling, max(0.0, value))) if horizon else None

    return SeriesOutlook(
        key=series.key,
        unit="a day" if series.base is None else "share",
        days=known,
        level=settle(min(ceiling, max(0.0, level))),
        slope=settle(slope.middle),
        slope_low=settle(slope.low),
        slope_high=settle(slope.high),
        acceleration=_acceleration(values),
        instability=settle(noise / (noise + usual)) if noise else 0.0,
        horizon_days=horizon,
        projected=bounded(level + slope.middle * horizon),
        projected_low=bounded(low),
        projected_high=bounded(high),
        arrow=arrow,
        because=because,
    )


def _values(series: DailySeries, days: int) -> list[float | None]:
    amounts: list[int] = series.amount[-days:].tolist()
    if series.base is None:
        return [float(amount) for amount in amounts]
    bases: list[int] = series.base[-days:].tolist()
    return [amount / base if base else None for amount, base in zip(amounts, bases, strict=True)]


def _usual(values: Sequence[float | None]) -> float:
    """The median of the known values, or their mean when that is 0."""
    known = [value for value in values if value is not None]
    return median(known) or math.fsum(known) / len(known)


def _line(values: Sequence[float | None], slope: float, season: int) -> tuple[float, float]:
    """The line's value in the middle of the window, and the robust deviation of single days from line and weekday.

    Deviation: 1.4826 times the median absolute one, or 1.2533 times the mean when that is 0 (Iglewicz and Hoaglin, How
    to Detect and Handle Outliers, 1993), widened by the degrees of freedom that the weekdays take.
    """
    middle = (len(values) - 1) / 2
    phases: list[list[float]] = [[] for _ in range(season)]
    for at, value in enumerate(values):
        if value is not None:
            phases[at % season].append(value - slope * (at - middle))
    usual = [median(phase) for phase in phases if phase]
    away = [abs(value - median(phase)) for phase in phases for value in phase]
    noise = 1.4826 * median(away) or 1.2533 * math.fsum(away) / len(away)
    free = max(1, len(away) - len(usual))
    return math.fsum(usual) / len(usual), noise * math.sqrt(len(away) / free)


def _acceleration(values: Sequence[float | None]) -> float | None:
    half = len(values) // 2 // WEEK * WEEK
    if not half:
        return None
    season = WEEK if half >= 2 * WEEK else 1
    first, second = sen_slope(values[:half], season=season), sen_slope(values[-half:], season=season)
    if first is None or second is None:
        return None
    return settle((second.middle - first.middle) / (len(values) - half))


def _horizon(level: float, slope: float, band: Callable[[int], tuple[float, float]]) -> int:
    for ahead in range(1, LONGEST_HORIZON + 1):
        low, high = band(ahead)
        middle = level + slope * ahead
        if max(middle - low, high - middle) > WIDEST_BAND * level:
            return ahead - 1
    return LONGEST_HORIZON


def _arrow(series: DailySeries, days: int, slope: Slope, usual: float) -> tuple[Arrow | None, str]:
    """An arrow that is not flat takes a slope whose 80 % band leaves out zero, and a move beyond the dead band."""
    if series.base is not None:
        events, base = int(series.amount[-days:].sum()), int(series.base[-days:].sum())
        if events < MINIMUM_EVENTS or base < MINIMUM_PAYMENTS:
            return None, say(
                "Insufficient evidence: %(events)s of %(base)s in %(days)s days.",
                events=number(events),
                base=number(base),
                days=days,
            )
    if slope.low <= 0 <= slope.high:
        return Arrow.FLAT, mark("No direction: chance alone moves it as much.")
    change = slope.middle * CHANGE_DAYS / usual
    moved = figure(f"{change:+.0%}".replace("%", " %"))
    if abs(change) <= DEAD_BAND:
        return Arrow.FLAT, say(
            "It moves by %(change)s in %(days)s days: less than counts.", change=moved, days=CHANGE_DAYS
        )
    because = say("It moves by %(change)s in %(days)s days, more than chance allows.", change=moved, days=CHANGE_DAYS)
    if abs(change) > STEEP:
        return (Arrow.UP if change > 0 else Arrow.DOWN), because
    return (Arrow.RISING if change > 0 else Arrow.FALLING), because
