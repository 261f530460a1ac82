"""What the processor holds back by its policy, and when it gives it back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from payflux.sandbox.simulator.model import MONTH, ProcessorPolicy

DAY = 86_400

HOLD_DTYPE = np.dtype([("at", "i8"), ("ends_at", "i8"), ("amount", "i8")])
"""One hold a day, at that day's end, and when it is released: unix seconds, minor units."""


class Reserve(NamedTuple):
    """A rolling reserve was in force from day `first` until before day `end`; None: until the last day."""

    first: int
    end: int | None


def hold_back(
    policy: ProcessorPolicy, payments: np.ndarray, disputes: np.ndarray, sold: np.ndarray, start: int
) -> tuple[np.ndarray, tuple[Reserve, ...]]:
    """The holds that `policy` makes of daily `payments`, `disputes` received and minor units `sold`, oldest first."""
    reserves: list[Reserve] = []
    held: list[tuple[int, int, int]] = []
    since: int | None = None
    calm = 0
    for day in range(len(sold)):
        month = slice(max(0, day - MONTH), day)
        received, paid = int(disputes[month].sum()), int(payments[month].sum())
        activity = received / paid if paid else 0.0
        if since is None and activity >= policy.triggered_at and received >= policy.least_disputes:
            since, calm = day, 0
        elif since is not None:
            calm = calm + 1 if activity < policy.lifted_below else 0
            if calm >= policy.calm_days:
                reserves.append(Reserve(since, day))
                since = None
        amount = round(int(sold[day]) * policy.reserve_rate)
        if since is not None and amount:
            at = (start + day + 1) * DAY - 1
            held.append((at, at + policy.reserve_days * DAY, amount))
    if since is not None:
        reserves.append(Reserve(since, None))
    return np.array(held, HOLD_DTYPE), tuple(reserves)
