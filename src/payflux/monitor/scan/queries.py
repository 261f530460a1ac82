"""Reads on scans."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.scan.models import ScanStatus, SiteScan
from payflux.monitor.scan.rules.findings import Assessment


def assessment_of(scan: SiteScan) -> Assessment | None:
    """The answer of a scan that is done."""
    return msgspec.convert(scan.assessment, Assessment) if scan.assessment is not None else None


async def scans_of(session: AsyncSession, *, account_id: UUID, limit: int = 50) -> list[SiteScan]:
    """The account's scans, the newest first."""
    query = select(SiteScan).where(SiteScan.account_id == account_id)
    return list(
        (await session.execute(query.order_by(SiteScan.created_at.desc(), SiteScan.id.desc()).limit(limit))).scalars()
    )


async def latest_scan(session: AsyncSession, *, account_id: UUID) -> SiteScan | None:
    """The account's newest scan that is not a failure."""
    query = select(SiteScan).where(SiteScan.account_id == account_id, SiteScan.status != ScanStatus.FAILED)
    return (
        await session.execute(query.order_by(SiteScan.created_at.desc(), SiteScan.id.desc()).limit(1))
    ).scalar_one_or_none()


async def scan_before(session: AsyncSession, scan: SiteScan) -> SiteScan | None:
    """The account's scan of the same website before `scan`; a stranger has none."""
    if scan.account_id is None:
        return None
    query = select(SiteScan).where(
        SiteScan.account_id == scan.account_id,
        SiteScan.host == scan.host,
        SiteScan.status == ScanStatus.DONE,
        SiteScan.created_at < scan.created_at,
    )
    return (await session.execute(query.order_by(SiteScan.created_at.desc()).limit(1))).scalar_one_or_none()


async def recent_scan(
    session: AsyncSession, *, account_id: UUID, url: str, now: datetime, within: timedelta
) -> SiteScan | None:
    """The account's newest scan of `url` that was asked for lately."""
    query = select(SiteScan).where(
        SiteScan.account_id == account_id, SiteScan.url == url, SiteScan.created_at > now - within
    )
    return (await session.execute(query.order_by(SiteScan.created_at.desc()).limit(1))).scalar_one_or_none()


async def scanned_host(session: AsyncSession, *, account_id: UUID) -> str:
    """The host of the account's newest scan, to suggest where it is asked for; empty without one."""
    scan = await latest_scan(session, account_id=account_id)
    return scan.host if scan else ""
