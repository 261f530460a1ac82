"""What an account lets us read, found out by asking for one object of each resource."""

from __future__ import annotations

import asyncio

import msgspec

from payflux.monitor.processors.account_state import AccountState, read_state
from payflux.monitor.processors.models import ConnectionMethod
from payflux.monitor.processors.permissions import CAPABILITIES, Capability, resource_label
from payflux.world.bootstrap import World
from payflux.world.stripe import (
    AppGrant,
    PermissionMissing,
    RequestRefused,
    StripeAuth,
    StripeGateway,
    StripeReader,
)

_ALREADY_READ = ("account", "balance")


class Authorized(msgspec.Struct, frozen=True, kw_only=True):
    """An account that Stripe lets us read: how, its state, and for each capability `ok`, `forbidden` or `not_enabled`.

    `key` is the restricted key, `grant` a Stripe App's tokens; neither is there for Connect OAuth.
    """

    method: ConnectionMethod
    external_account_id: str
    livemode: bool
    state: AccountState
    capabilities: dict[str, str]
    name: str
    key: str | None = None
    grant: AppGrant | None = None


async def look(world: World, auth: StripeAuth) -> tuple[AccountState, dict[str, str]]:
    """The account's state, and for each capability `ok`, `forbidden` or, where Stripe does not offer it to the
    account, `not_enabled`. Raises StripeFailure."""
    reader = StripeGateway(world.settings, world.http).reader(auth)
    asked = {name: capability for name, capability in CAPABILITIES.items() if name not in _ALREADY_READ}
    state, answers = await asyncio.gather(
        read_state(reader, now=world.clock.now(), livemode=auth.livemode),
        asyncio.gather(*(_probe(reader, capability) for capability in asked.values())),
    )
    found = dict(zip(asked, answers, strict=True))
    found |= {
        "account": "ok" if state.account else "forbidden",
        "balance": "ok" if state.balance else "forbidden",
    }
    return state, {name: found[name] for name in CAPABILITIES}


def missing_essentials(capabilities: dict[str, str]) -> list[str]:
    """The labels of what is not readable and nothing can be scored without."""
    return [
        resource_label(name)
        for name, capability in CAPABILITIES.items()
        if capability.essential and capabilities[name] != "ok"
    ]


async def _probe(reader: StripeReader, capability: Capability) -> str:
    try:
        await reader.get(
            capability.path,
            None if capability.path == "/v1/balance_settings" else {"limit": 1},
            version=capability.version,
        )
    except PermissionMissing:
        return "forbidden"
    except RequestRefused:
        if capability.essential:
            raise
        return "not_enabled"
    return "ok"
