"""What a failure means for a connection."""

from __future__ import annotations

from payflux.monitor.processors.connecting.ending import disconnected_by_processor, ends_connection
from payflux.monitor.processors.models import Connection
from payflux.world.bootstrap import World


async def ended_by(world: World, connection: Connection, failure: Exception) -> bool:
    """Whether `failure` means that Stripe has ended `connection`, which is then marked so and its workspace told."""
    if not ends_connection(connection, failure):
        return False
    async with world.database.tenant(connection.account_id) as session:
        await disconnected_by_processor(session, world, connection)
    return True
