"""The result of forecasting mode: where each daily series is going."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Arrow(StrEnum):
    UP = "↑"
    RISING = "↗"
    FLAT = "→"
    FALLING = "↘"
    DOWN = "↓"


class SeriesOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """Where one series is going. Values are in `unit`; low and high are the ends of 80 % bands."""

    key: str
    unit: str  # "a day", or "share" of its base
    days: int  # known days it rests on
    level: float  # of the line, on the last day
    slope: float  # a day
    slope_low: float
    slope_high: float
    acceleration: float | None  # a day, each day; None under two weeks
    instability: float  # 0 steady to 1
    horizon_days: int  # 0: not even tomorrow
    projected: float | None  # at the horizon; None without one
    projected_low: float | None
    projected_high: float | None
    arrow: Arrow | None  # None: insufficient evidence
    because: str  # what decided the arrow


class Forecasting(msgspec.Struct, frozen=True, kw_only=True):
    """Whether forecasting mode is on, and the outlook of each series that has enough known days."""

    active: bool
    days_known: int
    why_not: str
    series: tuple[SeriesOutlook, ...]
