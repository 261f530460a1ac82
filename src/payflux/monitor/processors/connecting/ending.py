"""How a connection ends."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.errors import Unavailable
from payflux.monitor.processors.models import ConnectionMethod, ConnectionStatus
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World
from payflux.world.stripe import ConnectOAuth, ProcessorUnavailable, StripeFailure

log = structlog.get_logger(__name__)


async def disconnect(
    session: AsyncSession, world: World, *, account_id: UUID, connection_id: UUID, now: datetime
) -> None:
    """Forget the key, or give up the OAuth access; what was read stays. Raises Unavailable when Stripe has to know
    and does not answer: the connection then stays as it was."""
    connection = await get_connection(session, account_id=account_id, connection_id=connection_id)
    if connection.method == ConnectionMethod.CONNECT_OAUTH:
        try:
            await ConnectOAuth(world.settings, world.http).deauthorize(connection.external_account_id)
        except ProcessorUnavailable:
            raise Unavailable(
                "Stripe does not answer, so the connection could not be ended. It is still in place.",
                way_out="Try again in a few minutes, or remove PayFlux in your Stripe Dashboard.",
            ) from None
        except StripeFailure as failure:
            log.warning("Stripe refused to deauthorize; disconnected here alone", failure=str(failure))
    connection.status = ConnectionStatus.DISCONNECTED
    connection.disconnected_at = now
    connection.secret = None
    await session.flush()
