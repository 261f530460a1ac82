"""What a page of figures rests on, in one word, so that a browser finds out whether there is something newer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import Workspace
from payflux.monitor.alerts.models import Alert, AlertEvent
from payflux.monitor.evidence.models import EvidenceExport
from payflux.monitor.projections.current import reading_state
from payflux.monitor.projections.models import ReserveProjectionRecord


async def version_of(session: AsyncSession, workspace: Workspace) -> str:
    """Changes with each reading of `workspace`, with what stands in the way of one, with each thing that happens to an
    alert, and with the workspace's connection and state."""
    account_id, projection = workspace.account_id, ReserveProjectionRecord
    state = await reading_state(session, account_id=account_id, workspace_id=workspace.id)
    newest = select(func.max(projection.as_of)).where(
        projection.account_id == account_id, projection.workspace_id == workspace.id
    )
    happened = (
        select(func.count(), func.max(AlertEvent.at))
        .join(Alert, (Alert.account_id == AlertEvent.account_id) & (Alert.id == AlertEvent.alert_id))
        .where(AlertEvent.account_id == account_id, Alert.workspace_id == workspace.id)
    )
    rests_on = (
        workspace.activation_state,
        workspace.connection_id,
        (await session.execute(newest)).scalar_one(),
        *(await session.execute(happened)).one(),
        *((state.as_of, state.due_at, state.failed_at) if state else ()),
    )
    return _hashed(rests_on)


def version_of_exports(exports: Sequence[EvidenceExport]) -> str:
    """Changes with each export that is asked for, goes on, is ready, fails or is kept no longer."""
    return _hashed(tuple((each.id, each.state, each.done, each.total) for each in exports))


def _hashed(rests_on: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(rests_on).encode()).hexdigest()[:16]
