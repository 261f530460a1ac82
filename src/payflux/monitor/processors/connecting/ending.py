"""How a connection ends: by the merchant here, or by whoever takes the access away at Stripe."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.errors import Unavailable
from payflux.kit.jobs import enqueue
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.connecting.endpoint import delete_endpoint
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World
from payflux.world.stripe import AppOAuth, ConnectOAuth, Disconnected, KeyRefused, ProcessorUnavailable, StripeFailure

CONNECTION_ENDED = "connection_ended"
"""The job that tells the rest of the product, with the account's and the connection's id, that Stripe ended one."""

_METHODS_THAT_KNOW_STRIPE = {ConnectionMethod.CONNECT_OAUTH: ConnectOAuth, ConnectionMethod.STRIPE_APP: AppOAuth}

log = structlog.get_logger(__name__)


async def give_up_access(world: World, connection: Connection) -> None:
    """Tell Stripe, outside of a transaction, that PayFlux leaves: delete the endpoint it made there and, after OAuth,
    deauthorize, unless another workspace reads the account by the same authorization.

    Raises Unavailable when Stripe has to know and does not answer: the connection then stays.
    """
    await delete_endpoint(world, connection)
    oauth = _METHODS_THAT_KNOW_STRIPE.get(ConnectionMethod(connection.method))
    if oauth is None or await _read_elsewhere(world, connection):
        return
    try:
        await oauth(world.settings, world.http).deauthorize(connection.external_account_id)
    except ProcessorUnavailable:
        raise Unavailable(
            _("Stripe does not answer, so the connection could not be ended. It is still in place."),
            way_out=_("Try again in a few minutes, or remove PayFlux in your Stripe Dashboard."),
        ) from None
    except StripeFailure as failure:
        log.warning("Stripe refused to deauthorize; disconnected here alone", failure=str(failure))


async def _read_elsewhere(world: World, connection: Connection) -> bool:
    """Whether another connection, of whatever account of ours, stands on the same authorization: Stripe has one for
    each of its accounts, whoever asked for it."""
    query = select(Connection.id).where(
        Connection.external_account_id == connection.external_account_id,
        Connection.method == connection.method,
        Connection.livemode == connection.livemode,
        Connection.status != ConnectionStatus.DISCONNECTED,
        Connection.id != connection.id,
    )
    async with world.database.system() as session:
        return (await session.execute(query.limit(1))).scalar_one_or_none() is not None


async def disconnect(session: AsyncSession, *, account_id: UUID, connection_id: UUID, now: datetime) -> None:
    """Forget the key and the webhook address, as the merchant asked; what was read stays. Call
    :func:`give_up_access` before."""
    connection = await get_connection(session, account_id=account_id, connection_id=connection_id)
    connection.status = ConnectionStatus.DISCONNECTED
    connection.disconnected_at, connection.disconnected_by = now, "merchant"
    connection.secret = connection.secret_expires_at = None
    connection.hook_digest = connection.hook_secrets = None
    connection.hook_endpoint_id = ""
    await session.flush()


def ends_connection(connection: Connection, failure: Exception) -> bool:
    """Whether `failure` means that Stripe has ended `connection`. A refused key does where it is the merchant's own;
    a refused key of the platform or of the app is ours to mend."""
    own_key = connection.method == ConnectionMethod.RESTRICTED_KEY
    return isinstance(failure, Disconnected) or (own_key and isinstance(failure, KeyRefused))


async def disconnected_by_processor(session: AsyncSession, world: World, connection: Connection) -> bool:
    """Stripe has ended `connection`: mark it, and have the workspace and its owner told, once.

    Returns False, and changes nothing, where it has ended before or was connected anew since `connection` was read.
    The webhook address is kept: connecting the account again takes it up.
    """
    ended = await session.execute(
        update(Connection)
        .where(
            Connection.account_id == connection.account_id,
            Connection.id == connection.id,
            Connection.connected_at == connection.connected_at,
            Connection.status != ConnectionStatus.DISCONNECTED,
        )
        .values(
            status=ConnectionStatus.DISCONNECTED,
            disconnected_at=world.clock.now(),
            disconnected_by="processor",
            secret=None,
            secret_expires_at=None,
        )
        .returning(Connection.id)
    )
    if ended.scalar_one_or_none() is None:
        return False
    payload = {"account_id": str(connection.account_id), "connection_id": str(connection.id)}
    await enqueue(session, CONNECTION_ENDED, payload)
    log.info("Stripe ended a connection", connection_id=str(connection.id))
    return True
