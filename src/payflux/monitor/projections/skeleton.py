"""A workspace's readout in the short form that clients keep: the fields of its risk surface and reserve model."""

from __future__ import annotations

from payflux.monitor.projections.projection import ProjectedWindow, ReserveProjection
from payflux.monitor.risk.surface import RiskSurface

SKELETON_HORIZONS = (30, 60, 90)


def baseline_risk_surface(surface: RiskSurface) -> dict[str, object]:
    """`baselineRiskSurface`: tier, band, score (0 to 100), trend, and what they rest on."""
    return {
        "riskTier": surface.risk_tier,
        "riskBand": surface.risk_band.value,
        "stabilityScore": surface.stability_score,
        "trend": surface.trend.value,
        "computedAt": surface.as_of.isoformat(),
        "eventCount": surface.event_count,
        "windowDays": surface.window_days,
    }


def reserve_model_skeleton(projection: ReserveProjection) -> dict[str, object]:
    """`reserveModelSkeleton`: the reserve rate now, and T+30, T+60 and T+90 where they were projected.

    `trappedBps` is basis points of the sales forecast over the same horizon; `usdEstimate` is in US dollars and there
    only when the currency is the dollar or the account's own settlements give a rate to it.
    """
    return {
        "currentReserveRate": projection.current_reserve_rate,
        "projectedWindows": {
            f"t{window.horizon_days}": _window(window)
            for window in projection.windows
            if window.horizon_days in SKELETON_HORIZONS
        },
        "trendMultiplier": projection.trend_multiplier,
        "lastProjectionAt": projection.as_of.isoformat(),
    }


def _window(window: ProjectedWindow) -> dict[str, object]:
    said: dict[str, object] = {"trappedBps": window.trapped_bps}
    if window.trapped_usd is not None:
        said["usdEstimate"] = window.trapped_usd / 100
    return said
