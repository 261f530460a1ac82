"""Connecting a workspace to Stripe, by restricted key or by OAuth, and ending it.

First Stripe is asked, with no transaction open; what it allows is stored afterwards.
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.errors import Conflict, InvalidInput, Unavailable
from payflux.kit.ids import new_id
from payflux.monitor.processors.account_state import AccountState, read_state
from payflux.monitor.processors.credentials import secret_binding
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus
from payflux.monitor.processors.permissions import resource_label
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.processors.resources import RESOURCES
from payflux.world.bootstrap import World
from payflux.world.stripe import (
    KeyRefused,
    PermissionMissing,
    ProcessorUnavailable,
    StripeAuth,
    StripeFailure,
    StripeGateway,
    StripeReader,
)

_KEY_REFUSALS = {
    "sk_": "This is a secret key: it can move money. PayFlux only reads; create a restricted key (rk_…) instead.",
    "pk_": "This is a publishable key: it cannot read payments. Create a restricted key (rk_…) instead.",
}
_ESSENTIAL = ("account", *(name for name, resource in RESOURCES.items() if resource.essential))

log = structlog.get_logger(__name__)


class Authorized(msgspec.Struct, frozen=True):
    """An account that Stripe lets us read: how, its state, and for each resource `ok` or `forbidden`."""

    state: AccountState
    capabilities: dict[str, str]
    key: str | None = None  # the restricted key; None for OAuth


async def authorize_with_key(world: World, *, key: str) -> Authorized:
    """Ask Stripe what a restricted key opens.

    Raises InvalidInput on `key`, in words for the person who pasted it, or ProcessorUnavailable.
    """
    if not re.fullmatch(r"rk_(live|test)_\w+", key, re.ASCII):
        refusal = _KEY_REFUSALS.get(
            key[:3],
            "This is not a Stripe restricted key: those start with rk_live_ or rk_test_ and hold letters and digits.",
        )
        raise InvalidInput({"key": refusal})
    try:
        state, capabilities = await _look(world, StripeAuth(key))
    except KeyRefused:
        raise InvalidInput(
            {"key": "Stripe does not accept this key. Was it copied whole, and is it neither rolled nor expired?"}
        ) from None
    missing = [resource_label(name) for name in _ESSENTIAL if capabilities[name] != "ok"]
    if missing:
        raise InvalidInput(
            {"key": f"The key may not read: {', '.join(missing)}. Edit it in the Stripe Dashboard, then try again."}
        )
    return Authorized(state, capabilities, key)


class WrongMode(Conflict):
    code = "stripe_mode"


async def authorize_with_code(world: World, *, code: str) -> Authorized:
    """Exchange, once, the code of an account whose owner has just agreed on Stripe's OAuth page.

    Raises WrongMode, CodeRefused, KeyRefused, PermissionMissing or ProcessorUnavailable.
    """
    stripe = StripeGateway(world.settings, world.http)
    authorization = await stripe.exchange_code(code)
    if authorization.livemode != stripe.livemode:
        raise WrongMode(
            f"Stripe connected a {_mode(authorization.livemode)} account, but PayFlux runs with a "
            f"{_mode(stripe.livemode)} key.",
            way_out="Connect again in the other mode, or change STRIPE_SECRET_KEY and STRIPE_CLIENT_ID.",
        )
    state, capabilities = await _look(world, stripe.platform_auth(authorization.stripe_account))
    for name in _ESSENTIAL:
        if capabilities[name] != "ok":
            raise PermissionMissing(name)
    return Authorized(state, capabilities)


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


async def disconnect(
    session: AsyncSession, world: World, *, account_id: UUID, connection_id: UUID, now: datetime
) -> None:
    """Forget the key, or give up the OAuth access; what was read stays. Raises Unavailable when Stripe has to know
    and does not answer: the connection then stays as it was."""
    connection = await get_connection(session, account_id=account_id, connection_id=connection_id)
    if connection.method == ConnectionMethod.CONNECT_OAUTH:
        try:
            await StripeGateway(world.settings, world.http).deauthorize(connection.external_account_id)
        except ProcessorUnavailable:
            raise Unavailable(
                "Stripe does not answer, so the connection could not be ended. It is still in place.",
                way_out="Try again in a few minutes, or remove PayFlux in your Stripe Dashboard.",
            ) from None
        except StripeFailure as failure:
            log.warning("Stripe refused to deauthorize; disconnected here alone", failure=str(failure))
    connection.status = ConnectionStatus.DISCONNECTED
    connection.disconnected_at = now
    connection.secret = None
    await session.flush()


async def _look(world: World, auth: StripeAuth) -> tuple[AccountState, dict[str, str]]:
    """The account's state, and for each resource whether it may be read: `ok` or `forbidden`."""
    reader = StripeGateway(world.settings, world.http).reader(auth)
    state, readable = await asyncio.gather(
        read_state(reader, now=world.clock.now(), livemode=auth.livemode),
        asyncio.gather(*(_may_read(reader, resource.path) for resource in RESOURCES.values())),
    )
    allowed = {
        "account": state.account is not None,
        "balance": state.balance is not None,
        **dict(zip(RESOURCES, readable, strict=True)),
    }
    return state, {name: "ok" if ok else "forbidden" for name, ok in allowed.items()}


async def _may_read(reader: StripeReader, path: str) -> bool:
    try:
        await reader.get(path, {"limit": 1})
    except PermissionMissing:
        return False
    return True


def _mode(livemode: bool) -> str:
    return "live" if livemode else "test"
