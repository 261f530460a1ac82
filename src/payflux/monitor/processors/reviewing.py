"""Reviews: Stripe lists only those that are open, so the stored ones that it no longer lists are read one by one."""

from __future__ import annotations

from sqlalchemy import select

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.models import Connection, StoredEvent
from payflux.monitor.processors.resources import OBJECTS, OPEN_REVIEWS, PAGE_SIZE
from payflux.monitor.processors.store import upsert_events
from payflux.world.bootstrap import World
from payflux.world.stripe import PermissionMissing, RequestRefused, StripeReader

MOST_READ = 50
"""Reviews that were closed are read anew in such portions; the rest waits for the next time."""


async def refresh_reviews(world: World, reader: StripeReader, connection: Connection) -> None:
    """Store the newest open reviews, and how those ended that were open before. A key that may not read reviews, or an
    account without them, stores nothing. Raises StripeFailure."""
    read_at = world.clock.now()
    query: dict[str, str | int | list[str]] = {"limit": PAGE_SIZE, "expand[]": list(OPEN_REVIEWS.expand)}
    try:
        page = OPEN_REVIEWS.read(await reader.get(OPEN_REVIEWS.path, query))
        listed = {event.source_id for event in page.events}
        async with world.database.tenant(connection.account_id) as session:
            known = select(StoredEvent.source_id).where(
                StoredEvent.account_id == connection.account_id,
                StoredEvent.connection_id == connection.id,
                StoredEvent.kind == Kind.REVIEW,
                StoredEvent.status == Status.OPEN,
            )
            gone = sorted(set((await session.execute(known)).scalars()) - listed)
        review = OBJECTS["review"]
        events = page.events
        for object_id in gone[:MOST_READ]:
            events += review.read(await reader.get(review.path(object_id), review.query(object_id)))
    except (PermissionMissing, RequestRefused):
        return
    async with world.database.tenant(connection.account_id) as session:
        await upsert_events(session, connection, [(event, read_at) for event in events])
