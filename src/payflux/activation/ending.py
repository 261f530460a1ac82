"""How a workspace leaves its connection, and what follows when Stripe ends one: the owner is told."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.problems import ended_problem
from payflux.activation.service import get_workspace, leave_connection
from payflux.activation.states import LIVE, Cause
from payflux.frontdoor.accounts.queries import owner_ids
from payflux.kit.jobs import Payload
from payflux.monitor.processors.connecting.ending import disconnect, give_up_access
from payflux.monitor.processors.models import Connection, ConnectionStatus
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World
from payflux.world.outbox import enqueue_mail


async def end_connection(world: World, connection: Connection, cause: Cause, *, actor_id: UUID) -> None:
    """End `connection` at Stripe and then here, as a member asked, and tell the owner; what was read stays. Canceling
    an activation is not worth a mail.

    Raises Unavailable when Stripe has to know and does not answer: nothing has changed then.
    """
    await give_up_access(world, connection)
    async with world.database.tenant(connection.account_id) as session:
        workspace = await get_workspace(session, account_id=connection.account_id, lock=True)
        stored = await get_connection(session, account_id=connection.account_id, connection_id=connection.id)
        if stored.connected_at != connection.connected_at or stored.status == ConnectionStatus.DISCONNECTED:
            return  # connected anew, or ended, meanwhile
        now = world.clock.now()
        await disconnect(session, account_id=connection.account_id, connection_id=connection.id, now=now)
        if workspace.connection_id == connection.id:
            live = workspace.activation_state in LIVE
            left = Cause.DISCONNECTED if live else cause
            await leave_connection(session, workspace, left, now=now, actor_id=actor_id)
        if cause == Cause.DISCONNECTED:
            await _tell_owners(session, "connection_disconnected", connection)


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
        await _tell_owners(session, "connection_ended", connection)


async def _tell_owners(session: AsyncSession, mail: str, connection: Connection) -> None:
    for user_id in await owner_ids(session, account_id=connection.account_id):
        await enqueue_mail(session, mail, connection.account_id, user_id, connection_id=str(connection.id))
