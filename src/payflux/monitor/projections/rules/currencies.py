"""Several settlement currencies: each apart, and a total at the account's own rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.events import unpack_letters
from payflux.monitor.projections.projection import OwnRate, ProjectedWindow, Total
from payflux.monitor.projections.rules.reserves import WHOLE
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.statistics import settle

Rates = Mapping[tuple[str, str], float]
"""Minor units of the second currency that one minor unit of the first settles as."""


def own_rates(history: History) -> dict[tuple[str, str], float]:
    """Settled over presented amounts, Σ / Σ, of the window's payments in each pair of currencies.

    They are the balance transactions' own rates, the processor's fee for conversion included.
    """
    return {
        (_code(source), _code(target)): settle(settled / amount)
        for source, target, amount, settled in history.summary.conversions.tolist()
        if source and target and amount > 0 and settled > 0
    }


def rate_between(rates: Rates, source: str, target: str) -> float | None:
    """What one minor unit of `source` is worth in `target`: the own rate, or the inverse of the way back, or None."""
    if source == target:
        return 1.0
    if (source, target) in rates:
        return rates[source, target]
    back = rates.get((target, source))
    return settle(1 / back) if back else None


def other_currencies(history: History) -> list[History]:
    """`history` as seen from each further currency in which payments of the window or holds settle, by its code."""
    payments = history.last(history.payments, history.window_days)
    moved = history.summary.holds
    holds = moved[moved["kind"] == Kind.RESERVE_HOLD]
    seen = np.unique(np.append(payments["currency"], holds["settled_currency"])).tolist()
    others = [currency for currency in seen if currency not in (0, history.currency)]
    return [replace(history, currency=currency) for currency in sorted(others, key=_code)]


def payments_in(history: History) -> int:
    """Payments of the window that settle in the history's currency."""
    return count(history.in_currency(history.last(history.payments, history.window_days)))


def total_of(
    target: str,
    parts: Sequence[tuple[str, int, tuple[ProjectedWindow, ...]]],
    rates: Rates,
) -> Total:
    """The sum over `parts`, each (currency, held now, its windows at the same horizons), in `target`.

    A currency without a rate is left out by name.
    """
    known = [(part, rate) for part in parts if (rate := rate_between(rates, part[0], target)) is not None]
    horizons = zip(*(windows for (_, _, windows), _ in known), strict=True)
    weights, usd_rate = [rate for _, rate in known], rate_between(rates, target, "usd")
    return Total(
        currency=target,
        currently_held=sum(converted(held, rate) for (_, held, _), rate in known),
        windows=tuple(_sum(windows, weights, usd_rate) for windows in horizons),
        rates=tuple(OwnRate(source=part[0], target=target, rate=rate) for part, rate in known if part[0] != target),
        included=tuple(part[0] for part, _ in known),
        left_out=tuple(part[0] for part in parts if rate_between(rates, part[0], target) is None),
    )


def converted(amount: int, rate: float) -> int:
    """`amount` at `rate`, rounded to a whole minor unit."""
    return round(amount * rate)


def _sum(windows: Sequence[ProjectedWindow], rates: Sequence[float], usd_rate: float | None) -> ProjectedWindow:
    def summed(name: str) -> int:
        return sum(converted(getattr(window, name), rate) for window, rate in zip(windows, rates, strict=True))

    return window_of(
        windows[0].horizon_days,
        trapped=(summed("trapped"), summed("low"), summed("high")),
        sales=(summed("forecast_sales"), summed("sales_low"), summed("sales_high")),
        observed=summed("observed"),
        draws=None if any(window.expected_draws is None for window in windows) else summed("expected_draws"),
        usd_rate=usd_rate,
    )


def window_of(
    horizon: int,
    *,
    trapped: tuple[int, int, int],
    sales: tuple[int, int, int],
    observed: int,
    draws: int | None,
    usd_rate: float | None,
) -> ProjectedWindow:
    """A window from `trapped` and `sales`, each (expected, low, high) in minor units."""
    expected, low, high = trapped
    return ProjectedWindow(
        horizon_days=horizon,
        trapped=expected,
        low=low,
        high=high,
        trapped_bps=mean(expected * WHOLE, sales[0]),
        days_of_sales=round(expected * horizon / sales[0], 2) if sales[0] else 0.0,
        forecast_sales=sales[0],
        sales_low=sales[1],
        sales_high=sales[2],
        observed=observed,
        expected_draws=draws,
        trapped_usd=None if usd_rate is None else converted(expected, usd_rate),
    )


def mean(whole: int, number: int) -> int:
    """`whole` / `number` rounded half up; 0 for nothing."""
    return (2 * whole + number) // (2 * number) if number else 0


def _code(packed: int) -> str:
    return unpack_letters(packed).lower()
