"""The charts of a readout, for pages and reports."""

from __future__ import annotations

from markupsafe import Markup

from payflux.kit.charts import BandPoint, band_chart, step_scale
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.risk.surface import BANDS, RiskSurface
from payflux.web.formatting import money_short


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


def tier_chart(surface: RiskSurface) -> Markup:
    """The five bands, lit up to the surface's own."""
    return step_scale(
        [band.capitalize() for band in BANDS.values()],
        surface.risk_tier,
        title=f"Risk band {surface.risk_band}: tier {surface.risk_tier} of {len(BANDS)}",
        danger_from=4,
    )
