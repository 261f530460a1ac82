"""Builds the events of a simulated merchant, and keeps the truth beside them.

Sales of a day are Poisson around level · weekday · season · growth · spike · lognormal noise. Each payment is disputed
with the day's rate, refunded with the refund rate when it is not disputed. Disputes and refunds go on after the last
day of sale until none is left to come; who replays a date filters by `at`. The same model, policy, days, start and
seed give the same events.
"""

from __future__ import annotations

import math
from typing import NamedTuple
from zlib import crc32

import numpy as np

from payflux.sandbox.simulator.model import LAST_LAG, MONTH, CardNetwork, MerchantModel, ProcessorPolicy
from payflux.sandbox.simulator.reserve import HOLD_DTYPE, Reserve, hold_back

DAY = 86_400
START = 20_000
"""The first simulated day, in days since 1970: 2024-10-04."""

CHARGE_DTYPE = np.dtype(
    [("at", "i8"), ("amount", "i8"), ("customer", "i8"), ("network", "i2"), ("three_d_secure", "i2")]
)
"""Payments that succeeded, in time order: unix seconds, minor units, a CardNetwork, 0 or 1."""

DISPUTE_DTYPE = np.dtype([("charge", "i8"), ("at", "i8"), ("fraud", "?"), ("won", "?")])
"""`charge` is the index of the payment; in time order, as refunds and warnings are."""

REFUND_DTYPE = np.dtype([("charge", "i8"), ("at", "i8"), ("amount", "i8")])
WARNING_DTYPE = np.dtype([("charge", "i8"), ("at", "i8")])


class Truth(NamedTuple):
    """What an estimator should find."""

    rate: np.ndarray  # float64, ultimate dispute rate of each day's payments
    curve: np.ndarray  # float64, share of all disputes that has arrived at 0 … 182 days of age
    disputes: np.ndarray  # int64, disputes in the end on each day's payments
    reserve: tuple[Reserve, ...]  # when the processor held money back


class Simulated(NamedTuple):
    """One merchant's events by kind, and the truth. Day i is `start` + i days since 1970."""

    start: int
    charges: np.ndarray
    disputes: np.ndarray
    refunds: np.ndarray
    warnings: np.ndarray
    holds: np.ndarray
    truth: Truth

    @property
    def charge_days(self) -> np.ndarray:
        """Of each charge, days since the start."""
        return self.charges["at"] // DAY - self.start

    @property
    def dispute_days(self) -> np.ndarray:
        """Of each dispute, days since the start."""
        return self.disputes["at"] // DAY - self.start


def simulate(
    model: MerchantModel,
    seed: int,
    *,
    days: int = 400,
    policy: ProcessorPolicy | None = None,
    start: int = START,
) -> Simulated:
    """`days` days of sales and all that follows from them; without a `policy` nothing is held back."""
    rng = np.random.default_rng([seed, crc32(model.name.encode())])
    charges = _charges(model, rng, days, start)
    day = charges["at"] // DAY - start
    disputes = _disputes(model, rng, charges, day)
    refunds = _refunds(model, rng, charges, disputes)
    warnings = _warnings(model, rng, charges, disputes)
    charges["three_d_secure"][disputes["charge"][disputes["fraud"]]] = 0
    sold = np.zeros(days, np.int64)
    np.add.at(sold, day, charges["amount"])
    received = disputes["at"] // DAY - start
    received = np.bincount(received[received < days], minlength=days)
    holds, reserve = np.empty(0, HOLD_DTYPE), ()
    if policy is not None:
        holds, reserve = hold_back(policy, np.bincount(day, minlength=days), received, sold, start)
    in_the_end = np.bincount(day[disputes["charge"]], minlength=days)
    truth = Truth(model.rate_on(np.arange(days)), true_curve(model), in_the_end, reserve)
    return Simulated(start, charges, disputes, refunds, warnings, holds, truth)


def true_curve(model: MerchantModel) -> np.ndarray:
    """The share of all disputes that has arrived by each age of 0 … 182 days."""
    fraud = model.fraud_share
    return np.array(
        [fraud * model.lag.cdf(age, model.fraud_pace) + (1 - fraud) * model.lag.cdf(age) for age in range(LAST_LAG + 1)]
    )


