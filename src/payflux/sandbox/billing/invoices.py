"""Invoices: their totals, a draft, its finalization, and what ends one unpaid."""

from __future__ import annotations

from collections.abc import Sequence

import stripe

from payflux.sandbox.addresses import make_ticket, page_url
from payflux.sandbox.billing import discounts
from payflux.sandbox.billing.rules import DRAFT_TIME
from payflux.sandbox.errors import StripeError
from payflux.sandbox.listing import embedded
from payflux.sandbox.payments import intents
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

PREVIEW = "upcoming_in"  # what the id of an invoice that is not one yet begins with
FINALIZE, RETRY = "billing.finalize", "billing.retry"
_MOST_LINES = 250


def make_invoice(
    work: Work,
    subscription: Json,
    lines: Sequence[Json],
    *,
    reason: str,
    period: tuple[int, int] | None = None,
    applied: Sequence[str] | None = None,
    prefix: str = "in",
) -> Json:
    """A draft for `subscription` that is not stored yet. `period` is the one that has ended, by default none.

    `applied` are the ids of its discounts, by default the subscription's.
    """
    customer = work.require("customer", subscription["customer"])
    invoice_id, wanted = new_id(prefix), subscription["discounts"] if applied is None else applied
    shown = [line | {"invoice": invoice_id, "discount_amounts": []} for line in lines]
    discounts.take_off(work, wanted, shown)
    start, end = period or (work.now, work.now)
    renews = reason == "subscription_cycle"
    return complete(
        stripe.Invoice,
        {
            "id": invoice_id,
            "account_country": "US",
            "account_name": work.state.archetypes[work.account_id].business,
            "attempt_count": 0,
            "attempted": False,
            "auto_advance": True,
            "automatic_tax": {"enabled": subscription["automatic_tax"]["enabled"]},
            "automatically_finalizes_at": work.now + DRAFT_TIME if renews else None,
            "billing_reason": reason,
            "collection_method": "charge_automatically",
            "created": work.now,
            "currency": subscription["currency"],
            "customer": customer["id"],
            "customer_address": customer["address"],
            "customer_email": customer["email"],
            "customer_name": customer["name"],
            "customer_phone": customer["phone"],
            "customer_shipping": customer["shipping"],
            "customer_tax_exempt": customer["tax_exempt"],
            "customer_tax_ids": [],
            "default_payment_method": None,  # the subscription's is asked for at each attempt
            "description": subscription["description"],
            "discounts": discounts.in_force(work, wanted),
            "issuer": {"type": "self"},
            "lines": embedded(f"/v1/invoices/{invoice_id}/lines", shown, limit=_MOST_LINES),
            "livemode": False,
            "metadata": {},
            "parent": {
                "subscription_details": {
                    "metadata": subscription["metadata"],
                    "subscription": subscription["id"],
                },
                "type": "subscription_details",
            },
            "payment_settings": {},
            "period_start": start,
            "period_end": end,
            "status": "draft",
            "webhooks_delivered_at": work.now,
            **_totals(shown, customer["balance"], subscription["currency"]),
        },
    )


def _totals(lines: Sequence[Json], balance: int, currency: str) -> Json:
    """The sums of an invoice; a negative `balance` is a credit of the customer.

    What is too little to be charged is not due: it stays on the balance. docs.stripe.com/invoicing/customer/balance
    """
    subtotal = sum(line["amount"] for line in lines)
    off: dict[str, int] = {}
    for line in lines:
        for part in line["discount_amounts"]:
            off[part["discount"]] = off.get(part["discount"], 0) + part["amount"]
    total = subtotal - sum(off.values())
    due = total + balance if total + balance >= intents.LEAST.get(currency, 1) else 0
    return {
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": balance,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_discount_amounts": [{"amount": amount, "discount": discount} for discount, amount in off.items()],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [
            {"amount": amount, "discount": discount, "type": "discount"} for discount, amount in off.items()
        ],
        "total_taxes": [],
    }


def open_draft(work: Work, invoice: Json) -> Json:
    """Finalize a draft: it gets its number and its page, and takes the customer's credit."""
    customer = work.require("customer", invoice["customer"])
    totals = _totals(invoice["lines"]["data"], customer["balance"], invoice["currency"])
    balance = customer["balance"] + totals["total"] - totals["amount_due"]
    sequence = customer["next_invoice_sequence"]
    work.change(customer, {"next_invoice_sequence": sequence + 1})
    work.change(customer, {"balance": balance}, "customer.updated")
    ticket = make_ticket(work.account_id, invoice["id"])
    work.change(
        invoice,
        {
            **totals,
            "automatically_finalizes_at": None,
            "effective_at": work.now,
            "ending_balance": balance,
            "hosted_invoice_url": page_url(work, f"/i/{ticket}"),
            "invoice_pdf": page_url(work, f"/i/{ticket}"),
            "number": f"{customer['invoice_prefix']}-{sequence:04}",
            "status": "open",
            "status_transitions": invoice["status_transitions"] | {"finalized_at": work.now},
        },
    )
    work.never(FINALIZE, invoice["id"])
    work.tell("invoice.finalized", invoice)
    return invoice


def close_unpaid(work: Work, invoice: Json, status: str) -> Json:
    """Void an open invoice or call it uncollectible. Raises StripeError 400 for one that is neither open nor, to be
    voided, uncollectible."""
    allowed = ("open", "uncollectible") if status == "void" else ("open",)
    if invoice["status"] not in allowed:
        verb = "void" if status == "void" else "mark as uncollectible"
        raise StripeError(
            400,
            f"You can only {verb} an invoice that is {' or '.join(allowed)}. This invoice is {invoice['status']}.",
            code="invoice_not_editable",
        )
    moment, event = ("voided_at", "invoice.voided") if status == "void" else ("marked_uncollectible_at", _UNCOLLECTIBLE)
    changes = {"auto_advance": False, "next_payment_attempt": None, "status": status}
    work.change(invoice, changes | {"status_transitions": invoice["status_transitions"] | {moment: work.now}})
    work.never(RETRY, invoice["id"])
    work.tell(event, invoice)
    return invoice


_UNCOLLECTIBLE = "invoice.marked_uncollectible"


def subscription_of(work: Work, invoice: Json) -> Json | None:
    """The subscription that an invoice bills."""
    if invoice["parent"] is None:
        return None
    return work.get("subscription", invoice["parent"]["subscription_details"]["subscription"])
