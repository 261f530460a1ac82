"""Daily rollups: a workspace's events as one matrix of int64, days × :data:`METRICS`, for each settlement currency.

A vector is the matrix in row order, little-endian: the same bytes on every machine. Volumes are minor units of the
settlement currency; a day is a day of UTC. Every metric is a sum over events, so that :func:`update` may add and take
away and end in the very bytes that rolling up everything gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
import numpy as np

from payflux.monitor.processors.codes import COUNTED_KINDS, Kind, Status
from payflux.monitor.processors.events import EVENT_DTYPE, pack_letters, unpack_letters

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
    "succeeded_refunds",
    "succeeded_refund_volume",
    "events",  # of any counted kind, whatever its status
)
"""The columns of a rollup. Append only: a stored vector has the width it was written with."""

_EVENTS = METRICS.index("events")
_DAY = 86_400
_EPOCH = date(1970, 1, 1)


class Rollup(msgspec.Struct, frozen=True):
    """The days from the first to the last event, without a gap, in one settlement currency."""

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
    """The rollups of `events`, an array of `EVENT_DTYPE` in any order; by currency. Only :data:`COUNTED_KINDS` count.

    Raises ValueError for another type.
    """
    if events.dtype != EVENT_DTYPE:
        raise ValueError("events must be an array of EVENT_DTYPE")
    events = events[events["kind"] < COUNTED_KINDS.stop]
    return [
        _roll_up_currency(unpack_letters(int(code)).lower(), events[events["settled_currency"] == code])
        for code in np.unique(events["settled_currency"])
    ]


def update(rollups: Sequence[Rollup], removed: np.ndarray, added: np.ndarray) -> list[Rollup]:
    """The rollups after some events changed: each is in `removed` as it was and in `added` as it is now.

    `rollups` are those of one workspace as :func:`roll_up` or this function made them; both arrays are of
    `EVENT_DTYPE`, in any order. The result equals `roll_up` of everything that is there now, to the byte. Raises
    ValueError when more is removed than was there, or when a rollup was stored with fewer metrics than
    there are now: roll that workspace up anew.
    """
    if any(rollup.matrix.shape[1] != len(METRICS) for rollup in rollups):
        raise ValueError("a rollup has other metrics than there are now")
    changes: dict[str, list[tuple[int, Rollup]]] = {}
    for sign, part in ((1, rollups), (-1, roll_up(removed)), (1, roll_up(added))):
        for rollup in part:
            changes.setdefault(rollup.currency, []).append((sign, rollup))
    summed = [_sum(currency, parts) for currency, parts in sorted(changes.items(), key=_packed)]
    return [rollup for rollup in summed if len(rollup.matrix)]


def _packed(item: tuple[str, object]) -> int:
    return pack_letters(item[0])


def _sum(currency: str, parts: Sequence[tuple[int, Rollup]]) -> Rollup:
    """The signed sum, without the days before the first and after the last event."""
    first = min(rollup.first_day for _, rollup in parts)
    end = max(rollup.first_day + timedelta(days=len(rollup.matrix)) for _, rollup in parts)
    matrix = np.zeros(((end - first).days, len(METRICS)), np.int64)
    for sign, rollup in parts:
        start = (rollup.first_day - first).days
        matrix[start : start + len(rollup.matrix)] += sign * rollup.matrix
    if (matrix < 0).any():
        raise ValueError("more was removed than the rollup holds")
    days = np.flatnonzero(matrix[:, _EVENTS])
    if not days.size:
        return Rollup(currency, first, matrix[:0])
    return Rollup(currency, first + timedelta(days=int(days[0])), matrix[days[0] : days[-1] + 1])


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
    paid_back = (kind == Kind.REFUND) & (status == Status.SUCCEEDED)
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
        "succeeded_refunds": (paid_back, None),
        "succeeded_refund_volume": (paid_back, settled),
        "events": (np.ones(len(events), bool), None),
    }
