"""The rows that exports and reports have of what calls have made or changed, from the objects themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from payflux.sandbox.objects.view import View
from payflux.sandbox.resources import find_in_books
from payflux.sandbox.store import Json

BRAND_NAMES = {"visa": "Visa", "mastercard": "MasterCard", "amex": "American Express", "discover": "Discover"}

Row = dict[str, Any]


def major(cents: int) -> str:
    """Minor units as major ones with decimals."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"


def moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def made(view: View, kind: str, since: int, before: int, **where: Any) -> Iterator[Json]:
    """The documents of a type from second `since` on and before `before` that exist by now, the newest first."""
    if view.store is not None:
        yield from view.store.find(view.account_id, kind, where, created=(since, min(before - 1, view.now)))


def activity_row(view: View, movement: Json) -> Row:
    """What the itemized reports say of a balance transaction."""
    source = _object(view, movement["source"])
    owner = source.get("charge") or source.get("source_charge")
    charge = source if source.get("object") == "charge" else _object(view, owner)
    row: Row = {
        "balance_transaction_id": movement["id"],
        "created_utc": moment(movement["created"]),
        "available_on_utc": moment(movement["available_on"]),
        "currency": movement["currency"],
        "gross": major(movement["amount"]),
        "fee": major(movement["fee"]),
        "net": major(movement["net"]),
        "reporting_category": movement["reporting_category"],
        "source_id": movement["source"] or "",
        "description": movement["description"] or "",
        "customer_facing_amount": major(movement["amount"]),
        "customer_facing_currency": movement["currency"],
        "dispute_reason": source["reason"] if source.get("object") == "dispute" else "",
    }
    if not charge:
        return row
    card = _card(charge)
    return row | {
        "charge_id": charge["id"],
        "charge_created_utc": moment(charge["created"]),
        "payment_intent_id": charge["payment_intent"] or "",
        "customer_id": charge["customer"] or "",
        "payment_method_type": "card",
        "is_link": "false",
        "card_brand": BRAND_NAMES.get(card.get("brand", ""), ""),
        "card_country": card.get("country") or "",
        "card_funding": card.get("funding") or "",
        "statement_descriptor": charge["calculated_statement_descriptor"] or "",
        **{f"payment_metadata[{key}]": value for key, value in charge["metadata"].items()},
    }


def payment_row(view: View, charge: Json) -> Row:
    """What the export of payments says of a charge."""
    card, outcome = _card(charge), charge["outcome"] or {}
    checks = card.get("checks") or {}
    movement = _object(view, charge["balance_transaction"])
    refunds = list(made(view, "refund", 0, view.now + 1, charge=charge["id"]))
    disputes = list(made(view, "dispute", 0, view.now + 1, charge=charge["id"]))
    part = "Refunded" if charge["refunded"] else "Partial Refund" if charge["amount_refunded"] else "Paid"
    row: Row = {
        "id": charge["id"],
        "Created date (UTC)": moment(charge["created"]),
        "Amount": major(charge["amount"]),
        "Amount Refunded": major(charge["amount_refunded"]),
        "Currency": charge["currency"],
        "Captured": str(charge["captured"]).lower(),
        "Converted Amount": major(movement.get("amount", charge["amount"])),
        "Converted Amount Refunded": major(
            -sum(_object(view, refund["balance_transaction"]).get("amount", 0) for refund in refunds)
        ),
        "Converted Currency": movement.get("currency", charge["currency"]),
        "Decline Reason": (outcome.get("reason") or "") if not charge["paid"] else "",
        "Description": charge["description"] or "",
        "Fee": major(movement.get("fee", 0)),
        "Refunded date (UTC)": moment(refunds[0]["created"]) if refunds else "",
        "Statement Descriptor": charge["calculated_statement_descriptor"] or "",
        "Status": part if charge["paid"] else "Failed",
        "Seller Message": outcome.get("seller_message") or "",
        "Taxes On Fee": "0.00",
        "Card ID": charge["payment_method"] or "",
        "Card Brand": BRAND_NAMES.get(card.get("brand", ""), ""),
        "Card Funding": card.get("funding") or "",
        "Card Address Country": charge["billing_details"]["address"]["country"] or "",
        "Card Issue Country": card.get("country") or "",
        "Card Fingerprint": card.get("fingerprint") or "",
        "Card CVC Status": checks.get("cvc_check") or "",
        "Customer ID": charge["customer"] or "",
        "PaymentIntent ID": charge["payment_intent"] or "",
        "Payment Source Type": "card",
        "Is Link": "false",
    }
    if disputes:
        due_by = disputes[0]["evidence_details"]["due_by"]
        row |= {
            "Disputed Amount": major(disputes[0]["amount"]),
            "Dispute Date (UTC)": moment(disputes[0]["created"]),
            "Dispute Evidence Due (UTC)": moment(due_by) if due_by else "",
            "Dispute Reason": disputes[0]["reason"],
            "Dispute Status": disputes[0]["status"],
        }
    return row


def dispute_row(view: View, dispute: Json) -> Row:
    """What the export of disputes says of one."""
    charge, due_by = _object(view, dispute["charge"]), dispute["evidence_details"]["due_by"]
    return {
        "id": dispute["id"],
        "Created (UTC)": moment(dispute["created"]),
        "Amount": major(dispute["amount"]),
        "Currency": dispute["currency"],
        "Charge ID": dispute["charge"],
        "Reason": dispute["reason"],
        "Status": dispute["status"],
        "Is Charge Refundable": str(dispute["is_charge_refundable"]).lower(),
        "Evidence Due (UTC)": moment(due_by) if due_by else "",
        "Network Reason Code": dispute["network_reason_code"] or "",
        "Card Brand": BRAND_NAMES.get(_card(charge).get("brand", ""), ""),
        "Payment Created (UTC)": moment(charge["created"]) if charge else "",
    }


def _card(charge: Json) -> Json:
    return (charge.get("payment_method_details") or {}).get("card") or {}


def _object(view: View, object_id: str | None) -> Json:
    if not object_id or view.store is None:
        return {}
    return view.store.get(view.account_id, object_id) or find_in_books(view, object_id) or {}
