"""How a stored connection acts at Stripe: its own restricted key, or the platform's key on its account."""

from __future__ import annotations

from uuid import UUID

from payflux.kit.crypto import UndecryptableSecret
from payflux.monitor.processors.models import Connection, ConnectionStatus
from payflux.world.bootstrap import World
from payflux.world.stripe import Disconnected, KeyRefused, StripeAuth, StripeGateway


def secret_binding(workspace_id: UUID, external_account_id: str) -> str:
    """What a connection's encrypted key is bound to: table, column and row."""
    return f"processor_connections/secret/{workspace_id}/{external_account_id}"


async def auth_of(world: World, connection: Connection) -> StripeAuth:
    """The credentials of `connection`. Raises Disconnected, or KeyRefused when the stored key does not open."""
    if connection.status == ConnectionStatus.DISCONNECTED:
        raise Disconnected("the connection was ended")
    if connection.secret is None:
        return StripeGateway(world.settings, world.http).platform_auth(connection.external_account_id)
    binding = secret_binding(connection.workspace_id, connection.external_account_id)
    try:
        return StripeAuth(world.secrets.decrypt(connection.secret, bound_to=binding))
    except UndecryptableSecret as error:
        raise KeyRefused(str(error)) from None
