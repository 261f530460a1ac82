"""A connection's own webhook address and the signing secrets of the endpoint that posts to it."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.audit import record_change
from payflux.kit.crypto import UndecryptableSecret
from payflux.kit.errors import Conflict, InvalidInput
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.models import Connection, ConnectionMethod
from payflux.settings import Settings
from payflux.world.bootstrap import World

MOST_SECRETS = 3
"""Signing secrets kept for one endpoint: while one is rolled there are two."""

log = structlog.get_logger(__name__)


class Reach(StrEnum):
    """How Stripe's events come to us."""

    PLATFORM = "platform"  # the platform's endpoint for all connected accounts
    ENDPOINT = "endpoint"  # this connection's own
    POLLING = "polling"  # nobody tells us; we ask


def reach_of(settings: Settings, connection: Connection) -> Reach:
    """The way that is in force for `connection`."""
    if connection.hook_secrets is not None:
        return Reach.ENDPOINT
    if connection.method == ConnectionMethod.CONNECT_OAUTH and settings.stripe_connect_webhook_secrets:
        return Reach.PLATFORM
    return Reach.POLLING


def reachable(settings: Settings) -> bool:
    """Whether Stripe, or the sandbox on this machine, can post to us."""
    return settings.url.startswith("https://") or settings.uses_sandbox


def endpoint_url(world: World, connection: Connection) -> str:
    """The connection's own webhook address, which cannot be guessed. It is derived, so that nothing has to be kept to
    show it again."""
    return f"{world.settings.url}/hooks/stripe/{_token(world, connection)}"


def _token(world: World, connection: Connection) -> str:
    return world.tokens.digest(f"webhook endpoint {connection.id}").hex()


def secrets_binding(connection: Connection) -> str:
    """What a connection's signing secrets are bound to: table, column and row."""
    return f"processor_connections/hook_secrets/{connection.workspace_id}/{connection.external_account_id}"


def signing_secrets(world: World, connection: Connection) -> list[str]:
    """The secrets of the connection's endpoint, the newest last; none that PAYFLUX_SECRET_KEY does not open."""
    if connection.hook_secrets is None:
        return []
    try:
        opened = world.secrets.decrypt(connection.hook_secrets, bound_to=secrets_binding(connection))
    except UndecryptableSecret as error:
        log.warning("signing secrets cannot be opened", reason=str(error))
        return []
    return msgspec.json.decode(opened, type=list[str])


def keep_secrets(world: World, connection: Connection, secrets: list[str]) -> None:
    """Make `secrets` the connection's own; its address is open while there is one."""
    sealed = msgspec.json.encode(secrets).decode()
    connection.hook_secrets = world.secrets.encrypt(sealed, bound_to=secrets_binding(connection)) if secrets else None
    connection.hook_digest = world.tokens.digest(_token(world, connection)) if secrets else None


async def add_signing_secret(
    session: AsyncSession, world: World, connection: Connection, secret: str, *, now: datetime, actor_id: UUID
) -> None:
    """Accept deliveries signed with `secret` too, which the merchant pasted. Raises InvalidInput on `secret`."""
    if not re.fullmatch(r"whsec_[\w+/=-]{8,}", secret, re.ASCII):
        raise InvalidInput({"secret": _("A signing secret starts with whsec_. Stripe shows it beside the endpoint.")})
    kept = [known for known in signing_secrets(world, connection) if known != secret]
    if len(kept) >= MOST_SECRETS:
        raise InvalidInput(
            {
                "secret": _("There are %(most_secrets)s secrets already. Remove one that is no longer used.")
                % {"most_secrets": MOST_SECRETS}
            }
        )
    keep_secrets(world, connection, [*kept, secret])
    await _audit(session, connection, "connection.signing_secret_added", now=now, actor_id=actor_id)


async def remove_signing_secret(
    session: AsyncSession, world: World, connection: Connection, ending: str, *, now: datetime, actor_id: UUID
) -> None:
    """Accept no more deliveries signed with the secret that ends in `ending`; without any left, polling takes over.

    Raises Conflict for the only secret of an endpoint that PayFlux made."""
    known = signing_secrets(world, connection)
    left = [secret for secret in known if secret_ending(secret) != ending]
    if len(left) == len(known):
        return
    if not left and connection.hook_endpoint_id:
        raise Conflict(
            _("This is the only secret of the endpoint that PayFlux made."),
            way_out=_("Add the new secret first; disconnecting deletes the endpoint."),
        )
    keep_secrets(world, connection, left)
    await _audit(session, connection, "connection.signing_secret_removed", now=now, actor_id=actor_id)


def secret_ending(secret: str) -> str:
    """The last characters of a secret, by which a person tells it from another."""
    return secret[-4:]


async def _audit(session: AsyncSession, connection: Connection, action: str, *, now: datetime, actor_id: UUID) -> None:
    await record_change(
        session,
        account_id=connection.account_id,
        actor_id=actor_id,
        action=action,
        subject=str(connection.id),
        at=now,
    )
