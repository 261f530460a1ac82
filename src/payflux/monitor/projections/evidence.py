"""What of a readout goes into the ledger: the figures that were said, and the hashes of the whole. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from payflux.monitor.ledger.artifacts import Draft, Kind, sha256
from payflux.monitor.ledger.canonical import canonical
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.queries import StoredReadout
from payflux.monitor.projections.scorebook import ProjectionScore
from payflux.monitor.risk.surface import RiskSurface


def baseline_draft(surface: RiskSurface) -> Draft:
    """The artifact of a connection's first surface, with every signal that was measured."""
    signals = [
        {
            "key": each.key,
            "unit": each.unit,
            "window": each.window,
            "value": each.value,
            "low": each.low,
            "high": each.high,
            "numerator": each.numerator,
            "denominator": each.denominator,
            "level": each.level.name.lower(),
        }
        for each in surface.signals
    ]
    body = _risk(surface) | {"signals": signals, "notes": surface.notes}
    return Draft(kind=Kind.BASELINE, body=body, model_version=surface.model_version, inputs_hash=surface.inputs_hash)


def projection_draft(surface: RiskSurface, projection: ReserveProjection, *, reason: str) -> Draft:
    """The artifact of a readout: the risk and the trapped capital at each horizon, with what they rest on. `reason` is
    why it was made."""
    body = {
        "as_of": projection.as_of,
        "reason": reason,
        "risk": _risk(surface),
        "currency": projection.currency,
        "event_count": projection.event_count,
        "window_days": projection.window_days,
        "current_reserve_rate": projection.current_reserve_rate,
        "currently_held": projection.currently_held,
        "scenario": projection.scenario,
        "windows": projection.windows,
        "bps_of": projection.bps_of,
        "daily_sales": projection.daily_sales,
        "trend_multiplier": projection.trend_multiplier,
        "exposure": projection.exposure,
        "assumptions": projection.assumptions,
        "projection_hash": document_hash(projection),
    }
    return Draft(
        kind=Kind.PROJECTION,
        body=body,
        model_version=projection.model_version,
        inputs_hash=projection.inputs_hash,
    )


def score_draft(score: ProjectionScore, projection: ReserveProjection, *, horizon_days: int, due_at: datetime) -> Draft:
    """The artifact of a scored horizon of `projection`, which it names by its hash."""
    body = {
        "projection_hash": document_hash(projection),
        "projected_at": projection.as_of,
        "horizon_days": horizon_days,
        "due_at": due_at,
        "score": score,
    }
    return Draft(kind=Kind.SCORE, body=body, model_version=projection.model_version, inputs_hash=projection.inputs_hash)


def says_more(before: StoredReadout | None, after: StoredReadout) -> bool:
    """Whether `after` is worth an artifact beside that of `before`: it is of a later day, or says another figure."""
    if before is None or _day(before.projection.as_of) != _day(after.projection.as_of):
        return True
    return _said(before) != _said(after)


def document_hash(document: RiskSurface | ReserveProjection) -> str:
    """The SHA-256, in hex, of the canonical JSON of everything that was computed and is stored."""
    return sha256(canonical(msgspec.to_builtins(document))).hex()


def _risk(surface: RiskSurface) -> dict[str, object]:
    return {
        "as_of": surface.as_of,
        "tier": surface.risk_tier,
        "band": surface.risk_band,
        "stability_score": surface.stability_score,
        "trend": surface.trend,
        "event_count": surface.event_count,
        "window_days": surface.window_days,
        "reasons": [{"key": each.key, "tier": each.tier, "sentence": each.sentence} for each in surface.reasons],
        "surface_hash": document_hash(surface),
    }


def _said(readout: StoredReadout) -> tuple[object, ...]:
    surface, projection = readout.surface, readout.projection
    risk = (surface.risk_tier, surface.trend, surface.stability_score)
    return (*risk, projection.scenario, projection.windows, projection.exposure, projection.currently_held)


def _day(at: datetime) -> tuple[int, int, int]:
    return at.year, at.month, at.day
