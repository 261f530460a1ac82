"""What all workspaces of an account that somebody is in come to: each read as its own tenant, then summed by currency.

Sums are of one currency each; nothing is converted. The interval of a sum is that of workspaces that all err to the
same side, which is the widest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from payflux.activation.models import Workspace
from payflux.activation.service import get_workspace
from payflux.activation.states import missing_conditions
from payflux.activation.watching import may_be_monitored
from payflux.frontdoor.accounts.family import Place, places_of
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.frontdoor.entitlements.resolving import Entitlements, entitlements_of
from payflux.monitor.alerts.models import AlertState
from payflux.monitor.alerts.queries import unresolved_alerts
from payflux.monitor.projections.projection import ProjectedWindow, ReserveProjection
from payflux.monitor.risk.surface import Band
from payflux.web.places import places_of_account
from payflux.web.readouts import current_readout
from payflux.world.bootstrap import World

HORIZONS = (30, 60, 90)


class State(StrEnum):
    """How a workspace stands. PAUSED: the account's plan does not hold it; WALLED: no plan of the account runs."""

    LIVE = "live"
    SETTING_UP = "setting_up"
    NOT_CONNECTED = "not_connected"
    NEEDS_ATTENTION = "needs_attention"
    PAUSED = "paused"
    WALLED = "walled"


@dataclass(frozen=True)
class Trapped:
    """Trapped capital in minor units of `currency` at each of :data:`HORIZONS`, each with its 80 % interval as
    (trapped, low, high)."""

    currency: str
    at: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class WorkspaceLine:
    """One workspace. What was not computed yet is None or empty; `data_as_of` is the instant up to which its figures
    hold."""

    id: UUID
    name: str
    role: str
    is_first: bool
    state: State
    risk_tier: int | None
    risk_band: Band | None
    stability_score: int | None
    trapped: tuple[Trapped, ...]
    open_alerts: int
    data_as_of: datetime | None


@dataclass(frozen=True)
class Sum:
    """What `workspaces` of them come to in one currency."""

    trapped: Trapped
    workspaces: int


async def read_rollup(world: World, who: SignedIn) -> list[WorkspaceLine]:
    """The workspaces of the account in question that `who` is in, the first one before the others. A key speaks for the
    one that it belongs to, and so does a visit of the staff's."""
    return [await _read(world, place) for place in await _places(world, who)]


async def _places(world: World, who: SignedIn) -> list[Place]:
    here = Place(who.account_id, who.account_name, Role(who.role), who.parent_id, who.parent_name)
    if who.kind == "key" or who.impersonated_by is not None:
        return [here]
    if who.kind == "browser":
        return places_of_account(who)
    async with world.database.system() as session:
        everywhere = await places_of(session, user_id=who.user_id)
    return [place for place in everywhere if place.paying_account_id == who.paying_account_id]


async def _read(world: World, place: Place) -> WorkspaceLine:
    async with world.database.tenant(place.account_id) as session:
        workspace = await get_workspace(session, account_id=place.account_id)
        held = await entitlements_of(session, world, account_id=place.account_id)
        current = await current_readout(session, workspace)
        alerts = await unresolved_alerts(session, account_id=place.account_id, workspace_id=workspace.id)
    surface = current.surface if current else None
    return WorkspaceLine(
        id=place.account_id,
        name=place.name,
        role=place.role,
        is_first=place.parent_id is None,
        state=state_of(workspace, held),
        risk_tier=surface.risk_tier if surface else None,
        risk_band=surface.risk_band if surface else None,
        stability_score=surface.stability_score if surface else None,
        trapped=trapped_in(current.projection) if current else (),
        open_alerts=sum(alert.state == AlertState.OPEN for alert in alerts),
        data_as_of=current.known_until if current else None,
    )


def state_of(workspace: Workspace, held: Entitlements) -> State:
    """How `workspace` stands under what its account may do. Pure."""
    if held.paused:
        return State.PAUSED
    if not held.live:
        return State.WALLED
    if not missing_conditions(workspace, entitled=may_be_monitored(held)):
        return State.LIVE
    if workspace.problem is not None:
        return State.NEEDS_ATTENTION
    return State.NOT_CONNECTED if workspace.connection_id is None else State.SETTING_UP


def trapped_in(projection: ReserveProjection) -> tuple[Trapped, ...]:
    """What a projection says of each of its currencies, the headline's first; without one that lacks a horizon."""
    said = [(projection.currency, projection.windows)]
    said += [(other.currency, other.windows) for other in projection.currencies]
    found = [(currency, {window.horizon_days: window for window in windows}) for currency, windows in said]
    return tuple(
        Trapped(currency, tuple(_figures(windows[days]) for days in HORIZONS))
        for currency, windows in found
        if set(HORIZONS) <= set(windows)
    )


def _figures(window: ProjectedWindow) -> tuple[int, int, int]:
    return window.trapped, window.low, window.high


def sums_of(lines: Iterable[WorkspaceLine]) -> list[Sum]:
    """What `lines` come to in each currency, by its code. Pure."""
    by_currency: dict[str, list[Trapped]] = {}
    for line in lines:
        for trapped in line.trapped:
            by_currency.setdefault(trapped.currency, []).append(trapped)
    return [Sum(_added(currency, parts), len(parts)) for currency, parts in sorted(by_currency.items())]


def _added(currency: str, parts: Sequence[Trapped]) -> Trapped:
    columns = zip(*(part.at for part in parts), strict=True)
    sums = [[sum(figures) for figures in zip(*column, strict=True)] for column in columns]
    return Trapped(currency, tuple((trapped, low, high) for trapped, low, high in sums))
