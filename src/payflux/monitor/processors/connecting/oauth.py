"""Connecting by Stripe Connect's OAuth, where the platform's key acts on the merchant's account."""

from __future__ import annotations

from payflux.kit.errors import Conflict
from payflux.monitor.processors.connecting.probing import ESSENTIAL, Authorized, look
from payflux.world.bootstrap import World
from payflux.world.stripe import ConnectOAuth, PermissionMissing, StripeGateway


class WrongMode(Conflict):
    code = "stripe_mode"


async def authorize_with_code(world: World, *, code: str) -> Authorized:
    """Exchange, once, the code of an account whose owner has just agreed on Stripe's OAuth page.

    Raises WrongMode, CodeRefused, KeyRefused, PermissionMissing or ProcessorUnavailable.
    """
    connect = ConnectOAuth(world.settings, world.http)
    authorization = await connect.exchange_code(code)
    if authorization.livemode != connect.livemode:
        raise WrongMode(
            f"Stripe connected a {_mode(authorization.livemode)} account, but PayFlux runs with a "
            f"{_mode(connect.livemode)} key.",
            way_out="Connect again in the other mode, or change STRIPE_SECRET_KEY and STRIPE_CLIENT_ID.",
        )
    state, capabilities = await look(
        world, StripeGateway(world.settings, world.http).platform_auth(authorization.stripe_account)
    )
    for name in ESSENTIAL:
        if capabilities[name] != "ok":
            raise PermissionMissing(name)
    return Authorized(state, capabilities)


def _mode(livemode: bool) -> str:
    return "live" if livemode else "test"
