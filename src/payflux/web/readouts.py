"""The newest readout of a workspace for a page: what it says, when and why it was made, and what comes next."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import Workspace
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.kit.phrases import spoken
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.news import ReadingReason
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.projections.current import reading_state
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.queries import newest_readout
from payflux.monitor.risk.surface import RiskSurface

REASONS = {
    ReadingReason.FIRST: mark("when your history had been read for the first time"),
    ReadingReason.HISTORY: mark("when older history had been read"),
    ReadingReason.EVENT: mark("because something happened in your account"),
    ReadingReason.SWEEP: mark("at the regular look every six hours"),
    ReadingReason.ASKED: mark("because somebody asked for it"),
    ReadingReason.TERMS: mark("because your own reserve terms were changed"),
}
"""Why a reading was made, after "computed"."""


class ReadingLine(NamedTuple):
    """When and why the figures were computed. `looked_at` is a later look that found nothing new; `due_at` is set
    while newer figures wait for their turn, `failed` where the last look did not succeed."""

    made_at: datetime
    why: str
    looked_at: datetime | None
    due_at: datetime | None
    failed: bool


class CurrentReadout(NamedTuple):
    """`known_until` is the instant up to which the figures hold."""

    connection: Connection
    surface: RiskSurface
    projection: ReserveProjection
    line: ReadingLine
    known_until: datetime


async def current_readout(session: AsyncSession, workspace: Workspace) -> CurrentReadout | None:
    """What stands for the processor that the workspace is connected to, in the language of whoever asks; None before
    its first projection."""
    if workspace.connection_id is None or workspace.first_projection_at is None:
        return None
    connection = await get_connection(session, account_id=workspace.account_id, connection_id=workspace.connection_id)
    readout = await newest_readout(session, connection)
    if readout is None:
        return None
    state = await reading_state(session, account_id=workspace.account_id, workspace_id=workspace.id)
    made_at = readout.surface.as_of
    looked_at = state.as_of if state is not None and state.connection_id == connection.id else None
    line = ReadingLine(
        made_at,
        _(REASONS[readout.reason]),
        looked_at if looked_at is not None and looked_at > made_at else None,
        state.due_at if state else None,
        state is not None and state.failed_at is not None,
    )
    return CurrentReadout(
        connection, spoken(readout.surface), spoken(readout.projection), line, max(made_at, looked_at or made_at)
    )
