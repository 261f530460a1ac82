"""Alice's live workspace with a ledger that says what was said of it."""

from __future__ import annotations

from uuid import UUID

import pytest

from payflux.activation.evidence_exports import make_export
from payflux.activation.recording import record_baseline, record_first_projection
from payflux.activation.service import get_workspace
from payflux.monitor.evidence.exporting import ask_for_export, file_bytes
from payflux.monitor.evidence.models import EvidenceExport
from payflux.monitor.evidence.queries import get_export
from payflux.monitor.evidence.rules import Wanted
from payflux.monitor.ledger.artifacts import Draft, Kind
from payflux.monitor.ledger.recording import record_artifacts
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.watching.conftest import START, Shop, open_shop


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(START)


@pytest.fixture
async def shop(world: World, clock: MovedClock) -> Shop:
    shop = await open_shop(world, clock, "alice")
    await record_activation(shop)
    return shop


async def record_activation(shop: Shop) -> None:
    """What an activation leaves in the ledger: four artifacts."""
    readout = await shop.newest()
    async with shop.world.database.tenant(shop.account_id) as session:
        workspace = await get_workspace(session, account_id=shop.account_id)
        connection = await get_connection(session, account_id=shop.account_id, connection_id=shop.connection_id)
        await record_baseline(shop.world, session, workspace, connection, readout.surface)
        await record_first_projection(shop.world, session, workspace, readout.surface, readout.projection)


async def record_many(shop: Shop, number: int) -> None:
    place = {"account_id": shop.account_id, "workspace_id": shop.workspace_id}
    drafts = [Draft(kind=Kind.ALERT, body={"number": each, "why": "x" * 500}) for each in range(number)]
    async with shop.world.database.tenant(shop.account_id) as session:
        await record_artifacts(shop.world, session, **place, drafts=drafts)


async def ask(shop: Shop, wanted: Wanted, *, asked_by: UUID | None = None) -> EvidenceExport:
    async with shop.world.database.tenant(shop.account_id) as session:
        return await ask_for_export(
            session,
            wanted,
            account_id=shop.account_id,
            workspace_id=shop.workspace_id,
            asked_by=asked_by,
            now=shop.now,
        )


async def make(shop: Shop) -> None:
    """Run the jobs that make exports."""
    for job in await shop.jobs("make_export"):
        await make_export(shop.world, job)


async def found(shop: Shop, export: EvidenceExport) -> EvidenceExport:
    async with shop.world.database.tenant(shop.account_id) as session:
        return await get_export(session, account_id=shop.account_id, export_id=export.id, now=shop.now)


async def file_of(shop: Shop, export: EvidenceExport) -> bytes:
    ready = await found(shop, export)
    return b"".join([piece async for piece in file_bytes(shop.world.database, ready, 0, ready.size - 1)])
