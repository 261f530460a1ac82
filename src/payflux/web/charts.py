"""The charts of a readout, for pages and reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from markupsafe import Markup

from payflux.kit.charts import BandPoint, Bar, band_chart, bar_chart, step_scale
from payflux.kit.figures import short_day
from payflux.kit.messages import gettext as _
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.terms import STANDARD_HORIZONS
from payflux.monitor.projections.timeline import ReadingPoint
from payflux.monitor.risk.surface import BANDS, RiskSurface
from payflux.monitor.whatif.answers import Answer
from payflux.web.formatting import money_short
from payflux.web.outlook import ReleaseWeek

CHARTED_HORIZON = STANDARD_HORIZONS[-1]
"""The horizon, in days, that readings are compared at."""


class Exposed(NamedTuple):
    """A workspace by its name, and what it may have trapped, in minor units."""

    name: str
    trapped: int


def trapped_capital_chart(projection: ReserveProjection, *, width: int = 720, height: int = 260) -> Markup:
    """Trapped capital day by day with its 80 % band, the horizons marked."""
    currency = projection.currency

    def words(amount: float) -> str:
        return money_short(round(amount), currency)

    horizons = ", ".join(
        _("%(trapped)s at T+%(horizon_days)s") % {"trapped": words(window.trapped), "horizon_days": window.horizon_days}
        for window in projection.windows
    )
    return band_chart(
        [BandPoint(*day) for day in projection.daily],
        title=_("Projected trapped capital by day"),
        description=_("Expected trapped capital rises to %(horizons)s. The band is the 80 %% range.")
        % {"horizons": horizons},
        format_x=lambda day: f"T+{day:.0f}",
        format_y=words,
        marks=[window.horizon_days for window in projection.windows],
        width=width,
        height=height,
    )


def comparison_chart(answer: Answer, width: int, height: int) -> Markup:
    """Trapped capital day by day with the changes of a what-if, and dashed without them."""
    before, after = answer.projection_before, answer.projection_after

    def words(amount: float) -> str:
        return money_short(round(amount), before.currency)

    pairs = zip(before.windows, after.windows, strict=True)
    horizons = ", ".join(
        _("%(trapped)s becomes %(trapped_2)s at T+%(horizon_days)s")
        % {"trapped": words(now.trapped), "trapped_2": words(then.trapped), "horizon_days": now.horizon_days}
        for now, then in pairs
    )
    return band_chart(
        [BandPoint(*day) for day in after.daily],
        title=_("Projected trapped capital by day, changed and as it is"),
        description=_("Expected trapped capital: %(horizons)s. The band is the 80 %% range of the changed path.")
        % {"horizons": horizons},
        format_x=lambda day: f"T+{day:.0f}",
        format_y=words,
        marks=[window.horizon_days for window in after.windows],
        reference=[trapped for _, trapped, _, _ in before.daily],
        reference_name=_("As it is"),
        width=width,
        height=height,
    )


def trapped_timeline_chart(points: Sequence[ReadingPoint], width: int) -> Markup:
    """Trapped capital at T+90 as each of several readings in one currency saw it, the oldest first."""
    currency, first = points[0].currency, points[0].as_of
    seen = [point.window(CHARTED_HORIZON) for point in points]

    def words(amount: float) -> str:
        return money_short(round(amount), currency)

    return band_chart(
        [
            BandPoint((point.as_of - first).total_seconds(), window.trapped, window.low, window.high)
            for point, window in zip(points, seen, strict=True)
        ],
        title=_("Trapped capital at T+%(horizon)s by reading") % {"horizon": CHARTED_HORIZON},
        description=_("From %(trapped)s to %(trapped_2)s. The band is the 80 %% range.")
        % {"trapped": words(seen[0].trapped), "trapped_2": words(seen[-1].trapped)},
        format_x=lambda seconds: _when(points, first + timedelta(seconds=seconds)),
        format_y=words,
        marks=[(points[-1].as_of - first).total_seconds()],
        width=width,
        height=240,
    )


def tier_timeline_chart(points: Sequence[ReadingPoint], width: int) -> Markup:
    """The tier of each of several readings, the oldest first."""
    return bar_chart(
        [Bar(_when(points, point.as_of), point.risk_tier) for point in points],
        title=_("Risk tier by reading"),
        description=_("From tier %(risk_tier)s to tier %(risk_tier_2)s of %(bands)s.")
        % {"risk_tier": points[0].risk_tier, "risk_tier_2": points[-1].risk_tier, "bands": len(BANDS)},
        format_y=lambda tier: f"{tier:g}",
        width=width,
        height=160,
    )


def _when(points: Sequence[ReadingPoint], at: datetime) -> str:
    """A moment as the axis of `points` names it, in UTC: with its time where all lie within three days."""
    short = points[-1].as_of - points[0].as_of < timedelta(days=3)
    return f"{short_day(at)}, {at:%H:%M}" if short else short_day(at)


def release_chart(weeks: Sequence[ReleaseWeek], currency: str, width: int) -> Markup:
    """What today's holds give back in each week."""
    return bar_chart(
        [Bar(short_day(week.start), week.amount) for week in weeks],
        title=_("Releases of today's holds by week"),
        description=_("What is released in each week, named by its first day."),
        format_y=lambda amount: money_short(round(amount), currency),
        width=width,
        height=180,
    )


def tier_chart(surface: RiskSurface) -> Markup:
    """The five bands, lit up to the surface's own."""
    return step_scale(
        [_(band.capitalize()) for band in BANDS.values()],
        surface.risk_tier,
        title=_("Risk band %(risk_band)s: tier %(risk_tier)s of %(bands)s")
        % {"risk_band": _(surface.risk_band), "risk_tier": surface.risk_tier, "bands": len(BANDS)},
        danger_from=4,
    )


def exposure_chart(exposures: Sequence[Exposed], currency: str, horizon_days: int, width: int) -> Markup:
    """What each of several workspaces may have trapped at one horizon, in one currency."""
    return bar_chart(
        [Bar(_short(each.name), each.trapped) for each in exposures],
        title=_("Trapped capital at T+%(horizon)s by workspace, in %(currency)s")
        % {"horizon": horizon_days, "currency": currency},
        description=", ".join(f"{each.name}: {money_short(each.trapped, currency)}" for each in exposures),
        format_y=lambda amount: money_short(round(amount), currency),
        width=width,
        height=200,
    )


def _short(name: str, longest: int = 16) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
