"""The rates of many workspaces at once, from the days of their rollups.

Each number is the one that the signal of the same name would give for these counts, to the bit: sums are of integers,
quotients and roots are IEEE's own, and what is returned is settled to twelve digits.
"""

from __future__ import annotations

import numpy as np

from payflux.monitor.processors.rollups import METRICS
from payflux.monitor.risk.rules.bands import BANDINGS, MINIMUM_EVENTS, MINIMUM_PAYMENTS
from payflux.monitor.risk.rules.statistics import Z80, settle
from payflux.monitor.risk.surface import Level

WINDOWS = (30, 90)
"""Days that a reading looks back, today so far among them."""

DAYS = max(WINDOWS)
WEEKS_BEFORE = 8

_DIGITS = 12
_EXACT = 22
_LEAST = -12
_SCALES = np.array([float(f"1e{exponent}") for exponent in range(_EXACT + 1)])
_TENS = np.array([float(f"1e{exponent}") for exponent in range(_LEAST, 16)])

_RATES = ("dispute_activity", "fraud_warning_rate", "refund_rate", "decline_rate", "observed_reserve")
READING_DTYPE = np.dtype(
    [("growth", "f8")]
    + [
        (f"{name}_{window}", kind)
        for window in WINDOWS
        for name, kind in (("payments", "i8"), ("volume", "i8"), *((rate, "f8") for rate in _RATES), ("tier", "i2"))
    ]
)
"""A reading in one settlement currency. Rates are shares, NaN where nothing stands below the line.

`growth` is the sales of the last seven completed days against the median of the eight weeks before, less 1; NaN with
fewer than 25 payments in those days or a week without sales. `volume` is minor units.
"""


def read_workspaces(days: np.ndarray) -> np.ndarray:
    """A reading for each of `days`: int64, workspaces × :data:`DAYS` (oldest first, the last one today so far) ×
    :data:`METRICS`. Returns an array of :data:`READING_DTYPE`.

    A tier is what these rates alone ask for by the thresholds of their signals (warn 2, high 3, critical 4), behind
    the gate for small numbers; 2 with too few payments to judge. The rules on the account itself, its balance and the
    networks' programmes are no part of it. Amounts are exact up to 2⁵³ minor units a window.
    """
    if days.shape[1:] != (DAYS, len(METRICS)):
        raise ValueError(f"days are workspaces × {DAYS} × {len(METRICS)}")
    found: np.ndarray = np.empty(len(days), READING_DTYPE)
    found["growth"], growth_level = _growth(days)
    recent = days[:, DAYS - WINDOWS[0] :].sum(axis=1)
    for window, totals in zip(WINDOWS, (recent, recent + days[:, : DAYS - WINDOWS[0]].sum(axis=1)), strict=True):
        _fill(found, window, dict(zip(METRICS, totals.T, strict=True)), growth_level)
    return found


def _fill(found: np.ndarray, window: int, total: dict[str, np.ndarray], growth_level: np.ndarray) -> None:
    payments, volume = total["payments"], total["payment_volume"]
    held = np.minimum(1.0, _share(total["held_volume"], volume))
    rates = {
        "dispute_activity": _share(total["disputes"], payments),
        "fraud_warning_rate": _share(total["early_fraud_warnings"], payments),
        "refund_rate": _share(total["succeeded_refund_volume"], volume),
        "decline_rate": _share(total["declines"], total["declines"] + payments),
        "observed_reserve": held,
    }
    levels = [
        growth_level,
        _gated("dispute_activity", rates["dispute_activity"], total["disputes"], payments),
        _gated("refund_rate", rates["refund_rate"], total["succeeded_refunds"], payments),
        _gated(
            "fraud_warning_rate",
            _wilson_low(total["early_fraud_warnings"], payments),
            total["early_fraud_warnings"],
            payments,
        ),
        # judged to a tenth of a percent, as every hold is rounded to the cent
        _levels("observed_reserve", np.array([round(share, 3) for share in held.tolist()])),
    ]
    tier = 1 + np.maximum.reduce(levels)
    found[f"payments_{window}"], found[f"volume_{window}"] = payments, volume
    found[f"tier_{window}"] = np.where(payments < MINIMUM_PAYMENTS, np.maximum(tier, 2), tier)
    for name, rate in rates.items():
        found[f"{name}_{window}"] = rate


