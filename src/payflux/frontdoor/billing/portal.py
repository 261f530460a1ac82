"""The way to Stripe's customer portal: change the card, see the invoices, cancel at the period's end."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select

from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit.errors import Conflict, Unavailable
from payflux.kit.messages import gettext as _
from payflux.world.bootstrap import World
from payflux.world.stripe.billing import StripeBilling
from payflux.world.stripe.billing_objects import RemoteSubscription
from payflux.world.stripe.errors import RequestRefused, StripeFailure

if TYPE_CHECKING:
    from stripe.params.billing_portal import ConfigurationCreateParams

log = structlog.get_logger(__name__)

FEATURES: ConfigurationCreateParams = {
    "features": {
        "payment_method_update": {"enabled": True},
        "invoice_history": {"enabled": True},
        "subscription_cancel": {
            "enabled": True,
            "mode": "at_period_end",
            "cancellation_reason": {
                "enabled": True,
                "options": ["too_expensive", "missing_features", "switched_service", "unused", "too_complex", "other"],
            },
        },
        # on its own the portal would end a trial, and knows nothing of the seats that are taken
        "subscription_update": {"enabled": False},
        "customer_update": {"enabled": False},
    }
}
_MARK = "payflux_portal"


class NoCustomer(Conflict):
    """The account has never begun to pay, so there is nothing to show at Stripe."""

    code = "no_customer"


class PortalFailed(Unavailable):
    code = "portal_failed"


async def open_customer_portal(world: World, who: SignedIn) -> str:
    """The address of the account's portal at Stripe, good for minutes. Raises NoCustomer and PortalFailed."""
    async with world.database.tenant(who.account_id) as session:
        known = select(Account.stripe_customer_id).where(Account.id == who.account_id)
        customer_id = (await session.execute(known)).scalar_one()
    if customer_id is None:
        raise _no_customer()
    try:
        return await portal_url(world, StripeBilling(world.settings, world.http), customer_id)
    except RequestRefused as refused:
        log.warning("portal refused", account_id=str(who.account_id), failure=str(refused))
        raise _no_customer() from None
    except StripeFailure as failure:
        log.warning("portal not opened", account_id=str(who.account_id), failure=str(failure))
        raise PortalFailed(
            _("Couldn't open the billing portal. Try again."),
            way_out=_("Nothing was changed. Try again in a few minutes."),
        ) from None


async def portal_url(world: World, billing: StripeBilling, customer_id: str) -> str:
    """A link into the portal that leads back to Billing. Raises StripeFailure."""
    return await billing.portal_url(
        {
            "customer": customer_id,
            "configuration": await _configuration(billing, FEATURES),
            "return_url": f"{world.settings.url}/account/billing",
        }
    )


async def change_url(
    world: World, billing: StripeBilling, remote: RemoteSubscription, *, product_id: str, price_id: str, seats: int
) -> str:
    """A link to the page at Stripe that shows what another plan or number of seats costs from now on, and changes the
    subscription when it is confirmed there. Raises StripeFailure."""
    change: ConfigurationCreateParams = {
        "features": {
            **FEATURES["features"],
            "subscription_update": {
                "enabled": True,
                "default_allowed_updates": ["price", "quantity"],
                "products": [{"product": product_id, "prices": [price_id]}],
                "proration_behavior": "always_invoice",
                "trial_update_behavior": "continue_trial",
            },
        }
    }
    done = f"{world.settings.url}/account/billing?success=1"
    return await billing.portal_url(
        {
            "customer": remote.customer,
            "configuration": await _configuration(billing, change),
            "return_url": f"{world.settings.url}/account/billing",
            "flow_data": {
                "type": "subscription_update_confirm",
                "subscription_update_confirm": {
                    "subscription": remote.id,
                    "items": [{"id": remote.item.id, "price": price_id, "quantity": seats}],
                },
                "after_completion": {"type": "redirect", "redirect": {"return_url": done}},
            },
        }
    )


async def _configuration(billing: StripeBilling, asked: ConfigurationCreateParams) -> str:
    """The portal as `asked` describes it, made where this account at Stripe has none like it."""
    mark = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]
    for found in await billing.portal_configurations():
        if found.metadata.get(_MARK) == mark:
            return found.id
    params: ConfigurationCreateParams = {**asked, "metadata": {_MARK: mark}}
    return (await billing.create_portal_configuration(params, key=f"portal:{mark}")).id


def _no_customer() -> NoCustomer:
    return NoCustomer(_("This account has not bought a plan yet."), way_out=_("Choose a plan first."))
