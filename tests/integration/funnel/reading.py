"""What was recorded of the funnel."""

from __future__ import annotations

from sqlalchemy import select

from payflux.frontdoor.funnel.models import RecordedEvent
from payflux.world.bootstrap import World


async def recorded_events(world: World) -> list[RecordedEvent]:
    """Every product event, in the order in which it was recorded."""
    async with world.database.system() as session:
        return list((await session.execute(select(RecordedEvent).order_by(RecordedEvent.id))).scalars())
