"""Storing the connection that Stripe allows."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.ids import new_id
from payflux.monitor.processors.connecting.probing import Authorized
from payflux.monitor.processors.credentials import secret_binding
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus
from payflux.world.bootstrap import World


async def store_connection(
    session: AsyncSession, world: World, authorized: Authorized, *, account_id: UUID, workspace_id: UUID
) -> Connection:
    """Connect the workspace to an authorized account; one that was connected before is connected anew."""
    state, capabilities, key = authorized.state, authorized.capabilities, authorized.key
    account = state.account
    assert account is not None, "an account that cannot be read is refused before"
    binding = secret_binding(workspace_id, account.external_id)
    facts = {
        "method": ConnectionMethod.RESTRICTED_KEY if key else ConnectionMethod.CONNECT_OAUTH,
        "livemode": account.livemode,
        "status": ConnectionStatus.DEGRADED if "forbidden" in capabilities.values() else ConnectionStatus.ACTIVE,
        "name": account.name,
        "host": urlsplit(account.url).hostname or "",
        "country": account.country,
        "default_currency": account.default_currency,
        "capabilities": capabilities,
        "secret": world.secrets.encrypt(key, bound_to=binding) if key else None,
        "snapshot": state.stored(),
        "connected_at": world.clock.now(),
        "disconnected_at": None,
    }
    statement = (
        insert(Connection)
        .values(
            account_id=account_id,
            id=new_id(),
            workspace_id=workspace_id,
            external_account_id=account.external_id,
            **facts,
        )
        .on_conflict_do_update(index_elements=["account_id", "workspace_id", "external_account_id"], set_=facts)
        .returning(Connection)
    )
    found = select(Connection).from_statement(statement).execution_options(populate_existing=True)
    return (await session.execute(found)).scalar_one()
