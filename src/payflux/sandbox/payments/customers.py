"""Customers as payments need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import stripe

from payflux.sandbox.payments.documents import require_document
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id


def new_customer(work: Work, values: Mapping[str, Any]) -> Json:
    """A customer with these fields, not stored yet."""
    return complete(
        stripe.Customer,
        {
            "balance": 0,
            "delinquent": False,
            "invoice_settings": {},
            "preferred_locales": [],
            "tax_exempt": "none",
            "next_invoice_sequence": 1,
            "invoice_prefix": new_id("x")[2:10].upper(),
            **values,
            "id": new_id("cus"),
            "created": work.now,
            "livemode": False,
        },
    )


def require_customer(work: Work, customer_id: str) -> Json:
    """A customer that can be charged. Raises StripeError that names the parameter `customer`."""
    return require_document(work, "customer", customer_id, "customer")
