"""Reserves the processor holds already: what is open, at what rate, and when it is released."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from payflux.monitor.processors.codes import Kind
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.summary import DAY

DEFAULT_HOLD_DAYS = 90
"""How long a hold without a release date is assumed to last: PayPal's example, Stripe's "normally 30 to 90 days"."""

FLOW_DAYS = 30
"""The days whose sales and holds the rate of a reserve is measured on."""


class Holds(NamedTuple):
    """Open holds in the main currency: minor units and the unix time at which each is released."""

    amounts: np.ndarray
    ends_at: np.ndarray
    undated: int  # how many ends are assumed

    def open_at(self, moment: int) -> int:
        """Minor units still held at unix time `moment`."""
        return int(self.amounts[self.ends_at > moment].sum())


def open_holds(history: History) -> Holds:
    """The holds that stand at the readout's time.

    A hold ends at its scheduled release, or 90 days after it was booked when it has none; one without a date that is
    older than that and was never released is held beyond every horizon. A release is set against the hold of the
    same charge; one that names no charge against the oldest holds without a date; one that names a charge whose hold
    is not here belongs to an older hold and is left out.
    """
    holds = _in_currency(history, Kind.RESERVE_HOLD)
    releases = _in_currency(history, Kind.RESERVE_RELEASE)
    left = holds["settled"].astype(np.int64)
    linked: dict[int, int] = {}
    for charge, amount in zip(releases["charge"].tolist(), releases["settled"].tolist(), strict=True):
        linked[charge] = linked.get(charge, 0) + amount
    dated = holds["ends_at"] > 0
    for place, charge in enumerate(holds["charge"].tolist()):
        if charge and linked.get(charge):
            taken = min(int(left[place]), linked[charge])
            left[place] -= taken
            linked[charge] -= taken
    unlinked = linked.get(0, 0)
    for place in np.flatnonzero(~dated).tolist():
        taken = min(int(left[place]), unlinked)
        left[place] -= taken
        unlinked -= taken
    assumed = holds["at"] + DEFAULT_HOLD_DAYS * DAY
    assumed = np.where(assumed > history.now, assumed, np.iinfo(np.int64).max)
    ends_at = np.where(dated, holds["ends_at"], assumed)
    stands = (left > 0) & (ends_at > history.now)
    return Holds(left[stands], ends_at[stands], int(np.count_nonzero(stands & ~dated)))


def reserve_rate(history: History) -> float:
    """Amount held back of the last 30 days' sales / those sales, in [0, 1]; 0 without sales.

    The flow, not the stock: an ordinary rolling reserve of 10 % for 90 days stands at 30 % of a month's sales. Holds of
    a single day that name no charge are one sum held at once, and no rate.
    """
    booked = _booked(history)
    if not (booked["charge"] != 0).any() and len(np.unique(booked["at"] // DAY)) < 2:
        return 0.0
    sales = history.volume(history.last(history.payments, FLOW_DAYS))
    return min(1.0, int(booked["settled"].sum()) / sales) if sales > 0 else 0.0


def usual_hold_days(history: History) -> int:
    """The median scheduled length of the last 30 days' holds in whole days; 90 when none has a date."""
    booked = _booked(history)
    booked = booked[booked["ends_at"] > booked["at"]]
    lengths = np.sort((booked["ends_at"] - booked["at"] + DAY // 2) // DAY)
    return max(1, int(lengths[len(lengths) // 2])) if lengths.size else DEFAULT_HOLD_DAYS


def _booked(history: History) -> np.ndarray:
    holds = _in_currency(history, Kind.RESERVE_HOLD)
    return holds[holds["at"] >= (history.today - FLOW_DAYS + 1) * DAY]


def _in_currency(history: History, kind: Kind) -> np.ndarray:
    moved = history.summary.holds
    return moved[(moved["kind"] == kind) & (moved["settled_currency"] == history.currency)]
