"""The reading calls on a merchant's books: the lists, the account and its balance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import stripe

from payflux.sandbox.api.endpoints import Call, Endpoint, listing, retrieving
from payflux.sandbox.api.reserves import is_preview
from payflux.sandbox.callers import no_access
from payflux.sandbox.expansion import Includes
from payflux.sandbox.listing import EVERYTHING, embedded, list_page
from payflux.sandbox.merchants.archetypes import PLATFORM
from payflux.sandbox.objects.movements import render_balance_settings
from payflux.sandbox.objects.view import View
from payflux.sandbox.payments.ledger import balance
from payflux.sandbox.reserves import reserved
from payflux.sandbox.resources import RESOURCES
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

KYC = "rak_accounts_kyc_basic_read"


def _shown(render: Callable[[View], Json]) -> Callable[[Call], Json]:
    return lambda call: render(call.work.view)


def _own_account(call: Call) -> Json:
    return call.work.require("account", call.work.account_id)


def _account(call: Call) -> Json:
    own, asked = call.caller.account_id, call.id
    if asked == own:
        return call.work.require("account", asked)
    if own == PLATFORM.account_id and asked in call.work.state.connected:
        return replace(call.work, account_id=asked).require("account", asked)
    raise no_access(call.caller.key, asked)


def _balance(call: Call) -> Json:
    """The balance; what a risk reserve holds is a field of it in preview versions only."""
    shown = balance(call.work)
    if is_preview(call.version):
        money = [{"amount": amount, "currency": currency} for currency, amount in reserved(call.work).items()]
        shown["risk_reserved"] = {"available": money, "pending": [entry | {"amount": 0} for entry in money]}
    return shown


def refunds_of(work: Work, charge: Json) -> Json:
    """A charge's refunds, the newest ten first."""
    query = EVERYTHING._replace(filters={"charge": charge["id"]})
    return embedded(f"/v1/charges/{charge['id']}/refunds", list_page(work, "refund", "/v1/refunds", query)["data"])


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/account", KYC, stripe.Account, _own_account),
    Endpoint("GET", "/v1/accounts/{id}", KYC, stripe.Account, _account),
    Endpoint("GET", "/v1/balance", "rak_balance_read", stripe.Balance, _balance),
    Endpoint(
        "GET", "/v1/balance_settings", "rak_balance_read", stripe.BalanceSettings, _shown(render_balance_settings)
    ),
    *(listing(f"/v1/{resource.path}", resource.permission, resource.of, resource.params) for resource in RESOURCES),
    *(retrieving(f"/v1/{resource.path}", resource.permission, resource.of) for resource in RESOURCES),
)

INCLUDES: Includes = {("charge", "refunds"): refunds_of}