def _growth(days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The growth, and its level: the milder of that by the ratio and that by the robust z at 2, 3 and 4."""
    volume = days[:, :, METRICS.index("payment_volume")]
    end = DAYS - 1  # today is not over
    weeks = np.stack([volume[:, end - 7 * n - 7 : end - 7 * n].sum(axis=1) for n in range(WEEKS_BEFORE + 1)], axis=1)
    payments = days[:, end - 7 : end, METRICS.index("payments")].sum(axis=1)
    judged = (payments >= MINIMUM_PAYMENTS) & (weeks.min(axis=1) > 0)
    value, level = np.full(len(days), np.nan), np.zeros(len(days), np.int64)
    if judged.any():
        weeks = weeks[judged]
        usual = _median(weeks[:, 1:])
        growth = weeks[:, 0] / usual - 1
        spread = _median(np.abs(weeks[:, 1:] / usual[:, None] - 1)) * 1.4826
        still = np.where(growth > 0, np.inf, 0.0)
        z = np.divide(growth, spread, out=still, where=spread > 0)
        value[judged] = settle_all(growth)
        level[judged] = np.minimum(_levels("growth", growth), (z[:, None] >= (2, 3, 4)).sum(axis=1))
    return value, level


def _median(rows: np.ndarray) -> np.ndarray:
    ordered = np.sort(rows, axis=1)
    return (ordered[:, WEEKS_BEFORE // 2 - 1] + ordered[:, WEEKS_BEFORE // 2]) / 2


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return settle_all(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))


def _gated(key: str, judged: np.ndarray, events: np.ndarray, payments: np.ndarray) -> np.ndarray:
    enough = (payments >= MINIMUM_PAYMENTS) & (events >= MINIMUM_EVENTS)
    return np.where(enough, _levels(key, judged), Level.OK)


def _levels(key: str, judged: np.ndarray) -> np.ndarray:
    """:func:`bands.level_of` of a rising signal, for many values; NaN is no evidence and sets no level."""
    thresholds = BANDINGS[key].thresholds
    if thresholds[0] == 0:  # any at all is a warning
        return (judged[:, None] > thresholds).sum(axis=1)
    return (judged[:, None] >= thresholds).sum(axis=1)


def _wilson_low(events: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """The lower bound of :func:`statistics.wilson_interval`, step by step; 0 without events or trials."""
    some = (events > 0) & (trials > 0)
    n = trials[some]
    share = np.minimum(events[some], n) / n
    centre = share + Z80 * Z80 / (2 * n)
    half = Z80 * np.sqrt(share * (1 - share) / n + Z80 * Z80 / (4 * n * n))
    low = np.zeros(len(events))
    low[some] = settle_all((centre - half) / (1 + Z80 * Z80 / n))
    return low


def settle_all(values: np.ndarray) -> np.ndarray:
    """:func:`statistics.settle` of each value, to the bit; NaN stays.

    Twelve digits of v in [10ᵉ, 10ᵉ⁺¹) are n = v · 10ᵏ to the nearest integer, with k = 11 - e. A power of ten up to
    10²² is exact, and so n / 10ᵏ is the float nearest to those digits. Where the product lies so near to a half that
    its rounding could decide, or k leaves [0, 22], the scalar function does.
    """
    size = np.abs(values)
    power = _DIGITS - np.searchsorted(_TENS, size, side="right") - _LEAST
    plain = (power >= 0) & (power <= _EXACT) & (size > 0)
    scale = _SCALES[np.where(plain, power, 0)]
    shifted = size * scale
    digits = np.rint(shifted)
    plain &= np.abs(np.abs(shifted - digits) - 0.5) > 0.001
    settled = np.copysign(digits / scale, values)
    odd = np.flatnonzero(~plain & (size > 0))
    settled[size == 0] = 0.0
    settled[odd] = [settle(value) for value in values[odd].tolist()]
    settled[np.isnan(values)] = np.nan
    return settled
