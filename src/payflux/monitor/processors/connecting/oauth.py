"""Connecting by OAuth: Stripe Connect's, where the platform's key acts on the merchant's account, and a Stripe App's,
where the merchant's own, short-lived token does."""

from __future__ import annotations

import msgspec

from payflux.kit.errors import Conflict
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.connecting.probing import Authorized, look, missing_essentials
from payflux.monitor.processors.models import ConnectionMethod
from payflux.world.bootstrap import World
from payflux.world.stripe import (
    AppOAuth,
    ConnectOAuth,
    PermissionMissing,
    StripeAuth,
    StripeFailure,
    StripeGateway,
)


class WrongMode(Conflict):
    code = "stripe_mode"


async def authorize_with_code(world: World, *, code: str) -> Authorized:
    """Exchange, once, the code of an account whose owner has just agreed on Stripe Connect's page.

    Raises WrongMode, CodeRefused, KeyRefused, PermissionMissing or ProcessorUnavailable.
    """
    connect = ConnectOAuth(world.settings, world.http)
    authorization = await connect.exchange_code(code)
    _same_mode(authorization.livemode, connect.livemode, "STRIPE_SECRET_KEY and STRIPE_CLIENT_ID")
    auth = StripeGateway(world.settings, world.http).platform_auth(authorization.stripe_account)
    state, capabilities = await look(world, auth)
    if state.account is None:
        raise PermissionMissing("account")
    _refuse_missing(capabilities)
    return Authorized(
        method=ConnectionMethod.CONNECT_OAUTH,
        external_account_id=authorization.stripe_account,
        livemode=authorization.livemode,
        state=state,
        capabilities=capabilities,
        name=state.account.name,
    )


async def authorize_app_with_code(world: World, *, code: str) -> Authorized:
    """Exchange, once, the code of an account on which our Stripe App has just been installed.

    Stripe may keep an app from reading the account itself: its name is then what stands on card statements, and its
    host is asked for. Raises as :func:`authorize_with_code` does.
    """
    app = AppOAuth(world.settings, world.http)
    grant = await app.exchange_code(code)
    _same_mode(grant.livemode, app.livemode, "STRIPE_APP_SECRET_KEY and STRIPE_APP_CLIENT_ID")
    auth = StripeAuth(grant.access_token, live=grant.livemode)
    state, capabilities = await look(world, auth)
    _refuse_missing({**capabilities, "account": "ok"})
    return Authorized(
        method=ConnectionMethod.STRIPE_APP,
        external_account_id=grant.stripe_user_id,
        livemode=grant.livemode,
        state=state,
        capabilities=capabilities,
        name=state.account.name if state.account else await _name_on_statements(world, auth),
        grant=grant,
    )


class _Charge(msgspec.Struct):
    calculated_statement_descriptor: str | None = None


class _Charges(msgspec.Struct):
    data: list[_Charge] = []


async def _name_on_statements(world: World, auth: StripeAuth) -> str:
    reader = StripeGateway(world.settings, world.http).reader(auth)
    try:
        charges = msgspec.json.decode(await reader.get("/v1/charges", {"limit": 1}), type=_Charges)
    except StripeFailure:
        return ""  # a name is a comfort; the connection stands without it
    return next((charge.calculated_statement_descriptor or "" for charge in charges.data), "")


def _refuse_missing(capabilities: dict[str, str]) -> None:
    for label in missing_essentials(capabilities):
        raise PermissionMissing(label)


def _same_mode(account: bool, ours: bool, variables: str) -> None:
    if account != ours:
        raise WrongMode(
            _("Stripe connected a %(account)s account, but PayFlux runs with a %(ours)s key.")
            % {"account": _mode(account), "ours": _mode(ours)},
            way_out=_("Connect again in the other mode, or change %(variables)s.") % {"variables": variables},
        )


def _mode(livemode: bool) -> str:
    return "live" if livemode else "test"
