"""What a merchant would download from Stripe's Dashboard and reports, as CSV."""

from __future__ import annotations

import csv
import heapq
import io
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from payflux.sandbox.document_rows import (
    BRAND_NAMES,
    Row,
    activity_row,
    dispute_row,
    made,
    major,
    moment,
    payment_row,
)
from payflux.sandbox.export_columns import DISPUTES, ITEMIZED, PAYMENTS
from payflux.sandbox.merchants.aftermath import DISPUTE_REASONS
from payflux.sandbox.merchants.currencies import CURRENCIES
from payflux.sandbox.merchants.payments import DECLINES
from payflux.sandbox.merchants.purchases import midnight
from payflux.sandbox.merchants.tables import MOVEMENTS, Charge, Movement
from payflux.sandbox.objects.cards import card_of
from payflux.sandbox.objects.charges import payment_method_id, seller_message
from payflux.sandbox.objects.claims import dispute_status, network_reason_code
from payflux.sandbox.objects.ids import customer_id
from payflux.sandbox.objects.movements import DESCRIPTIONS
from payflux.sandbox.objects.view import View
from payflux.sandbox.resources import find_in_books
from payflux.sandbox.state import SandboxState


def rows_within(view: View, table: str, since: int, before: int) -> Iterator[tuple[Any, int]]:
    """The rows created from second `since` on and before `before` that exist by now, and their numbers; the newest
    first."""
    created = view.merchant.tables[table].created
    low = int(np.searchsorted(created, since))
    indices = np.arange(low, max(low, int(np.searchsorted(created, min(before, view.now + 1)))))[::-1]
    yield from zip(view.merchant.tables[table].rows(indices), indices.tolist(), strict=True)


def _merged(books: Iterator[Row], documents: Iterator[Row], created: str) -> Iterator[Row]:
    """Both, the newest first by the column `created`."""
    return heapq.merge(documents, books, key=lambda row: row[created], reverse=True)


def _payments(view: View, since: int, before: int) -> Iterator[Row]:
    documents = (payment_row(view, charge) for charge in made(view, "charge", since, before))
    return _merged(_payments_of_books(view, since, before), documents, "Created date (UTC)")


def _payments_of_books(view: View, since: int, before: int) -> Iterator[Row]:
    merchant = view.merchant
    for charge, index in rows_within(view, "charges", since, before):
        charge_id = view.id("charges", index) or ""
        if view.touched(charge_id):
            yield payment_row(view, find_in_books(view, charge_id) or {})
            continue
        card = card_of(charge.card)
        refunds = [merchant.refunds[row] for row in view.refunds_of(index)]
        refunded = sum(refund.amount for refund in refunds)
        dispute = view.dispute_of(index)
        reason = None if charge.paid else DECLINES[charge.decline][0]
        settled = int(merchant.movements.data["amount"][charge.movement]) if charge.paid else charge.amount
        row = {
            "id": charge_id,
            "Created date (UTC)": moment(charge.created),
            "Amount": major(charge.amount),
            "Amount Refunded": major(refunded),
            "Currency": CURRENCIES[charge.currency],
            "Captured": str(bool(charge.paid)).lower(),
            "Converted Amount": major(settled),
            "Converted Amount Refunded": major(
                -sum(int(merchant.movements.data["amount"][refund.movement]) for refund in refunds)
            ),
            "Converted Currency": view.currency if charge.paid else CURRENCIES[charge.currency],
            "Decline Reason": reason or "",
            "Fee": major(int(merchant.movements.data["fee"][charge.movement]) if charge.paid else 0),
            "Refunded date (UTC)": moment(refunds[0].created) if refunds else "",
            "Statement Descriptor": merchant.archetype.business.upper()[:22],
            "Status": _status(charge, refunded),
            "Seller Message": seller_message(charge.decline),
            "Taxes On Fee": "0.00",
            "Card ID": payment_method_id(view, charge.card),
            "Card Brand": BRAND_NAMES[card.brand],
            "Card Funding": card.funding,
            "Card Address Country": card.country,
            "Card Issue Country": card.country,
            "Card Fingerprint": card.fingerprint,
            "Card CVC Status": "fail" if reason == "incorrect_cvc" else "pass",
            "Customer ID": customer_id(view.account_id, charge.customer) if charge.customer >= 0 else "",
            "PaymentIntent ID": view.id("intents", charge.intent),
            "Payment Source Type": "card",
            "Is Link": "false",
        }
        if dispute is not None:
            found = merchant.disputes[dispute]
            row |= {
                "Disputed Amount": major(found.amount),
                "Dispute Date (UTC)": moment(found.created),
                "Dispute Evidence Due (UTC)": moment(found.due_by),
                "Dispute Reason": DISPUTE_REASONS[found.reason][0],
                "Dispute Status": dispute_status(found, view.now),
            }
        yield row


def _status(charge: Charge, refunded: int) -> str:
    if not charge.paid:
        return "Failed"
    return "Paid" if not refunded else "Refunded" if refunded >= charge.amount else "Partial Refund"


