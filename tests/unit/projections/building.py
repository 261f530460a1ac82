"""Projections of merchants made of columns."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from payflux.monitor.processors.snapshots import AccountSnapshot, BalanceSnapshot
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.rules import ProjectionSettings, project
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.surface import RiskSurface
from tests.unit.risk.building import AS_OF, FULL, SOUND


def projected(
    events: np.ndarray,
    *,
    tier: int | None = None,
    account: AccountSnapshot | None = SOUND,
    balance: BalanceSnapshot | None = FULL,
    settings: ProjectionSettings | None = None,
) -> ReserveProjection:
    history = prepare(events, as_of=AS_OF, account=account, balance=balance)
    surface = score(history)
    if tier is not None:
        surface: RiskSurface = replace(surface, risk_tier=tier)
    return project(history, surface, settings)


def trapped(projection: ReserveProjection) -> list[int]:
    return [window.trapped for window in projection.windows]