def _levels(model: MerchantModel, rng: np.random.Generator, days: int, start: int) -> np.ndarray:
    day = np.arange(days)
    level = model.payments_a_day * (1 + model.growth) ** (day / MONTH)
    level *= np.array(model.weekday)[(start + day + 3) % 7]  # 1970 began on a Thursday
    level *= np.exp(model.season * np.cos(2 * math.pi * (start + day) / 365.25))
    level *= np.exp(model.noise * rng.standard_normal(days) - model.noise**2 / 2)
    for spike in model.spikes:
        level[spike.first_day : spike.first_day + spike.days] *= spike.factor
    level[: model.first_day] = 0
    return level


def _charges(model: MerchantModel, rng: np.random.Generator, days: int, start: int) -> np.ndarray:
    counts = rng.poisson(_levels(model, rng, days, start))
    total = int(counts.sum())
    charges: np.ndarray = np.zeros(total, CHARGE_DTYPE)
    charges["at"] = np.sort((start + np.repeat(np.arange(days), counts)) * DAY + rng.integers(0, DAY, total))
    charges["amount"] = np.maximum(50, model.ticket * np.exp(model.ticket_spread * rng.standard_normal(total)))
    charges["customer"] = rng.integers(1, model.customers + 1, total)
    charges["network"] = rng.choice(np.array(CardNetwork), total, p=model.networks)
    charges["three_d_secure"] = rng.random(total) < model.three_d_secure
    return charges


def _disputes(model: MerchantModel, rng: np.random.Generator, charges: np.ndarray, day: np.ndarray) -> np.ndarray:
    disputed = np.flatnonzero(rng.random(len(charges)) < model.rate_on(day))
    disputes: np.ndarray = np.zeros(len(disputed), DISPUTE_DTYPE)
    disputes["charge"] = disputed
    disputes["fraud"] = rng.random(len(disputed)) < model.fraud_share
    disputes["won"] = rng.random(len(disputed)) < model.won
    lags = model.lag.draw(rng, np.where(disputes["fraud"], model.fraud_pace, 1.0))
    disputes["at"] = charges["at"][disputed] + (lags * DAY).astype(np.int64)
    return _in_time_order(disputes)


def _refunds(model: MerchantModel, rng: np.random.Generator, charges: np.ndarray, disputes: np.ndarray) -> np.ndarray:
    given = rng.random(len(charges)) < model.refund_rate
    given[disputes["charge"]] = False
    refunded = np.flatnonzero(given)
    refunds: np.ndarray = np.zeros(len(refunded), REFUND_DTYPE)
    refunds["charge"] = refunded
    lags = model.refund_median / math.log(2) * rng.standard_exponential(len(refunded))
    refunds["at"] = charges["at"][refunded] + (lags * DAY).astype(np.int64)
    part = np.where(rng.random(len(refunded)) < 0.2, rng.random(len(refunded)), 1.0)  # one in five is partial
    refunds["amount"] = np.maximum(1, charges["amount"][refunded] * part)
    return _in_time_order(refunds)


def _warnings(model: MerchantModel, rng: np.random.Generator, charges: np.ndarray, disputes: np.ndarray) -> np.ndarray:
    """Warnings of fraud disputes to come, and one in five that no dispute follows."""
    fraud = disputes[disputes["fraud"]]
    fraud = fraud[rng.random(len(fraud)) < model.warned]
    warned: np.ndarray = np.zeros(len(fraud), WARNING_DTYPE)
    warned["charge"] = fraud["charge"]
    charged = charges["at"][fraud["charge"]]
    warned["at"] = charged + ((fraud["at"] - charged) * rng.random(len(fraud))).astype(np.int64)
    sound = np.setdiff1d(np.arange(len(charges)), disputes["charge"])
    alone: np.ndarray = np.zeros(min(len(fraud) // 4, len(sound)), WARNING_DTYPE)
    alone["charge"] = np.sort(rng.choice(sound, len(alone), replace=False))
    alone["at"] = charges["at"][alone["charge"]] + (rng.random(len(alone)) * MONTH * DAY).astype(np.int64)
    return _in_time_order(np.concatenate([warned, alone]))


def _in_time_order(events: np.ndarray) -> np.ndarray:
    return events[np.lexsort((events["charge"], events["at"]))]
