"""Project a workspace's reserves and keep what was said."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.errors import Conflict
from payflux.kit.ids import new_id
from payflux.monitor.processors.queries import history_of_pull
from payflux.monitor.projections.models import ReserveProjectionRecord
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.rules import project
from payflux.monitor.risk.queries import surface_of_pull


async def project_workspace(
    session: AsyncSession, *, account_id: UUID, workspace_id: UUID, pull_id: UUID
) -> ReserveProjection:
    """Project from the history that a pull brought and the risk surface scored from it, and store the projection.

    Raises Conflict when the workspace has not been scored yet.
    """
    surface = await surface_of_pull(session, account_id=account_id, pull_id=pull_id)
    if surface is None:
        raise Conflict("There is no risk surface to project from yet.")
    history = await history_of_pull(session, account_id=account_id, pull_id=pull_id)
    projection = project(history.events, surface, as_of=history.as_of, account=history.account, balance=history.balance)
    session.add(
        ReserveProjectionRecord(
            account_id=account_id,
            id=new_id(),
            workspace_id=workspace_id,
            pull_id=pull_id,
            as_of=projection.as_of,
            currency=projection.currency,
            model_version=projection.model_version,
            inputs_hash=projection.inputs_hash,
            projection=msgspec.to_builtins(projection),
        )
    )
    await session.flush()
    return projection
