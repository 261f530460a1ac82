"""What a caller may choose of a projection."""

from __future__ import annotations

import msgspec

LAST_HORIZON = 365


class ProjectionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The choices of one projection; None leaves a choice to the data. Raises ValueError for one that means nothing.

    `rate` and `hold_days` replace the tier's scenario or the reserve in force; `growth` the forecast's own trend, as a
    share a month of 30 days, compounded by day. `target` is that of the fixed reserve in minor units of the main
    currency, `sweep` the share of sales that fills it.
    """

    horizons: tuple[int, ...] = (30, 60, 90)
    rate: float | None = None  # in [0, 1]
    hold_days: int | None = None
    growth: float | None = None  # 0.05 is 5 % a month
    target: int | None = None
    sweep: float = 0.05  # in [0, 1]; PayPal's example of a minimum reserve filled by sweep
    fee_rate: float = 0.0  # in [0, 1] of sales; fees are not among the events
    processor: str = "stripe"

    def __post_init__(self) -> None:
        if not self.horizons or not 1 <= min(self.horizons) <= max(self.horizons) <= LAST_HORIZON:
            raise ValueError(f"A horizon is at least one day and at most {LAST_HORIZON}.")
        if list(self.horizons) != sorted(set(self.horizons)):
            raise ValueError("Horizons rise: each is more days than the one before.")
        for name, share in (("rate", self.rate), ("sweep", self.sweep), ("fee_rate", self.fee_rate)):
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{name} is a share between 0 and 1.")
        if self.hold_days is not None and not 1 <= self.hold_days <= LAST_HORIZON:
            raise ValueError(f"hold_days lies between 1 and {LAST_HORIZON}.")
        if self.growth is not None and not -1 < self.growth <= 1:
            raise ValueError("growth is a share a month above -1 and at most 1.")
        if self.target is not None and self.target < 0:
            raise ValueError("target is an amount of zero or more minor units.")
