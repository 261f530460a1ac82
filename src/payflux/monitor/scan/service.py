"""Start, keep, share and forget scans."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import Conflict, InvalidInput, NotFound
from payflux.kit.ids import new_id
from payflux.kit.jobs import enqueue
from payflux.kit.messages import gettext as _
from payflux.monitor.scan.links import Opens, scan_behind
from payflux.monitor.scan.models import AskedBy, Part, ScanStatus, SiteScan
from payflux.settings import Settings
from payflux.world.fetching import FetchFailure, Refusal, website

KEPT_FOR_STRANGERS = timedelta(days=30)


def asked_website(text: str, settings: Settings) -> str:
    """The address that a person typed, as it is asked for. Raises InvalidInput on `url`."""
    if not text.strip():
        raise InvalidInput({"url": _("Type the address of a website, such as shop.example.com.")})
    try:
        return website(text, settings)
    except FetchFailure as failure:
        wrong = _("This is not the address of a public website. Write it like shop.example.com.")
        if failure.reason is Refusal.NOT_PUBLIC:
            wrong = _("This address is of a private network. The scan reads public websites alone.")
        raise InvalidInput({"url": wrong}) from None


async def start_scan(
    session: AsyncSession, url: str, *, account_id: UUID | None = None, asked_by: AskedBy = AskedBy.PAGE, now: datetime
) -> SiteScan:
    """Have the website at `url` (of :func:`asked_website`) scanned, for an account or for a stranger."""
    scan = SiteScan(
        id=new_id(),
        account_id=account_id,
        asked_by=asked_by,
        url=url,
        host=urlsplit(url).hostname,
        status=ScanStatus.WAITING,
        pages_read=[],
        created_at=now,
        expires_at=None if account_id else now + KEPT_FOR_STRANGERS,
    )
    session.add(scan)
    await session.flush()
    await enqueue(session, "run_scan", {"scan_id": str(scan.id)}, dedupe_key=f"run_scan:{scan.id}")
    return scan


async def open_scan(
    session: AsyncSession, tokens: TokenHasher, token: str, *, now: datetime, opens: Opens = "scan"
) -> SiteScan:
    """The scan behind a link. As the system role, for whoever has the link. Raises NotFound."""
    scan_id = scan_behind(tokens, token, opens)
    scan = await session.get(SiteScan, scan_id) if scan_id else None
    if scan is None or (scan.expires_at is not None and scan.expires_at <= now):
        raise NotFound(
            _("There is no such scan. One that no account keeps is deleted after 30 days."),
            way_out=_("Scan the website again; it is free and takes seconds."),
        )
    return scan


async def claim_scan(
    session: AsyncSession, tokens: TokenHasher, token: str, *, account_id: UUID, now: datetime
) -> bool:
    """Let the account keep a stranger's scan from now on; whether it does. Of two who claim one, the first has it. As
    the system role."""
    scan_id = scan_behind(tokens, token)
    claimed = await session.execute(
        update(SiteScan)
        .where(SiteScan.id == scan_id, SiteScan.account_id.is_(None), SiteScan.expires_at > now)
        .values(account_id=account_id, claimed_at=now, expires_at=None)
        .returning(SiteScan.id)
    )
    return claimed.scalar_one_or_none() is not None


def share_scan(scan: SiteScan, parts: Collection[str] | None) -> None:
    """Show a card with `parts` to whoever has its link; None shows none any more. Raises Conflict before it is done."""
    if scan.status != ScanStatus.DONE:
        raise Conflict(_("Only a finished scan has a card."), way_out=_("Wait until the scan is done."))
    scan.shared = None if parts is None else [part for part in Part if part in parts]


async def delete_expired_scans(session: AsyncSession, *, now: datetime) -> None:
    """Forget the scans that no account has claimed in time. As the system role."""
    await session.execute(delete(SiteScan).where(SiteScan.expires_at <= now))
