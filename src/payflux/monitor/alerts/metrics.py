"""What a rule of one's own may watch, each with its name and unit, and how its numbers read. Pure."""

from __future__ import annotations

from typing import NamedTuple

from payflux.kit.figures import written
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark, ngettext
from payflux.kit.phrases import say, told
from payflux.monitor.projections.settings import ProjectionSettings
from payflux.monitor.risk.rules.bands import BANDINGS
from payflux.monitor.risk.rules.measures import money, percent


class Metric(NamedTuple):
    """`unit`: tier, score, money (minor units), or the unit of a signal. `falling`: a lower value is worse. The
    label is looked up where it is shown (`label_of`)."""

    label: str
    unit: str
    falling: bool = False


METRICS: dict[str, Metric] = {
    "risk_tier": Metric(mark("Risk tier"), "tier"),
    "stability_score": Metric(mark("Stability score"), "score", falling=True),
    **{
        f"trapped_{days}": Metric(say("Trapped capital at T+%(days)s", days=days), "money")
        for days in ProjectionSettings().horizons
    },
    **{key: Metric(banding.label, banding.unit, banding.falling) for key, banding in BANDINGS.items()},
}
"""Every metric by the key that `rules.metric_of` knows it by."""


def label_of(metric: str) -> str:
    """What a metric is called, in the language of the task at hand."""
    return told(METRICS[metric].label)


def in_words(value: float, unit: str, currency: str) -> str:
    """`value` of a metric with its unit, in the language of the task at hand: ``0.75 %``, ``12,400 USD``, ``tier 3``,
    ``5 days``."""
    match unit:
        case "rate":
            return told(percent(value))
        case "money":
            return told(money(round(value), currency))
        case "tier":
            return _("tier %(tier)s") % {"tier": f"{value:.0f}"}
        case "score":
            return _("%(score)s of 100") % {"score": f"{value:.0f}"}
        case "days":
            days = ngettext("%(count)s day", "%(count)s days", 1 if value == 1 else 2)
            return days % {"count": _plain(value)}
        case "ratio":
            return f"{_plain(value)} ×"
        case _:
            return _plain(value)


def _plain(value: float) -> str:
    return written(f"{value:,.2f}".rstrip("0").rstrip("."))
