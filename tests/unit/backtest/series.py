"""Daily sales to judge forecasts on: the real purchases, and seeded shops of many kinds."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from payflux.sandbox.merchants.purchases import FIRST_DAY, LAST_DAY, load_purchases

DAYS = 546
LAUNCH_DAYS = 91
"""Customers of the real shop made their first purchase in the first quarter."""


class Shop(NamedTuple):
    """How a simulated shop sells. Level: weekly random walk of logarithms, on top of growth, season and promotions."""

    payments: float  # a day
    ticket_spread: float = 0.7  # standard deviation of the logarithm of a payment
    week_noise: float = 0.05  # of the logarithm of a week's level, gone the week after
    drift: float = 0.02  # of the logarithm of the level, a week
    growth: float = 0.0  # of the logarithm of the level, a month
    season: float = 0.0  # amplitude over a year
    promotions: float = 0.0  # share of weeks that sell two to four times as much
    launched: bool = False  # sales rise from nothing in the first ten weeks


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

_WEEKDAYS = (1.1, 1.0, 1.0, 1.05, 1.2, 0.95, 0.7)


def any_shop(seed: int) -> Shop:
    """A shop that no constant was set on: every trait drawn from a wide range."""
    draw = np.random.default_rng(seed)
    return Shop(
        payments=math.exp(draw.uniform(math.log(0.5), math.log(1_000))),
        ticket_spread=draw.uniform(0.3, 1.2),
        week_noise=draw.uniform(0.02, 0.3),
        drift=draw.uniform(0.005, 0.06),
        growth=draw.normal(0, 0.03),
        season=draw.uniform(0, 0.3) if draw.random() < 0.5 else 0.0,
        promotions=draw.uniform(0, 0.08) if draw.random() < 0.3 else 0.0,
        launched=bool(draw.random() < 0.1),
    )


def simulated(shop: Shop, seed: int, days: int = DAYS) -> np.ndarray:
    """Minor units sold on each of `days` days."""
    draw = np.random.default_rng(seed)
    weeks = days // 7 + 1
    level = np.cumsum(draw.normal(0, shop.drift, weeks)) + draw.normal(0, shop.week_noise, weeks)
    level += np.where(draw.random(weeks) < shop.promotions, np.log(draw.uniform(2, 4, weeks)), 0)
    day = np.arange(days)
    rate = level[day // 7] + shop.growth * day / 30.4 + draw.normal(0, 0.05, days)
    rate += shop.season * np.sin(2 * math.pi * (day / 365 + draw.random()))
    rate = shop.payments * np.exp(rate) * np.array(_WEEKDAYS)[day % 7]
    rate *= np.minimum((day + 1) / 70, 1) if shop.launched else 1
    counts = draw.poisson(rate)
    tickets = np.rint(np.exp(draw.normal(8, shop.ticket_spread, int(counts.sum())))).astype(np.int64)
    return np.bincount(np.repeat(day, counts), weights=tickets, minlength=days).astype(np.int64)


def real_purchases() -> np.ndarray:
    """US cents sold on each day of the purchases that ship with the sandbox."""
    purchases = load_purchases()
    sold = np.zeros((LAST_DAY - FIRST_DAY).days + 1, np.int64)
    np.add.at(sold, purchases.day, purchases.amount)
    return sold
