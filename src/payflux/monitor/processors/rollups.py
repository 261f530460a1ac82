"""Daily rollups: a workspace's events as one matrix of int64, days × :data:`METRICS`, for each settlement currency.

A vector is the matrix in row order, little-endian: the same bytes on every machine. Volumes are minor units of the
settlement currency; a day is a day of UTC.
"""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import numpy as np

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import EVENT_DTYPE, unpack_letters

METRICS: tuple[str, ...] = (
    "payments",  # charges that succeeded
    "payment_volume",
    "declines",  # charges that failed
    "decline_volume",
    "refunds",  # that did not fail
    "refund_volume",
    "disputes",  # without inquiries and prevented ones
    "dispute_volume",
    "inquiries",
    "prevented_disputes",
    "early_fraud_warnings",
    "early_fraud_warning_volume",
    "payouts",  # that did not fail
    "payout_volume",
    "failed_payouts",
    "held_volume",
    "released_volume",
)
"""The columns of a rollup. Append only: a stored vector has the width it was written with."""

_DAY = 86_400
_EPOCH = date(1970, 1, 1)


class Rollup(msgspec.Struct, frozen=True):
    """The days from `first_day` on, without a gap, in one settlement currency."""

    currency: str  # ISO 4217, lower case
    first_day: date
    matrix: np.ndarray  # int64, days × METRICS

    @property
    def vector(self) -> bytes:
        return self.matrix.astype("<i8").tobytes()


def unpack_rollup(currency: str, first_day: date, days: int, vector: bytes) -> Rollup:
    """The rollup that was stored. Raises ValueError when `vector` does not hold `days` rows."""
    return Rollup(currency, first_day, np.frombuffer(vector, "<i8").reshape(days, -1).astype(np.int64))


def roll_up(events: np.ndarray) -> list[Rollup]:
    """The rollups of `events`, an array of `EVENT_DTYPE` in any order; by currency."""
    if events.dtype != EVENT_DTYPE:
        raise ValueError("events must be an array of EVENT_DTYPE")
    return [
        _roll_up_currency(unpack_letters(int(code)).lower(), events[events["settled_currency"] == code])
        for code in np.unique(events["settled_currency"])
    ]


def _roll_up_currency(currency: str, events: np.ndarray) -> Rollup:
    day = events["at"] // _DAY
    first = int(day.min())
    matrix = np.zeros((int(day.max()) - first + 1, len(METRICS)), np.int64)
    for metric, (chosen, amount) in _contributions(events).items():
        column = METRICS.index(metric)
        np.add.at(matrix[:, column], day[chosen] - first, amount[chosen] if amount is not None else 1)
    return Rollup(currency, _EPOCH + timedelta(days=first), matrix)


def _contributions(events: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
    """For each metric the events that count, and their amounts; None where each counts as one."""
    kind, status, settled = events["kind"], events["status"], events["settled"]
    failed = (status == Status.FAILED) | (status == Status.CANCELED)
    paid = (kind == Kind.CHARGE) & (status == Status.SUCCEEDED)
    declined = (kind == Kind.CHARGE) & (status == Status.FAILED)
    refunded = (kind == Kind.REFUND) & ~failed
    dispute = kind == Kind.DISPUTE
    counted = dispute & (status != Status.INQUIRY) & (status != Status.PREVENTED)
    warned = kind == Kind.EARLY_FRAUD_WARNING
    payout = kind == Kind.PAYOUT
    return {
        "payments": (paid, None),
        "payment_volume": (paid, settled),
        "declines": (declined, None),
        "decline_volume": (declined, settled),
        "refunds": (refunded, None),
        "refund_volume": (refunded, settled),
        "disputes": (counted, None),
        "dispute_volume": (counted, settled),
        "inquiries": (dispute & (status == Status.INQUIRY), None),
        "prevented_disputes": (dispute & (status == Status.PREVENTED), None),
        "early_fraud_warnings": (warned, None),
        "early_fraud_warning_volume": (warned, settled),
        "payouts": (payout & ~failed, None),
        "payout_volume": (payout & ~failed, settled),
        "failed_payouts": (payout & failed, None),
        "held_volume": (kind == Kind.RESERVE_HOLD, settled),
        "released_volume": (kind == Kind.RESERVE_RELEASE, settled),
    }
