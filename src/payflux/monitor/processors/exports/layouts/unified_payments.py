"""Stripe Dashboard → Payments → Export: one row a payment, failed attempts included.

A charge's refunds and its dispute are columns of its row: they become one refund and one dispute event, which give way
to the real objects when another file lists them.
"""

from __future__ import annotations

from payflux.monitor.processors.codes import Kind, Outcome, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports.layouts.layout import CHARGE_FACTS, Found, Layout, summary_id, words
from payflux.monitor.processors.exports.report import Trouble
from payflux.monitor.processors.exports.rows import DISPUTE_STATUSES, RefusedRowError, Row, method, network

_SUCCEEDED = words("paid succeeded refunded partial_refund partially_refunded disputed dispute_won dispute_lost")
_STATUSES = (
    dict.fromkeys(_SUCCEEDED, Status.SUCCEEDED)
    | dict.fromkeys(("failed", "blocked", "declined"), Status.FAILED)
    | dict.fromkeys(("pending", "processing", "uncaptured"), Status.PENDING)
)
_NEVER_CHARGED = words("canceled incomplete requires_payment_method requires_confirmation requires_action expired")


def read(row: Row) -> Found:
    """The charge of a row and, where its columns tell of them, its refund and its dispute."""
    status_word = row.required("status").lower().replace(" ", "_")
    if status_word in _NEVER_CHARGED:
        return "payment never attempted"
    currency = row.required_currency("currency")
    amount = row.required_amount("amount", currency)
    settled_currency = row.currency("converted_currency") or currency
    settled = row.amount("converted_amount", settled_currency)
    if settled is None:
        settled, settled_currency = amount, currency
    charge_id, created = row.required("id"), row.required_time("created_utc")
    brand = row.text("card_brand")
    status = row.choice("status", _STATUSES)
    if status == Status.SUCCEEDED and row.text("captured").lower() == "false":
        status = Status.PENDING  # authorized only: no money has moved
    charge = PaymentEvent(
        kind=Kind.CHARGE,
        source_id=charge_id,
        occurred_at=created,
        status=status,
        amount=amount,
        currency=currency,
        settled_amount=settled,
        settled_currency=settled_currency,
        charge_id=charge_id,
        charge_occurred_at=created,
        network=network(brand),
        method=method(row.text("payment_source_type"), brand),
        outcome=_verdict(row, status, status_word),
        country=row.country("card_issue_country"),
        reason=row.text("decline_reason") if status == Status.FAILED else "",
        card=row.text("card_fingerprint"),
        customer=row.text("customer_id"),
    )
    return [charge, *_refund(row, charge), *_dispute(row, charge)]


def _verdict(row: Row, status: Status, word: str) -> Outcome:
    if status == Status.SUCCEEDED:
        return Outcome.AUTHORIZED
    if word == "blocked" or "blocked" in row.text("seller_message").lower():
        return Outcome.BLOCKED
    return Outcome.ISSUER_DECLINED if status == Status.FAILED and row.text("decline_reason") else Outcome.UNKNOWN


def _refund(row: Row, charge: PaymentEvent) -> list[PaymentEvent]:
    amount = row.amount("amount_refunded", charge.currency) or 0
    if not amount:
        return []
    settled = row.amount("converted_amount_refunded", charge.settled_currency)
    refunded = row.time("refunded_date_utc")
    if refunded is None:
        refunded = charge.occurred_at
        row.notices.append((Trouble.ASSUMED_TIME, "the refund has no date: the payment's own is used"))
    return [
        _about(
            charge,
            kind=Kind.REFUND,
            occurred_at=refunded,
            status=Status.SUCCEEDED,
            amount=amount,
            settled_amount=_share(amount, charge) if settled is None else settled,
        )
    ]


def _dispute(row: Row, charge: PaymentEvent) -> list[PaymentEvent]:
    opened, word = row.time("dispute_date_utc"), row.text("dispute_status")
    amount = row.amount("disputed_amount", charge.currency) or 0
    if not (opened or word or amount):
        return []
    if opened is None:
        raise RefusedRowError(Trouble.MISSING_VALUE, f"{row.name('dispute_date_utc')} of a disputed payment is empty")
    amount = amount or charge.amount
    return [
        _about(
            charge,
            kind=Kind.DISPUTE,
            occurred_at=opened,
            status=row.choice("dispute_status", DISPUTE_STATUSES) if word else Status.OPEN,
            amount=amount,
            settled_amount=_share(amount, charge),
            reason=row.text("dispute_reason").lower().replace(" ", "_"),
            ends_at=row.time("dispute_evidence_due_utc"),
        )
    ]


def _about(charge: PaymentEvent, **own) -> PaymentEvent:
    kind: Kind = own["kind"]
    shared = {name: getattr(charge, name) for name in ("currency", "settled_currency", "charge_id", *CHARGE_FACTS)}
    return PaymentEvent(source_id=summary_id(kind, charge.charge_id), **shared, **own)


def _share(part: int, charge: PaymentEvent) -> int:
    """`part` of the charge's amount at the charge's own rate of exchange, rounded half up."""
    return (2 * part * charge.settled_amount + charge.amount) // (2 * charge.amount) if charge.amount else part


LAYOUT = Layout(
    name="unified_payments",
    title="Stripe payments export",
    authority=1,
    required=("id", "created_utc", "amount", "currency", "status", "amount_refunded"),
    optional=words(
        "captured converted_amount converted_amount_refunded converted_currency decline_reason description "
        "fee refunded_date_utc statement_descriptor seller_message taxes_on_fee card_id card_brand "
        "card_funding card_address_country card_issue_country card_fingerprint card_cvc_status customer_id "
        "disputed_amount dispute_date_utc dispute_evidence_due_utc dispute_reason dispute_status "
        "paymentintent_id payment_source_type is_link transfer_group"
    ),
    read=read,
    aliases={
        "created_date_utc": "created_utc",
        "refunded_utc": "refunded_date_utc",
        "dispute_utc": "dispute_date_utc",
        "payment_intent_id": "paymentintent_id",
    },
)
