"""The keys that Stripe leaves out where they say nothing, by class: shown when expanded, or under some conditions only.

From the optional fields of stripe-node's types, which tell a field that may be absent from one that may be null;
the Python package does not.
"""

from __future__ import annotations

ABSENT: dict[str, frozenset[str]] = {
    name: frozenset(keys.split())
    for name, keys in {
        "Charge": "authorization_code level3 presentment_details radar_options refunds transfer",
        "Customer": "business_name cash_balance customer_account individual_name invoice_credit_balance sources "
        "subscriptions tax tax_ids",
        "PaymentIntent": "hooks payment_details presentment_details",
        "Refund": "description failure_balance_transaction failure_reason instructions_email next_action "
        "pending_reason presentment_details",
        "Dispute": "intended_submission_method",
        "Invoice": "amount_paid_off_stripe confirmation_secret payments status_details",
        "Session": "line_items optional_items",
        "Price": "currency_options tiers",
        "Product": "type",
    }.items()
}
