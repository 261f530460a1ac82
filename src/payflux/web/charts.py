"""The charts of a readout, for pages and reports."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from payflux.kit.charts import BandPoint, Bar, band_chart, bar_chart, step_scale
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.risk.surface import BANDS, RiskSurface
from payflux.monitor.whatif.answers import Answer
from payflux.web.formatting import money_short
from payflux.web.outlook import ReleaseWeek


def trapped_capital_chart(projection: ReserveProjection, *, width: int = 720, height: int = 260) -> Markup:
    """Trapped capital day by day with its 80 % band, the horizons marked."""
    currency = projection.currency

    def words(amount: float) -> str:
        return money_short(round(amount), currency)

    horizons = ", ".join(f"{words(window.trapped)} at T+{window.horizon_days}" for window in projection.windows)
    return band_chart(
        [BandPoint(*day) for day in projection.daily],
        title="Projected trapped capital by day",
        description=f"Expected trapped capital rises to {horizons}. The band is the 80 % range.",
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
        f"{words(now.trapped)} becomes {words(then.trapped)} at T+{now.horizon_days}" for now, then in pairs
    )
    return band_chart(
        [BandPoint(*day) for day in after.daily],
        title="Projected trapped capital by day, changed and as it is",
        description=f"Expected trapped capital: {horizons}. The band is the 80 % range of the changed path.",
        format_x=lambda day: f"T+{day:.0f}",
        format_y=words,
        marks=[window.horizon_days for window in after.windows],
        reference=[trapped for _, trapped, _, _ in before.daily],
        reference_name="As it is",
        width=width,
        height=height,
    )


def release_chart(weeks: Sequence[ReleaseWeek], currency: str, width: int) -> Markup:
    """What today's holds give back in each week."""
    return bar_chart(
        [Bar(f"{week.start.day} {week.start:%b}", week.amount) for week in weeks],
        title="Releases of today's holds by week",
        description="What is released in each week, named by its first day.",
        format_y=lambda amount: money_short(round(amount), currency),
        width=width,
        height=180,
    )


def tier_chart(surface: RiskSurface) -> Markup:
    """The five bands, lit up to the surface's own."""
    return step_scale(
        [band.capitalize() for band in BANDS.values()],
        surface.risk_tier,
        title=f"Risk band {surface.risk_band}: tier {surface.risk_tier} of {len(BANDS)}",
        danger_from=4,
    )
