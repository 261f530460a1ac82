"""The job that runs a scan. A worker that dies in the middle leaves it to another, which begins anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.jobs import Payload
from payflux.monitor.scan.crawling import Unscannable, crawl
from payflux.monitor.scan.models import ScanStatus, SiteScan
from payflux.monitor.scan.rules.assessing import assess
from payflux.monitor.scan.rules.findings import Assessment
from payflux.world.bootstrap import World
from payflux.world.fetching import Fetched, fetch

UNEXPECTED = "unexpected"

log = structlog.get_logger(__name__)


Over = Callable[[AsyncSession, SiteScan, Assessment | None], Awaitable[None]]
"""What else is to happen in the transaction in which a scan is over; without an assessment it failed."""


async def run_scan(world: World, payload: Payload, over: Over) -> None:
    """Read the website and keep what was found, page by page, so that whoever waits sees it come."""
    scan_id = UUID(payload["scan_id"])
    read: list[str] = []
    url = await _begin(world, scan_id)
    if url is None:
        return

    async def get(address: str) -> Fetched:
        return await fetch(world.settings, world.http, address)

    async def on_page(address: str) -> None:
        read.append(address)
        async with world.database.system() as session:
            if scan := await session.get(SiteScan, scan_id):
                scan.pages_read = list(read)

    try:
        site = await crawl(get, url, on_page, world.settings)
    except Unscannable as failure:
        await _finish(world, scan_id, None, over, problem=failure.problem)
        return
    await _finish(world, scan_id, await asyncio.to_thread(assess, site), over)


async def record_failed_scan(world: World, payload: Payload, over: Over) -> None:
    """A scan has been given up for a reason of ours: say so to whoever waits."""
    await _finish(world, UUID(payload["scan_id"]), None, over, problem=UNEXPECTED)


async def _begin(world: World, scan_id: UUID) -> str | None:
    """The address to begin at; None where the scan is over, or gone with its account."""
    async with world.database.system() as session:
        scan = await session.get(SiteScan, scan_id)
        if scan is None or scan.is_over:
            return None
        scan.status, scan.pages_read = ScanStatus.READING, []
        return scan.url


async def _finish(world: World, scan_id: UUID, assessment: Assessment | None, over: Over, *, problem: str = "") -> None:
    async with world.database.system() as session:
        scan = await session.get(SiteScan, scan_id, with_for_update=True)
        if scan is None or scan.is_over:
            return
        scan.status = ScanStatus.FAILED if problem else ScanStatus.DONE
        scan.problem = problem
        scan.assessment = msgspec.to_builtins(assessment) if assessment else None
        scan.finished_at = now = world.clock.now()
        await over(session, scan, assessment)
        seconds = round((now - scan.created_at).total_seconds(), 1)
        log.info("scan over", scan_id=str(scan_id), problem=problem, pages=len(scan.pages_read), seconds=seconds)
