"""The workspaces of the caller's account, for programs: what stands of each, and what they come to by currency."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.monitor.risk.surface import Band
from payflux.web.guards import CurrentWorld, Who
from payflux.web.policies import guard
from payflux.web.rollup import HORIZONS, State, Trapped, read_rollup, sums_of

router = APIRouter(prefix="/workspaces", tags=["workspaces"])


class TrappedWindow(BaseModel):
    """Capital that could be trapped at T+`horizon_days`, in minor units, with its 80 % interval."""

    horizon_days: int
    trapped: int
    low: int
    high: int


class Exposure(BaseModel):
    """What could be trapped in one currency."""

    currency: str
    windows: list[TrappedWindow]


class WorkspaceExposure(BaseModel):
    """A workspace. `is_first` is the account's own; `role` is the caller's there. What was not computed yet is null or
    empty; `data_as_of` is the instant up to which the figures hold."""

    id: UUID
    name: str
    role: Role
    is_first: bool
    state: State
    risk_tier: int | None
    risk_band: Band | None
    stability_score: int | None
    exposures: list[Exposure]
    open_alerts: int
    data_as_of: datetime | None


class CurrencySum(Exposure):
    """What `workspaces` of them come to in one currency; nothing is converted. The interval is that of workspaces that
    all err to the same side: the widest."""

    workspaces: int


class Rollup(BaseModel):
    """The workspaces that the caller is in, the account's first before the others, and their sums."""

    workspaces: list[WorkspaceExposure]
    sums: list[CurrencySum]


@router.get("", dependencies=[guard(capability="monitor.read", entitled=True, metered=True, scope="risk:read")])
async def workspaces(who: Who, world: CurrentWorld) -> Rollup:
    """The roll-up. A key speaks for the one workspace that it belongs to; a session for all that its person is in."""
    lines = await read_rollup(world, who)
    return Rollup(
        workspaces=[
            WorkspaceExposure(
                id=line.id,
                name=line.name,
                role=Role(line.role),
                is_first=line.is_first,
                state=line.state,
                risk_tier=line.risk_tier,
                risk_band=line.risk_band,
                stability_score=line.stability_score,
                exposures=[Exposure(currency=each.currency, windows=_windows(each)) for each in line.trapped],
                open_alerts=line.open_alerts,
                data_as_of=line.data_as_of,
            )
            for line in lines
        ],
        sums=[
            CurrencySum(currency=each.trapped.currency, windows=_windows(each.trapped), workspaces=each.workspaces)
            for each in sums_of(lines)
        ],
    )


def _windows(trapped: Trapped) -> list[TrappedWindow]:
    return [
        TrappedWindow(horizon_days=days, trapped=expected, low=low, high=high)
        for days, (expected, low, high) in zip(HORIZONS, trapped.at, strict=True)
    ]
