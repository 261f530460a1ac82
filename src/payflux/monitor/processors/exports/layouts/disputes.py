"""Stripe Dashboard → Disputes → Export: one row a dispute, inquiries included."""

from __future__ import annotations

from payflux.monitor.processors.codes import Kind, Method, Network
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports.layouts.layout import Found, Layout
from payflux.monitor.processors.exports.rows import DISPUTE_STATUSES, Row, method, network


def read(row: Row) -> Found:
    """The dispute of a row."""
    currency = row.required_currency("currency")
    amount = row.required_amount("amount", currency)
    brand = row.text("card_brand")
    return [
        PaymentEvent(
            kind=Kind.DISPUTE,
            source_id=row.required("id"),
            occurred_at=row.required_time("created_utc"),
            status=row.choice("status", DISPUTE_STATUSES),
            amount=amount,
            currency=currency,
            settled_amount=amount,
            settled_currency=currency,
            charge_id=row.required("charge_id"),
            charge_occurred_at=row.time("payment_created_utc"),
            network=network(brand) if brand else Network.UNKNOWN,
            method=method("", brand) if brand else Method.UNKNOWN,
            reason=row.text("reason").lower().replace(" ", "_"),
            ends_at=row.time("evidence_due_utc"),
        )
    ]


LAYOUT = Layout(
    name="disputes",
    title="Stripe disputes export",
    authority=2,
    required=("id", "created_utc", "amount", "currency", "charge_id", "reason", "status"),
    optional=("is_charge_refundable", "evidence_due_utc", "network_reason_code", "card_brand", "payment_created_utc"),
    read=read,
    aliases={
        "created_date_utc": "created_utc",
        "dispute_id": "id",
        "dispute_created_utc": "created_utc",
        "due_by_utc": "evidence_due_utc",
        "dispute_evidence_due_utc": "evidence_due_utc",
        "charge_created_utc": "payment_created_utc",
        "payment_created_date_utc": "payment_created_utc",
    },
)
