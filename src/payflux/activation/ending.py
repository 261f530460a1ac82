"""What follows when Stripe ends a connection: the workspace says it, and its owner is told."""

from __future__ import annotations

from uuid import UUID

from payflux.activation.problems import ended_problem
from payflux.activation.service import get_workspace, leave_connection
from payflux.activation.states import Cause
from payflux.frontdoor.accounts.queries import owner_ids
from payflux.kit.jobs import Payload
from payflux.monitor.processors.models import ConnectionStatus
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World
from payflux.world.outbox import enqueue_mail


async def connection_ended(world: World, payload: Payload) -> None:
    """Job: take the workspace back to unconnected and say why. A connection that was made anew meanwhile stays."""
    account_id, connection_id = UUID(payload["account_id"]), UUID(payload["connection_id"])
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id, lock=True)
        connection = await get_connection(session, account_id=account_id, connection_id=connection_id)
        if workspace.connection_id != connection.id or connection.status != ConnectionStatus.DISCONNECTED:
            return
        await leave_connection(session, workspace, Cause.DISCONNECTED, now=world.clock.now(), actor_id=None)
        workspace.problem = ended_problem(connection.method)
        for user_id in await owner_ids(session, account_id=account_id):
            await enqueue_mail(session, "connection_ended", account_id, user_id, connection_id=str(connection.id))
