"""Storing the connection that Stripe allows."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.errors import Conflict
from payflux.kit.ids import new_id
from payflux.monitor.processors.account_state import AccountState, stored_state
from payflux.monitor.processors.connecting.hosts import HostSource, host_of
from payflux.monitor.processors.connecting.probing import Authorized
from payflux.monitor.processors.credentials import encrypted_grant, encrypted_key
from payflux.monitor.processors.models import Connection, ConnectionStatus
from payflux.monitor.processors.permissions import missing_capabilities
from payflux.monitor.processors.state_history import record_state
from payflux.monitor.processors.store import lock_workspace
from payflux.world.bootstrap import World
from payflux.world.stripe import ACCESS_TOKEN_LIFETIME


async def store_connection(
    session: AsyncSession, world: World, authorized: Authorized, *, account_id: UUID, workspace_id: UUID
) -> Connection:
    """Connect the workspace to an authorized account; one that was connected before goes on where it was.

    A host that a person gave stays.
    """
    now, external_id = world.clock.now(), authorized.external_account_id
    account = authorized.state.account
    secret = expires_at = None
    if authorized.key is not None:
        secret = encrypted_key(world, workspace_id, external_id, authorized.key)
    elif authorized.grant is not None:
        secret = encrypted_grant(world, workspace_id, external_id, authorized.grant)
        expires_at = now + ACCESS_TOKEN_LIFETIME
    host = host_of(account.url) if account else ""
    facts = {
        "method": authorized.method,
        "livemode": authorized.livemode,
        "status": status_of(authorized.capabilities),
        "name": authorized.name,
        "host": host,
        "host_source": HostSource.ACCOUNT if host else HostSource.UNKNOWN,
        "country": account.country if account else "",
        "default_currency": _currency(authorized.state),
        "capabilities": authorized.capabilities,
        "secret": secret,
        "secret_expires_at": expires_at,
        "connected_at": now,
        "disconnected_at": None,
        "disconnected_by": "",
    }
    found_by_us = Connection.host_source.in_((HostSource.ACCOUNT, HostSource.UNKNOWN))
    kept = {name: case((found_by_us, facts[name]), else_=getattr(Connection, name)) for name in ("host", "host_source")}
    statement = (
        insert(Connection)
        .values(
            account_id=account_id,
            id=new_id(),
            workspace_id=workspace_id,
            external_account_id=external_id,
            **facts,
        )
        .on_conflict_do_update(
            index_elements=["account_id", "workspace_id", "external_account_id", "livemode"], set_=facts | kept
        )
        .returning(Connection)
    )
    found = select(Connection).from_statement(statement).execution_options(populate_existing=True)
    await lock_workspace(session, workspace_id)
    connection = (await session.execute(found)).scalar_one()
    known, state = stored_state(connection.snapshot), authorized.state
    # what may no longer be read is not kept as if it were
    readable = AccountState(known.account if state.account else None, known.balance if state.balance else None)
    connection.snapshot = readable.stored()
    await session.flush()
    await record_state(session, connection, state)
    return connection


def status_of(capabilities: dict[str, str]) -> ConnectionStatus:
    """What a connection with these capabilities is worth."""
    return ConnectionStatus.DEGRADED if missing_capabilities(capabilities) else ConnectionStatus.ACTIVE


async def latest_connection(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> Connection | None:
    """The connection that was made last, ended or not."""
    query = (
        select(Connection)
        .where(Connection.account_id == account_id, Connection.workspace_id == workspace_id)
        .order_by(Connection.connected_at.desc())
        .limit(1)
    )
    return (await session.execute(query)).scalar_one_or_none()


class ConnectionEnded(Conflict):
    code = "connection_ended"


async def look_again(
    session: AsyncSession, connection: Connection, state: AccountState, capabilities: dict[str, str]
) -> None:
    """Store what a connection may do now, and its account's state where that could be read.

    What had been found out otherwise than by asking stays. Raises ConnectionEnded, and stores nothing, where it has
    ended while Stripe was asked.
    """
    await lock_workspace(session, connection.workspace_id)
    await session.refresh(connection, with_for_update=True)
    if connection.status == ConnectionStatus.DISCONNECTED:
        raise ConnectionEnded("This account was disconnected meanwhile.", way_out="Connect it again.")
    await record_state(session, connection, state)
    connection.capabilities = connection.capabilities | capabilities
    connection.status = status_of(capabilities)
    await session.flush()


def _currency(state: AccountState) -> str:
    if state.account is not None:
        return state.account.default_currency
    return next(iter(state.balance.available), "usd") if state.balance else "usd"