def _disputes(view: View, since: int, before: int) -> Iterator[Row]:
    documents = (dispute_row(view, dispute) for dispute in made(view, "dispute", since, before))
    return _merged(_disputes_of_books(view, since, before), documents, "Created (UTC)")


def _disputes_of_books(view: View, since: int, before: int) -> Iterator[Row]:
    merchant = view.merchant
    for dispute, index in rows_within(view, "disputes", since, before):
        charge = merchant.charges[dispute.charge]
        brand = card_of(charge.card).brand
        status = dispute_status(dispute, view.now)
        yield {
            "id": view.id("disputes", index),
            "Created (UTC)": moment(dispute.created),
            "Amount": major(dispute.amount),
            "Currency": view.currency_of(dispute.charge),
            "Charge ID": view.id("charges", dispute.charge),
            "Reason": DISPUTE_REASONS[dispute.reason][0],
            "Status": status,
            "Is Charge Refundable": str(status == "warning_needs_response").lower(),
            "Evidence Due (UTC)": moment(dispute.due_by) if status.endswith("needs_response") else "",
            "Network Reason Code": network_reason_code(dispute, brand),
            "Card Brand": BRAND_NAMES[brand],
            "Payment Created (UTC)": moment(charge.created),
        }


def activity(view: View, since: int, before: int) -> Iterator[Row]:
    """The activity of the payments balance; payouts are a report of their own, as at Stripe."""
    documents = (
        activity_row(view, movement)
        for movement in made(view, "balance_transaction", since, before, balance_type="payments")
        if not movement["type"].startswith("payout")
    )
    return _merged(_activity_of_books(view, since, before), documents, "created_utc")


def _activity_of_books(view: View, since: int, before: int) -> Iterator[Row]:
    for movement, index in rows_within(view, "movements", since, before):
        kind = MOVEMENTS[movement.kind]
        if kind.type != "payout" and kind.balance_type == "payments":
            yield itemized_row(view, movement, index)


def itemized_row(view: View, movement: Movement, index: int) -> Row:
    """What the itemized reports say of one balance transaction that is no payout."""
    merchant, kind = view.merchant, MOVEMENTS[movement.kind]
    source = movement.source
    of = source if kind.source == "charges" else int(merchant.tables[kind.source].data["charge"][source])
    charge = merchant.charges[of]
    card = card_of(charge.card)
    payout = movement.payout
    disputed = kind.source == "disputes"
    facing = movement.amount
    if movement.rate:
        presented = int(merchant.tables[kind.source].data["amount"][source])
        facing = presented if movement.amount > 0 else -presented
    paid_out = payout >= 0 and int(merchant.payouts.created[payout]) <= view.now
    return {
        "balance_transaction_id": view.id("movements", index),
        "created_utc": moment(movement.created),
        "available_on_utc": moment(movement.available_on),
        "currency": view.currency,
        "gross": major(movement.amount),
        "fee": major(movement.fee),
        "net": major(movement.net),
        "reporting_category": kind.reporting_category,
        "source_id": view.id(kind.source, source),
        "description": DESCRIPTIONS.get(movement.kind, ""),
        "charge_id": view.id("charges", of),
        "charge_created_utc": moment(charge.created),
        "payment_intent_id": view.id("intents", charge.intent),
        "customer_id": customer_id(view.account_id, charge.customer) if charge.customer >= 0 else "",
        "customer_facing_amount": major(facing),
        "customer_facing_currency": CURRENCIES[charge.currency] if movement.rate else view.currency,
        "payment_method_type": "card",
        "is_link": "false",
        "card_brand": BRAND_NAMES[card.brand],
        "card_country": card.country,
        "card_funding": card.funding,
        "dispute_reason": DISPUTE_REASONS[merchant.disputes[source].reason][0] if disputed else "",
        "automatic_payout_id": view.id("payouts", payout) if paid_out else "",
        "automatic_payout_effective_at": moment(int(merchant.payouts.data["arrival"][payout])) if paid_out else "",
        "statement_descriptor": merchant.archetype.business.upper()[:22],
    }


EXPORTS: dict[str, tuple[list[str], Callable[[View, int, int], Iterator[Row]]]] = {
    "unified_payments.csv": (PAYMENTS, _payments),
    "disputes.csv": (DISPUTES, _disputes),
    "balance_change_from_activity.itemized.csv": (ITEMIZED, activity),
}


def export_csv(state: SandboxState, account_id: str, name: str, start: date, end: date) -> str:
    """The export `name` of what was created from `start` to `end`, both included, UTC.

    Amounts are in major units with decimals, times in UTC to the second. Raises KeyError for an unknown export.
    """
    columns, rows = EXPORTS[name]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows(state.view(account_id), midnight(start), midnight(end + timedelta(days=1))))
    return text.getvalue()


def write_exports(state: SandboxState, account_id: str, directory: Path, start: date, end: date) -> list[Path]:
    """Write every export of an account into `directory` and return the files."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in EXPORTS:
        path = directory / name
        path.write_text(export_csv(state, account_id, name, start, end), encoding="utf-8", newline="")
        paths.append(path)
    return paths
