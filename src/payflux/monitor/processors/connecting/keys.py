"""Connecting by a restricted key that the merchant pasted."""

from __future__ import annotations

import re

from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.processors.connecting.probing import Authorized, look, missing_essentials
from payflux.monitor.processors.models import ConnectionMethod
from payflux.world.bootstrap import World
from payflux.world.stripe import KeyRefused, StripeAuth

_KEY_REFUSALS = {
    "sk_": mark("This is a secret key: it can move money. PayFlux only reads; create a restricted key (rk_…) instead."),
    "pk_": mark("This is a publishable key: it cannot read payments. Create a restricted key (rk_…) instead."),
    "whs": mark("This is a webhook signing secret: it opens nothing. Create a restricted key (rk_…) instead."),
}
_NO_KEY = mark(
    "This is not a Stripe restricted key: those start with rk_live_ or rk_test_ and hold letters and digits."
)


async def authorize_with_key(world: World, *, key: str) -> Authorized:
    """Ask Stripe what a restricted key opens.

    Raises InvalidInput on `key`, in words for the person who pasted it, or ProcessorUnavailable.
    """
    if not re.fullmatch(r"rk_(live|test)_\w+", key, re.ASCII):
        raise InvalidInput({"key": _(_KEY_REFUSALS.get(key[:3], _NO_KEY))})
    auth = StripeAuth(key)
    try:
        state, capabilities = await look(world, auth)
    except KeyRefused:
        raise InvalidInput(
            {"key": _("Stripe does not accept this key. Was it copied whole, and is it neither rolled nor expired?")}
        ) from None
    missing = missing_essentials(capabilities)
    if missing or state.account is None:
        raise InvalidInput(
            {
                "key": _("The key may not read: %(missing)s. Edit it in the Stripe Dashboard, then try again.")
                % {"missing": ", ".join(missing)}
            }
        )
    return Authorized(
        method=ConnectionMethod.RESTRICTED_KEY,
        external_account_id=state.account.external_id,
        livemode=auth.livemode,
        state=state,
        capabilities=capabilities,
        name=state.account.name,
        key=key,
    )
