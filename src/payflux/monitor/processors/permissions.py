"""What PayFlux asks Stripe to let it do, in Stripe's words for a person and in its names for a link. Pure.

The names of the prefilled link are those that other integrations use in public; Stripe documents no list, and ignores
a name that it does not know. The table of endpoints and permissions is docs.stripe.com/keys/permissions-reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from payflux.kit.messages import mark
from payflux.settings import STRIPE_API_VERSION

PREVIEW_VERSION = "2026-09-30.preview"
"""The API version in which Stripe lists reserve holds; its current version only tells of them in events."""


class Capability(NamedTuple):
    """One thing that a connection may or may not do, found out by asking `path` for one object.

    `permission` is Stripe's name of what has to be allowed, `level` how much of it; `without` says what PayFlux cannot
    see or do where it is missing. Without an `essential` one there is nothing to score; an `optional` one has a
    substitute, so that a connection without it is not degraded.
    """

    path: str
    label: str
    permission: str
    without: str
    level: str = "Read"
    names: tuple[str, ...] = ()
    essential: bool = False
    optional: bool = False
    version: str = STRIPE_API_VERSION


CAPABILITIES: dict[str, Capability] = {
    "account": Capability(
        "/v1/account",
        "Account",
        mark("Accounts (basic information)"),
        mark("Whether the account may take payments and pay out, and the host it sells on."),
        names=("rak_accounts_kyc_basic_read", "rak_connected_account_read"),
        essential=True,
    ),
    "balance": Capability(
        "/v1/balance",
        "Balance",
        "Balance",
        mark("What the account holds, so that coverage and the check that the books add up are missing."),
        names=("rak_balance_read",),
    ),
    "balance_settings": Capability(
        "/v1/balance_settings",
        mark("Balance settings"),
        "Balance",
        mark("Paused payouts and a longer settlement delay, beyond what the account itself says."),
        optional=True,
    ),
    "charges": Capability(
        "/v1/charges",
        "Charges",
        mark("Charges and refunds"),
        mark("Sales, and so everything that is a share of them."),
        names=("rak_charge_read",),
        essential=True,
    ),
    "refunds": Capability(
        "/v1/refunds", "Refunds", mark("Charges and refunds"), mark("Refunds: exposure is told too low.")
    ),
    "disputes": Capability(
        "/v1/disputes",
        "Disputes",
        "Disputes",
        mark("Disputes: dispute rates and card programmes are left out."),
        names=("rak_dispute_read",),
    ),
    "early_fraud_warnings": Capability(
        "/v1/radar/early_fraud_warnings",
        mark("Early fraud warnings"),
        mark("Charges and refunds"),
        mark("Warnings of fraud, which come before disputes and count in card programmes."),
    ),
    "reviews": Capability(
        "/v1/reviews",
        "Reviews",
        "Reviews",
        mark("Payments that Stripe has put under review."),
        names=("rak_review_read",),
    ),
    "payouts": Capability(
        "/v1/payouts",
        "Payouts",
        "Payouts",
        mark("Payouts, and payouts that failed."),
        names=("rak_payout_read",),
    ),
    "balance_transactions": Capability(
        "/v1/balance_transactions",
        mark("Balance transactions"),
        mark("Balance transaction sources"),
        mark("Reserve movements: what Stripe holds already is told too low."),
        names=("rak_balance_transaction_source_read",),
    ),
    "events": Capability(
        "/v1/events",
        "Events",
        "Events",
        mark("What changes, unless a webhook tells: new payments and disputes are seen hours later."),
        names=("rak_event_read",),
    ),
    "webhook_endpoints": Capability(
        "/v1/webhook_endpoints",
        mark("Webhook endpoints"),
        mark("Webhook endpoints"),
        mark(
            "PayFlux cannot have Stripe tell it at once; it asks every few minutes, or you register its address "
            "yourself."
        ),
        level="Write",
        names=("rak_webhook_write",),
        optional=True,
    ),
    "reporting": Capability(
        "/v1/reporting/report_runs",
        "Reports",
        mark("Report runs and report types"),
        mark("The history of a very large account takes hours longer."),
        level="Write",
        optional=True,
    ),
    "reserve_holds": Capability(
        "/v1/reserve/holds",
        mark("Reserve holds"),
        "Reserves",
        mark("When each single hold is released; what is held is known from balance transactions."),
        optional=True,
        version=PREVIEW_VERSION,
    ),
}
"""Everything a connection's capabilities name, by the names they are stored under."""

KEY_PERMISSIONS: tuple[tuple[str, str], ...] = tuple(
    dict.fromkeys(
        (capability.permission, capability.level)
        for capability in CAPABILITIES.values()
        if capability.version == STRIPE_API_VERSION
    )
)
"""The permissions of a new key, as Stripe's Dashboard shows them, and to what each is to be set."""


def key_creation_url() -> str:
    """Stripe's page for a new restricted key, the permissions filled in where the link still works."""
    names = [name for capability in CAPABILITIES.values() for name in capability.names]
    fields = [("name", "PayFlux"), *((f"permissions[{n}]", name) for n, name in enumerate(names))]
    return f"https://dashboard.stripe.com/apikeys/create?{urlencode(fields)}"


def missing_capabilities(capabilities: Mapping[str, str]) -> list[str]:
    """The forbidden capabilities that figures miss, in the order of :data:`CAPABILITIES`."""
    needed = (name for name, capability in CAPABILITIES.items() if not capability.optional)
    return [name for name in needed if capabilities.get(name) == "forbidden"]


def resource_label(resource: str) -> str:
    """The name of a resource of a connection's capabilities, for a person."""
    known = CAPABILITIES.get(resource)
    return known.label if known else resource.replace("_", " ").capitalize()
