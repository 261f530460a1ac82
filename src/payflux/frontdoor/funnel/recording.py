"""Recording product events."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.funnel.events import ProductEvent
from payflux.frontdoor.funnel.models import RecordedEvent
from payflux.frontdoor.funnel.rules import STRANGERS_KEPT, dedupe_key
from payflux.kit.ids import new_id


async def record(
    session: AsyncSession,
    event: ProductEvent,
    *,
    at: datetime,
    account_id: UUID | None = None,
    user_id: UUID | None = None,
    visitor: str | None = None,
) -> None:
    """Keep `event`, which stands if, and only if, what it tells of does: it is written in `session`'s transaction.

    A repetition of one that is kept once is left out. `user_id` is who did it, where a member did. An event that is
    kept once for the whole account is recorded without a user. Without `account_id` it takes the system's role.
    """
    row = {
        "id": new_id(),
        "account_id": account_id,
        "user_id": user_id,
        "visitor": visitor,
        "name": event.NAME,
        "properties": event.properties(),
        "dedupe_key": dedupe_key(event, user_id=user_id, visitor=visitor, at=at),
        "at": at,
    }
    await session.execute(insert(RecordedEvent).values(row).on_conflict_do_nothing())


async def delete_strangers_events(session: AsyncSession, *, now: datetime) -> None:
    """Delete what is older than :data:`STRANGERS_KEPT` and of people without an account. As the system role."""
    old = (RecordedEvent.account_id.is_(None), RecordedEvent.at < now - STRANGERS_KEPT)
    await session.execute(delete(RecordedEvent).where(*old))
