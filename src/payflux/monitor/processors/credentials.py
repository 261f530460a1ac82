"""How a stored connection acts at Stripe: by its own restricted key, by the platform's key on its account, or by the
access token of a Stripe App, which is renewed before it ends."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

import msgspec
from sqlalchemy import func, select, update

from payflux.kit.crypto import UndecryptableSecret
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World
from payflux.world.stripe import (
    ACCESS_TOKEN_LIFETIME,
    AppGrant,
    AppOAuth,
    Disconnected,
    KeyRefused,
    StripeAuth,
    StripeGateway,
)

RENEW_BEFORE = timedelta(minutes=5)
"""An access token with less time left is renewed before it is used."""


class _Tokens(msgspec.Struct, frozen=True):
    access_token: str
    refresh_token: str


def secret_binding(workspace_id: UUID, external_account_id: str) -> str:
    """What a connection's encrypted key or tokens are bound to: table, column and row."""
    return f"processor_connections/secret/{workspace_id}/{external_account_id}"


def encrypted_key(world: World, workspace_id: UUID, external_account_id: str, key: str) -> bytes:
    """A restricted key as it is stored."""
    return world.secrets.encrypt(key, bound_to=secret_binding(workspace_id, external_account_id))


def encrypted_grant(world: World, workspace_id: UUID, external_account_id: str, grant: AppGrant) -> bytes:
    """A Stripe App's tokens as they are stored."""
    tokens = msgspec.json.encode(_Tokens(grant.access_token, grant.refresh_token)).decode()
    return world.secrets.encrypt(tokens, bound_to=secret_binding(workspace_id, external_account_id))


async def auth_of(world: World, connection: Connection) -> StripeAuth:
    """The credentials of `connection`, good for the next minutes at least. Call it outside of a transaction.

    Raises Disconnected, KeyRefused when the stored secret does not open, or ProcessorUnavailable.
    """
    if connection.status == ConnectionStatus.DISCONNECTED:
        raise Disconnected("the connection was ended")
    if connection.method == ConnectionMethod.CONNECT_OAUTH:
        return StripeGateway(world.settings, world.http).platform_auth(connection.external_account_id)
    secret = _opened(world, connection)
    if connection.method == ConnectionMethod.RESTRICTED_KEY:
        return StripeAuth(secret)
    ends = connection.secret_expires_at
    if ends is not None and ends - world.clock.now() < RENEW_BEFORE:
        return await _renewed(world, connection, msgspec.json.decode(secret, type=_Tokens).access_token)
    return _app_auth(world, connection, msgspec.json.decode(secret, type=_Tokens).access_token)


async def _renewed(world: World, connection: Connection, used: str) -> StripeAuth:
    """New credentials in place of the access token `used`, unless somebody else has renewed it already.

    One at a time for each connection, and the new refresh token is committed before the access token is used: Stripe
    takes a refresh token once.
    """
    async with world.database.tenant(connection.account_id) as session:
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(connection.id), 0))))
        stored = await get_connection(session, account_id=connection.account_id, connection_id=connection.id)
        if stored.status == ConnectionStatus.DISCONNECTED:
            raise Disconnected("the connection was ended")
        tokens = msgspec.json.decode(_opened(world, stored), type=_Tokens)
        if tokens.access_token != used:
            return _app_auth(world, stored, tokens.access_token)
        grant = await AppOAuth(world.settings, world.http).refresh(tokens.refresh_token)
        await session.execute(
            update(Connection)
            .where(
                Connection.account_id == stored.account_id,
                Connection.id == stored.id,
                Connection.status != ConnectionStatus.DISCONNECTED,
            )
            .values(
                secret=encrypted_grant(world, stored.workspace_id, stored.external_account_id, grant),
                secret_expires_at=world.clock.now() + ACCESS_TOKEN_LIFETIME,
            )
        )
    return _app_auth(world, connection, grant.access_token)


def _app_auth(world: World, connection: Connection, token: str) -> StripeAuth:
    return StripeAuth(token, live=connection.livemode, renew=partial(_renewed, world, connection, token))


def _opened(world: World, connection: Connection) -> str:
    if connection.secret is None:
        raise KeyRefused("the connection has no key")
    binding = secret_binding(connection.workspace_id, connection.external_account_id)
    try:
        return world.secrets.decrypt(connection.secret, bound_to=binding)
    except UndecryptableSecret as error:
        raise KeyRefused(str(error)) from None
