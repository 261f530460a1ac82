"""Website scans as what people do: the job that runs one, an account that keeps one, and the events that tell of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.funnel.events import ScanClaimed, ScanFinished
from payflux.frontdoor.funnel.recording import record
from payflux.kit.crypto import TokenHasher
from payflux.kit.jobs import Payload
from payflux.monitor.scan import jobs
from payflux.monitor.scan.models import SiteScan
from payflux.monitor.scan.rules.findings import Assessment
from payflux.monitor.scan.service import claim_scan
from payflux.world.bootstrap import World


async def run_scan(world: World, payload: Payload) -> None:
    """The job that reads a website."""
    await jobs.run_scan(world, payload, _over)


async def record_failed_scan(world: World, payload: Payload) -> None:
    """That job has been given up."""
    await jobs.record_failed_scan(world, payload, _over)


async def keep_scan(
    session: AsyncSession,
    tokens: TokenHasher,
    token: str,
    *,
    account_id: UUID,
    now: datetime,
    at_registration: bool = False,
) -> None:
    """Let the account keep a stranger's scan from now on, if nobody keeps it yet. As the system role."""
    if await claim_scan(session, tokens, token, account_id=account_id, now=now):
        await record(session, ScanClaimed(at_registration), at=now, account_id=account_id)


async def _over(session: AsyncSession, scan: SiteScan, found: Assessment | None) -> None:
    told = ScanFinished(
        tier=(found.tier or 0) if found else 0, to_mend=len(found.reasons) if found else 0, failed=found is None
    )
    assert scan.finished_at is not None
    await record(session, told, at=scan.finished_at, account_id=scan.account_id)
