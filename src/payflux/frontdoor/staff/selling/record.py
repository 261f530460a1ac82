"""The log of what the staff changed of the catalogue, which belongs to no account."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.catalogue.models import CatalogueChange
from payflux.frontdoor.staff.signing_in import Staff
from payflux.kit.ids import new_id

LONGEST_AUTHOR = 320


def author_of(staff: Staff) -> str:
    """How a catalogue's row names one of the staff."""
    return str(staff)[:LONGEST_AUTHOR]


async def record_catalogue_change(
    session: AsyncSession,
    staff: Staff,
    *,
    action: str,
    subject: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    now: datetime,
) -> None:
    """Write what `staff` changed, in the transaction of the change."""
    session.add(
        CatalogueChange(
            id=new_id(), at=now, author=author_of(staff), action=action, subject=subject, before=before, after=after
        )
    )
    await session.flush()


async def catalogue_changes(session: AsyncSession, *, limit: int = 50) -> list[CatalogueChange]:
    """What was changed, the newest first."""
    query = select(CatalogueChange).order_by(CatalogueChange.at.desc(), CatalogueChange.id.desc()).limit(limit)
    return list((await session.execute(query)).scalars())
