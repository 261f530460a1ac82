"""What a workspace's ledger holds of its activation, its readings and its alerts: recorded in the transaction of what
it tells of."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import Workspace
from payflux.monitor.alerts.models import Alert, AlertEvent, Happening
from payflux.monitor.ledger.artifacts import Draft, Kind
from payflux.monitor.ledger.models import LedgerArtifact
from payflux.monitor.ledger.queries import newest_artifact
from payflux.monitor.ledger.recording import Recorded, envelope_draft, record_artifacts
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.news import ReadingReason
from payflux.monitor.projections.evidence import baseline_draft, projection_draft, says_more
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.reading import WorkspaceRead
from payflux.monitor.risk.surface import RiskSurface
from payflux.world.bootstrap import World

TOLD = (Happening.RAISED, Happening.WORSENED, Happening.CLEARED, Happening.RESOLVED)
"""What of an alert's history is evidence; who looks after it is the members' own business."""


async def record_baseline(
    world: World, session: AsyncSession, workspace: Workspace, connection: Connection, surface: RiskSurface
) -> None:
    """Record what was connected and its baseline."""
    connected = {
        "connection_id": connection.id,
        "processor": connection.processor,
        "method": connection.method,
        "external_account_id": connection.external_account_id,
        "livemode": connection.livemode,
        "connected_at": connection.connected_at,
        "capabilities": connection.capabilities,
        "event_count": connection.event_count,
    }
    await _record(world, session, workspace, Draft(kind=Kind.CONNECTION, body=connected), baseline_draft(surface))


async def record_first_projection(
    world: World, session: AsyncSession, workspace: Workspace, surface: RiskSurface, projection: ReserveProjection
) -> None:
    """Record the first projection, and the first envelope: the connection, its baseline and this projection."""
    draft = projection_draft(surface, projection, reason=ReadingReason.FIRST)
    recorded = await _record(world, session, workspace, draft)
    before = [await _newest(session, workspace, kind) for kind in (Kind.CONNECTION, Kind.BASELINE)]
    named = [each.reference for each in (*before, *recorded) if each is not None]
    await _record(world, session, workspace, envelope_draft("activation", named))


async def record_reading(world: World, session: AsyncSession, workspace: Workspace, read: WorkspaceRead) -> None:
    """Record what a reading said, where that is more than was recorded before."""
    if read.changed and says_more(read.before, read.after):
        after = read.after
        await _record(world, session, workspace, projection_draft(after.surface, after.projection, reason=after.reason))


async def record_alert(world: World, session: AsyncSession, alert: Alert, event: AlertEvent) -> None:
    """Record that an alert was raised, became worse or is over, without the name that members gave its rule."""
    if event.kind not in TOLD:
        return
    body = {
        "alert_id": alert.id,
        "event_id": event.id,
        "rule_id": alert.rule_id,
        "happening": event.kind,
        "at": event.at,
        "facts": event.facts,
    }
    drafts = [Draft(kind=Kind.ALERT, body=body)]
    await record_artifacts(world, session, account_id=alert.account_id, workspace_id=alert.workspace_id, drafts=drafts)


async def _record(world: World, session: AsyncSession, workspace: Workspace, *drafts: Draft) -> list[Recorded]:
    return await record_artifacts(
        world, session, account_id=workspace.account_id, workspace_id=workspace.id, drafts=drafts
    )


async def _newest(session: AsyncSession, workspace: Workspace, kind: Kind) -> LedgerArtifact | None:
    return await newest_artifact(session, account_id=workspace.account_id, workspace_id=workspace.id, kind=kind)
