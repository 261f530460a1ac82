"""From a processor that posts to us to live: once enough is stored, what follows a pull begins."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.beside import refuse_beside_another
from payflux.activation.models import Workspace
from payflux.activation.service import begin_with_stored, get_workspace
from payflux.activation.states import ActivationState
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.errors import Conflict
from payflux.kit.jobs import Payload
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.generic.applying import apply_waiting
from payflux.monitor.processors.generic.history import payments_stored
from payflux.monitor.processors.models import Connection, ConnectionStatus
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.risk.rules.bands import MINIMUM_PAYMENTS
from payflux.world.bootstrap import World

CONNECTING = "processor_connection"


class TooFewPayments(Conflict):
    code = "too_few_payments"


async def start_from_events(world: World, payload: Payload) -> None:
    """Job: the first events of a processor that posts to us are in. The workspace begins with them if nothing else is
    connected, its plan allows it, and there are enough."""
    account_id, connection_id = UUID(payload["account_id"]), UUID(payload["connection_id"])
    await apply_waiting(world, account_id=account_id, connection_id=connection_id)
    async with world.database.tenant(account_id) as session:
        now = world.clock.now()
        workspace = await get_workspace(session, account_id=account_id, lock=True)
        connection = await get_connection(session, account_id=account_id, connection_id=connection_id)
        held = await entitlements_of(session, world, account_id=account_id)
        unconnected = workspace.activation_state == ActivationState.PAID_UNCONNECTED
        ended = connection.status == ConnectionStatus.DISCONNECTED
        if held.features[CONNECTING] and unconnected and not ended and await has_enough(session, connection):
            await begin_with_stored(session, workspace, connection, now=now, actor_id=None)


async def compute_from_stored(
    session: AsyncSession, workspace: Workspace, connection: Connection, *, now: datetime, actor_id: UUID
) -> None:
    """Begin with what is stored of `connection`, or begin again with what has come since.

    Raises TooFewPayments, and AnotherConnected while another processor is connected."""
    await refuse_beside_another(session, workspace, connection.id)
    if not await has_enough(session, connection):
        raise TooFewPayments(
            _("There are fewer than %(minimum_payments)s payments: too few for any rate.")
            % {"minimum_payments": MINIMUM_PAYMENTS},
            way_out=_("Import a file with your history, or post more events."),
        )
    await begin_with_stored(session, workspace, connection, now=now, actor_id=actor_id)


async def has_enough(session: AsyncSession, connection: Connection) -> bool:
    return await payments_stored(session, connection) >= MINIMUM_PAYMENTS
