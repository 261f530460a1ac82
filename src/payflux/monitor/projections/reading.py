"""Read a workspace again: score and project what is stored of its connection as of an instant, and keep what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.news import ReadingReason
from payflux.monitor.processors.queries import History, history_at
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.queries import StoredReadout, newest_readout
from payflux.monitor.projections.rules import MODEL_VERSION as PROJECTION_VERSION
from payflux.monitor.projections.rules import project
from payflux.monitor.projections.service import store_projection
from payflux.monitor.projections.settings import ProjectionSettings
from payflux.monitor.projections.terms import settings_of
from payflux.monitor.risk import rules
from payflux.monitor.risk.queries import earlier_readouts
from payflux.monitor.risk.rules.hysteresis import standing_tier
from payflux.monitor.risk.service import store_surface
from payflux.monitor.risk.surface import Readout, RiskSurface


class WorkspaceRead(NamedTuple):
    """What a reading as of an instant said, and what was said before it; the same two where nothing has changed, and
    nothing was stored."""

    as_of: datetime
    before: StoredReadout | None
    after: StoredReadout

    @property
    def changed(self) -> bool:
        return self.after is not self.before


async def read_workspace(
    session: AsyncSession, connection: Connection, *, as_of: datetime, reason: ReadingReason
) -> WorkspaceRead:
    """Score and project what is stored of `connection` as of `as_of`, whole seconds, and store both, with the horizons
    that the projection will be scored at.

    Where the newest readout is of the same day and rests on the same, nothing is stored: so doing the same again does
    nothing.
    """
    known = await history_at(session, connection, as_of=as_of)
    earlier = await earlier_readouts(session, connection, before=as_of)
    before = await newest_readout(session, connection)
    settings = await settings_of(session, account_id=connection.account_id, workspace_id=connection.workspace_id)
    # a long history takes a good part of a second, in which a worker's other jobs and heartbeats go on
    history, basis = await asyncio.to_thread(_prepared, known, earlier)
    if before is not None and _still_holds(before, history, basis, settings):
        return WorkspaceRead(as_of, before, before)
    after = StoredReadout(reason, *await asyncio.to_thread(_said_of, history, settings), basis)
    surface_id = await store_surface(session, connection, after.surface, after.basis_hash, reason=reason)
    await store_projection(
        session,
        after.projection,
        account_id=connection.account_id,
        workspace_id=connection.workspace_id,
        surface_id=surface_id,
    )
    return WorkspaceRead(as_of, before, after)


def _prepared(known: History, earlier: Sequence[Readout]) -> tuple[rules.History, str]:
    history = rules.prepare(
        known.events,
        as_of=known.as_of,
        account=known.account,
        balance=known.balance,
        earlier=tuple(earlier),
        reads_declines=known.reads_declines,
    )
    return history, rules.basis_hash(history)


def _said_of(history: rules.History, settings: ProjectionSettings) -> tuple[RiskSurface, ReserveProjection]:
    surface = rules.score(history)
    return surface, project(replace(history, earlier=()), surface, settings)


def _still_holds(before: StoredReadout, history: rules.History, basis: str, settings: ProjectionSettings) -> bool:
    """Whether `before` is of the same day, rests on the same and was made by the same models on the same terms. A tier
    falls by time alone."""
    surface = before.surface
    versions = (surface.model_version, before.projection.model_version)
    return (
        before.basis_hash == basis
        and before.projection.settings == settings
        and versions == (rules.MODEL_VERSION, PROJECTION_VERSION)
        and surface.risk_tier == standing_tier(surface.asked_tier, history.as_of, history.earlier)
    )
