"""What a restricted key must be allowed to read, in Stripe's words for a person and in its names for a link."""

from __future__ import annotations

from urllib.parse import urlencode

from payflux.monitor.processors.resources import RESOURCES

KEY_PERMISSIONS: tuple[str, ...] = (
    "Charges and refunds",
    "Disputes",
    "Payouts",
    "Balance",
    "Balance transaction sources",
    "Accounts (basic information)",
)
"""The permissions to set to Read, as Stripe's Dashboard shows them."""

_NAMES = (
    "rak_charge_read",
    "rak_dispute_read",
    "rak_payout_read",
    "rak_balance_read",
    "rak_balance_transaction_source_read",
    "rak_accounts_kyc_basic_read",
    "rak_connected_account_read",
)
_LABELS = {"account": "Account", "balance": "Balance"}


def key_creation_url() -> str:
    """Stripe's page for a new restricted key, the permissions filled in where the link still works."""
    fields = [("name", "PayFlux"), *((f"permissions[{n}]", name) for n, name in enumerate(_NAMES))]
    return f"https://dashboard.stripe.com/apikeys/create?{urlencode(fields)}"


def resource_label(resource: str) -> str:
    """The name of a resource of a connection's capabilities, for a person."""
    known = RESOURCES.get(resource)
    return known.label if known else _LABELS.get(resource, resource.replace("_", " ").capitalize())
