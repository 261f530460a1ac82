"""What an account lets us read, found out by asking for one object of each resource."""

from __future__ import annotations

import asyncio

import msgspec

from payflux.monitor.processors.account_state import AccountState, read_state
from payflux.monitor.processors.resources import RESOURCES
from payflux.world.bootstrap import World
from payflux.world.stripe import PermissionMissing, StripeAuth, StripeGateway, StripeReader

ESSENTIAL = ("account", *(name for name, resource in RESOURCES.items() if resource.essential))
"""Without these there is nothing to score."""


class Authorized(msgspec.Struct, frozen=True):
    """An account that Stripe lets us read: how, its state, and for each resource `ok` or `forbidden`."""

    state: AccountState
    capabilities: dict[str, str]
    key: str | None = None  # the restricted key; None for OAuth


async def look(world: World, auth: StripeAuth) -> tuple[AccountState, dict[str, str]]:
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
