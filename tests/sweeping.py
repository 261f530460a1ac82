"""The sweep's peer: one workspace at a time, its rates by the signals' own scalar functions; and random workspaces."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np

from payflux.monitor.processors.rollups import METRICS, Rollup
from payflux.monitor.risk.rules.bands import MINIMUM_PAYMENTS, level_of
from payflux.monitor.risk.rules.measures import rate_signal, too_little, value_signal
from payflux.monitor.risk.rules.statistics import median, settle
from payflux.monitor.risk.surface import Level

Reading = dict[str, float | int | None]


def read_workspace(rollup: Rollup, today: date) -> Reading:
    """What the sweep says of this rollup; None where nothing can be said."""
    growth, growth_level = _growth(rollup, today)
    reading: Reading = {"growth": growth}
    for window in (30, 90):
        first = today - timedelta(days=window - 1)
        total = {metric: _sum(rollup, metric, first, window) for metric in METRICS}
        payments, volume = total["payments"], total["payment_volume"]
        disputes = rate_signal("dispute_activity", total["disputes"], payments, window="", on_lower_bound=False)
        warnings = rate_signal("fraud_warning_rate", total["early_fraud_warnings"], payments, window="")
        refunded = total["succeeded_refund_volume"] / volume if volume else None
        gate = too_little(total["succeeded_refunds"], payments)
        refunds = value_signal("refund_rate", refunded, None if gate else refunded, window="")
        held = min(1.0, settle(total["held_volume"] / volume)) if volume else None
        reserve = value_signal("observed_reserve", held, None if held is None else round(held, 3), window="")
        attempts = payments + total["declines"]
        tier = 1 + max(0, growth_level, *(signal.level for signal in (disputes, warnings, refunds, reserve)))
        reading |= {
            f"payments_{window}": payments,
            f"volume_{window}": volume,
            f"dispute_activity_{window}": disputes.value,
            f"fraud_warning_rate_{window}": warnings.value,
            f"refund_rate_{window}": refunds.value,
            f"decline_rate_{window}": settle(total["declines"] / attempts) if attempts else None,
            f"observed_reserve_{window}": held,
            f"tier_{window}": max(tier, 2) if payments < MINIMUM_PAYMENTS else tier,
        }
    return reading


def _growth(rollup: Rollup, today: date) -> tuple[float | None, Level]:
    sales = [_sum(rollup, "payment_volume", today - timedelta(days=7 * week + 7), 7) for week in range(9)]
    if _sum(rollup, "payments", today - timedelta(days=7), 7) < MINIMUM_PAYMENTS or min(sales) <= 0:
        return None, Level.INSUFFICIENT_EVIDENCE
    usual = median(sales[1:])
    value = sales[0] / usual - 1
    spread = median([abs(week / usual - 1) for week in sales[1:]]) * 1.4826
    z = value / spread if spread > 0 else (math.inf if value > 0 else 0.0)
    by_spread = Level(sum(z >= limit for limit in (2, 3, 4)))
    return settle(value), min(level_of("growth", value), by_spread)


def _sum(rollup: Rollup, metric: str, first: date, days: int) -> int:
    start = (first - rollup.first_day).days
    column = rollup.matrix[max(0, start) : max(0, start + days), METRICS.index(metric)]
    return sum(column.tolist())


def random_rollups(count: int, today: date, seed: int) -> list[Rollup]:
    """Shops of all sizes and troubles: some young, some long silent, some with events dated after today."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        days = int(random.integers(1, 130))
        end = today + timedelta(days=int(random.choice([1, 2, 4, -20, -95, 1, 1, 1, 1, 1])))
        scale = 10 ** random.uniform(-1, 3)
        matrix = np.zeros((days, len(METRICS)), np.int64)

        def draw(
            metric: str, share: float, matrix: np.ndarray = matrix, scale: float = scale, days: int = days
        ) -> None:
            matrix[:, METRICS.index(metric)] = random.poisson(scale * share, days)

        draw("payments", 1)
        matrix[:, METRICS.index("payment_volume")] = matrix[:, 0] * random.integers(100, 90_000)
        draw("declines", random.uniform(0, 0.3))
        draw("disputes", random.choice([0, 0.003, 0.0075, 0.02]))
        draw("early_fraud_warnings", random.choice([0, 0.004, 0.01]))
        draw("succeeded_refunds", random.uniform(0, 0.3))
        refunds = matrix[:, METRICS.index("succeeded_refunds")]
        matrix[:, METRICS.index("succeeded_refund_volume")] = refunds * random.integers(100, 90_000)
        if random.random() < 0.3:
            rate = random.choice([0.05, 0.1, 0.1004, 0.25, 0.3])
            matrix[:, METRICS.index("held_volume")] = np.rint(matrix[:, METRICS.index("payment_volume")] * rate)
        if random.random() < 0.3:
            matrix[-8:] *= int(random.integers(2, 6))
        found.append(Rollup("usd", end - timedelta(days=days), matrix))
    return found
