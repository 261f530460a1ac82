"""A connection of a processor that posts to us: its own address, and the secrets under which deliveries are signed."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.audit import record_change
from payflux.kit.errors import InvalidInput
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.connecting.signing import secrets_binding, signing_secrets
from payflux.monitor.processors.generic.signatures import new_secret
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus
from payflux.world.bootstrap import World

ROLLED_SECRET_LIFETIME = timedelta(hours=24)
"""How long deliveries under the secret before the newest are still accepted."""

_LONGEST_NAME = 60


async def connect_source(
    session: AsyncSession, world: World, *, account_id: UUID, workspace_id: UUID, name: str, actor_id: UUID
) -> tuple[Connection, str]:
    """A connection of the processor called `name`, with its first secret, which is not shown again. One of that name
    that was ended goes on where it was. Raises InvalidInput on `processor`."""
    name = " ".join(name.split())
    word = "_".join("".join(letter if letter.isalnum() else " " for letter in name.casefold()).split())
    if not word or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise InvalidInput(
            {
                "processor": _("Name your processor, such as Adyen, in up to %(longest_name)s letters.")
                % {"longest_name": _LONGEST_NAME}
            }
        )
    now, external_id = world.clock.now(), f"posted/{word}"
    known = select(Connection).where(
        Connection.account_id == account_id,
        Connection.workspace_id == workspace_id,
        Connection.external_account_id == external_id,
    )
    connection = (await session.execute(known)).scalar_one_or_none()
    if connection is None:
        connection = Connection(
            account_id=account_id,
            id=new_id(),
            workspace_id=workspace_id,
            processor=word,
            method=ConnectionMethod.WEBHOOK,
            external_account_id=external_id,
            livemode=True,
            capabilities={},
            snapshot={},
        )
        session.add(connection)
    connection.name, connection.status, connection.connected_at = name, ConnectionStatus.ACTIVE, now
    connection.disconnected_at, connection.disconnected_by = None, ""
    connection.history_from = None
    secret = new_secret()
    _keep(world, connection, [secret], None)
    await session.flush()
    await _audit(session, connection, "connection.source_connected", now=now, actor_id=actor_id)
    return connection, secret


async def roll_secret(session: AsyncSession, world: World, connection: Connection, *, actor_id: UUID) -> str:
    """A new secret for deliveries; the one before stays good for :data:`ROLLED_SECRET_LIFETIME`."""
    now, secret = world.clock.now(), new_secret()
    _keep(world, connection, [*signing_secrets(world, connection)[-1:], secret], now + ROLLED_SECRET_LIFETIME)
    await session.flush()
    await _audit(session, connection, "connection.signing_secret_rolled", now=now, actor_id=actor_id)
    return secret


def active_secrets(world: World, connection: Connection, now: datetime) -> list[str]:
    """The secrets under which a delivery is accepted at `now`, the newest last."""
    known, until = signing_secrets(world, connection), connection.hook_secret_until
    return known if until is not None and now < until else known[-1:]


def source_url(world: World, connection: Connection) -> str:
    """The connection's own address, which cannot be guessed. It is derived, so that it can be shown again."""
    return f"{world.settings.url}/hooks/events/{_token(world, connection)}"


async def source_at(session: AsyncSession, world: World, token: str) -> Connection | None:
    """The connection whose own address ends in `token`."""
    query = select(Connection).where(Connection.hook_digest == _digest(world, token))
    return (await session.execute(query)).scalar_one_or_none()


async def current_source(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> Connection | None:
    """The workspace's connection of a processor that posts to us, the newest where there are several."""
    query = (
        select(Connection)
        .where(
            Connection.account_id == account_id,
            Connection.workspace_id == workspace_id,
            Connection.method == ConnectionMethod.WEBHOOK,
            Connection.status != ConnectionStatus.DISCONNECTED,
        )
        .order_by(Connection.connected_at.desc())
        .limit(1)
    )
    return (await session.execute(query)).scalar_one_or_none()


def _token(world: World, connection: Connection) -> str:
    return world.tokens.digest(f"address for events {connection.id}").hex()


def _digest(world: World, token: str) -> bytes:
    # another digest than that of an address for Stripe's events, so that neither opens the other
    return world.tokens.digest(f"events {token}")


def _keep(world: World, connection: Connection, secrets: list[str], until: datetime | None) -> None:
    sealed = msgspec.json.encode(secrets).decode()
    connection.hook_secrets = world.secrets.encrypt(sealed, bound_to=secrets_binding(connection))
    connection.hook_digest = _digest(world, _token(world, connection))
    connection.hook_secret_until = until


async def _audit(session: AsyncSession, connection: Connection, action: str, *, now: datetime, actor_id: UUID) -> None:
    await record_change(
        session, account_id=connection.account_id, actor_id=actor_id, action=action, subject=str(connection.id), at=now
    )
