"""Storing the connection that Stripe allows."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.ids import new_id
from payflux.monitor.processors.account_state import AccountState, stored_state
from payflux.monitor.processors.connecting.hosts import HostSource, host_of
from payflux.monitor.processors.connecting.probing import Authorized
from payflux.monitor.processors.credentials import encrypted_grant, encrypted_key
from payflux.monitor.processors.models import Connection, ConnectionStatus
from payflux.monitor.processors.permissions import missing_capabilities
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
        "snapshot": authorized.state.stored(),
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
    return (await session.execute(found)).scalar_one()


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


async def look_again(
    session: AsyncSession, connection: Connection, state: AccountState, capabilities: dict[str, str]
) -> None:
    """Store what a connection may do now, and its account's state where that could be read."""
    known = stored_state(connection.snapshot)
    connection.capabilities = capabilities
    connection.status = status_of(capabilities)
    connection.snapshot = AccountState(state.account or known.account, state.balance or known.balance).stored()
    await session.flush()


def _currency(state: AccountState) -> str:
    if state.account is not None:
        return state.account.default_currency
    return next(iter(state.balance.available), "usd") if state.balance else "usd"
