"""Daily sales to judge forecasts on: the real purchases, and seeded shops of many kinds."""

from __future__ import annotations

import numpy as np

from payflux.sandbox.merchants.purchases import FIRST_DAY, LAST_DAY, load_purchases
from payflux.sandbox.simulator import Shop

LAUNCH_DAYS = 91
"""Customers of the real shop made their first purchase in the first quarter."""

SHOPS = {
    "steady large": Shop(2_000),
    "steady medium": Shop(120, week_noise=0.08),
    "small": Shop(5, week_noise=0.1),
    "sparse": Shop(0.5, week_noise=0.1),
    "growing": Shop(80, growth=0.06),
    "shrinking": Shop(80, growth=-0.05),
    "noisy": Shop(60, week_noise=0.3),
    "promotions": Shop(200, week_noise=0.1, promotions=0.07),
    "drifting": Shop(150, drift=0.07),
    "seasonal": Shop(150, season=0.3),
    "launch": Shop(50, week_noise=0.1, drift=0.03, launched=True),
}
"""The shops that the forecast's constants were set on."""


def real_purchases() -> np.ndarray:
    """US cents sold on each day of the purchases that ship with the sandbox."""
    purchases = load_purchases()
    sold = np.zeros((LAST_DAY - FIRST_DAY).days + 1, np.int64)
    np.add.at(sold, purchases.day, purchases.amount)
    return sold
