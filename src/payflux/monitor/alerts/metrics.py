"""What a rule of one's own may watch, each with its name and unit, and how its numbers read. Pure."""

from __future__ import annotations

from typing import NamedTuple

from payflux.monitor.projections.settings import ProjectionSettings
from payflux.monitor.risk.rules.bands import BANDINGS
from payflux.monitor.risk.rules.measures import money, percent


class Metric(NamedTuple):
    """`unit`: tier, score, money (minor units), or the unit of a signal. `falling`: a lower value is worse."""

    label: str
    unit: str
    falling: bool = False


METRICS: dict[str, Metric] = {
    "risk_tier": Metric("Risk tier", "tier"),
    "stability_score": Metric("Stability score", "score", falling=True),
    **{f"trapped_{days}": Metric(f"Trapped capital at T+{days}", "money") for days in ProjectionSettings().horizons},
    **{key: Metric(banding.label, banding.unit, banding.falling) for key, banding in BANDINGS.items()},
}
"""Every metric by the key that `rules.metric_of` knows it by."""


def in_words(value: float, unit: str, currency: str) -> str:
    """`value` of a metric with its unit: ``0.75 %``, ``12,400 USD``, ``tier 3``, ``5 days``."""
    match unit:
        case "rate":
            return percent(value)
        case "money":
            return money(round(value), currency)
        case "tier":
            return f"tier {value:.0f}"
        case "score":
            return f"{value:.0f} of 100"
        case "days":
            return f"{_plain(value)} day{'' if value == 1 else 's'}"
        case "ratio":
            return f"{_plain(value)} ×"
        case _:
            return _plain(value)


def _plain(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")
