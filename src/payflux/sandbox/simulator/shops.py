"""Daily sales of simulated shops of every kind: what sales forecasts are measured on. Every number is chosen."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

DAYS = 546


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


def simulate_sales(shop: Shop, seed: int, days: int = DAYS) -> np.ndarray:
    """Minor units sold on each of `days` days, int64; the same for the same shop and seed."""
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
