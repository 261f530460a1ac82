"""Currencies: what customers pay in, and how it becomes what the merchant is settled in."""

from __future__ import annotations

import numpy as np

from payflux.sandbox.merchants.purchases import DAY

CURRENCIES = ("usd", "gbp", "eur")
MILLION = 1_000_000
# Millionths of the settlement currency that one unit was worth on average; the rates are made up.
AVERAGE = {("gbp", "eur"): 860_000, ("gbp", "usd"): 760_000}
WAVES = ((190.0, 0.02), (23.0, 0.006))  # days, share of the average


def rates(settled: str, presented: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Millionths of `settled` for one unit of each of `presented`, indices into CURRENCIES, on the days of `at`, unix
    seconds; 0 where nothing is converted."""
    day = at // DAY
    wave = sum(share * np.sin(2 * np.pi * day / period) for period, share in WAVES)
    average = np.array([AVERAGE.get((settled, currency), 0) for currency in CURRENCIES])[presented]
    return np.rint(average * (1 + wave)).astype(np.int64)


def converted(amount: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """`amount`, minor units, at `rate`, half up; as it is where the rate is 0."""
    return np.where(rate == 0, amount, (amount * rate + MILLION // 2) // MILLION)
