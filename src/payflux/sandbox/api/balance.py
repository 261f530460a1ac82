"""What documents have moved, by payout, and the payouts that are asked for."""

from __future__ import annotations

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint
from payflux.sandbox.listing import list_page
from payflux.sandbox.payments import ledger
from payflux.sandbox.query import query_of
from payflux.sandbox.schema.writing import not_carried_out, positive, written
from payflux.sandbox.store import Json

PAYOUTS = "/v1/payouts"


def _create_payout(call: Call) -> Json:
    given = call.params
    positive(given, "amount")
    not_carried_out(given, "destination", "payout_method")
    if given.get("method", "standard") != "standard":
        not_carried_out(given, "method")
    ledger.require_available(call.work, given["amount"], given["currency"].lower())
    values = written(stripe.Payout, given, ("amount", "currency", "method", "source_type"))
    return ledger.make_payout(call.work, given["amount"], given["currency"].lower(), automatic=False, **values)


def _list_movements(call: Call) -> Json:
    """As any list, but a payout's balance transactions are found through the payout."""
    query = query_of(call.params)
    where = {name: value for name, value in query.filters.items() if name != "payout"}
    if "payout" in query.filters:
        where["id"] = ledger.paid_out_by(call.work, query.filters["payout"])
    return list_page(call.work, "balance_transaction", "/v1/balance_transactions", query, where)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", PAYOUTS, "rak_payout_write", stripe.Payout, _create_payout, params.PayoutCreateParams),
    Endpoint(
        "GET",
        "/v1/balance_transactions",
        "rak_balance_transaction_source_read",
        stripe.BalanceTransaction,
        _list_movements,
        params.BalanceTransactionListParams,
    ),
)
