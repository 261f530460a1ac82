"""Stripe report `balance_change_from_activity.itemized`: one row a movement of money, exact and in settlement currency.

Failed attempts move no money and are not in it. A failed refund, a won dispute or a returned payout is a second row
about the same object, an ending: it changes that event's status and is none of its own, whose date would be wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from payflux.monitor.processors.codes import Kind, Outcome, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports.layouts.layout import Ending, Found, Layout, words
from payflux.monitor.processors.exports.report import Trouble
from payflux.monitor.processors.exports.rows import RefusedRowError, Row, method, network

# reporting_category (docs.stripe.com/reports/reporting-categories): what it tells of, and the sign its gross must have.
_CATEGORIES = {
    "charge": (Kind.CHARGE, Status.SUCCEEDED, 1),
    "refund": (Kind.REFUND, Status.SUCCEEDED, -1),
    "dispute": (Kind.DISPUTE, Status.OPEN, -1),
    "payout": (Kind.PAYOUT, Status.SUCCEEDED, -1),
}
_ENDINGS = {
    "charge_failure": (Kind.CHARGE, Status.FAILED, -1),
    "refund_failure": (Kind.REFUND, Status.FAILED, 1),
    "dispute_reversal": (Kind.DISPUTE, Status.WON, 1),
    "payout_reversal": (Kind.PAYOUT, Status.FAILED, 1),
}
_RESERVE = "risk_reserved_funds"


def read(row: Row) -> Found:
    """The event of a row; fees, transfers and other movements are set aside under their category."""
    category = row.required("reporting_category").lower()
    known = _CATEGORIES.get(category) or _ENDINGS.get(category)
    if known is None and category != _RESERVE:
        return category
    currency = row.required_currency("currency")
    row.required("gross")
    gross = row.signed("gross", currency) or 0
    if known is None:
        return _reserve(row, gross, currency)
    kind, status, sign = known
    if gross * sign < 0:
        raise RefusedRowError(
            Trouble.NEGATIVE_AMOUNT, f"{row.name('gross')} {row.text('gross')!r} has the wrong sign for a {category}"
        )
    if category in _ENDINGS:
        charge_id = row.text("charge_id")
        source_id = charge_id if kind == Kind.CHARGE and charge_id else row.required("source_id")
        return Ending(kind, source_id, charge_id, status, category)
    return [_READERS[kind](row, kind, status, abs(gross), currency)]


def _payment(row: Row, kind: Kind, status: Status, gross: int, currency: str) -> PaymentEvent:
    own_currency = row.currency("customer_facing_currency") or currency
    own_amount = row.signed("customer_facing_amount", own_currency)
    brand = row.text("card_brand")
    charged = row.time("charge_created_utc")
    charge_id = row.text("charge_id")
    is_charge = kind == Kind.CHARGE
    source_id = charge_id if is_charge and charge_id else row.required("source_id")
    created = row.required_time("created_utc")
    return PaymentEvent(
        kind=kind,
        source_id=source_id,
        occurred_at=charged or created if is_charge else created,
        status=status,
        amount=gross if own_amount is None else abs(own_amount),
        currency=currency if own_amount is None else own_currency,
        settled_amount=gross,
        settled_currency=currency,
        charge_id=source_id if is_charge else charge_id,
        charge_occurred_at=charged or (created if is_charge else None),
        network=network(brand),
        method=method(row.text("payment_method_type"), brand),
        outcome=Outcome.AUTHORIZED if is_charge else Outcome.UNKNOWN,
        country=row.country("card_country"),
        reason=row.text("dispute_reason").lower().replace(" ", "_") if kind == Kind.DISPUTE else "",
        customer=row.text("customer_id"),
    )


def _payout(row: Row, kind: Kind, status: Status, gross: int, currency: str) -> PaymentEvent:
    return PaymentEvent(
        kind=kind,
        source_id=row.required("source_id"),
        occurred_at=row.required_time("created_utc"),
        status=status,
        amount=gross,
        currency=currency,
        settled_amount=gross,
        settled_currency=currency,
        ends_at=row.time("automatic_payout_effective_at_utc"),
    )


def _reserve(row: Row, gross: int, currency: str) -> Found:
    """Money put aside or given back. The report has no date of release: `available_on` is when the row settles."""
    if not gross:
        return f"{_RESERVE} of nothing"
    return [
        PaymentEvent(
            kind=Kind.RESERVE_HOLD if gross < 0 else Kind.RESERVE_RELEASE,
            source_id=row.required("balance_transaction_id"),
            occurred_at=row.required_time("created_utc"),
            status=Status.SUCCEEDED,
            amount=abs(gross),
            currency=currency,
            settled_amount=abs(gross),
            settled_currency=currency,
            charge_id=row.text("charge_id"),
            charge_occurred_at=row.time("charge_created_utc"),
        )
    ]


_READERS: dict[Kind, Callable[[Row, Kind, Status, int, str], PaymentEvent]] = {
    Kind.CHARGE: _payment,
    Kind.REFUND: _payment,
    Kind.DISPUTE: _payment,
    Kind.PAYOUT: _payout,
}

LAYOUT = Layout(
    name="balance_change_from_activity.itemized",
    title="Stripe itemized balance report",
    authority=3,
    required=("balance_transaction_id", "created_utc", "currency", "gross", "reporting_category", "source_id"),
    optional=words(
        "available_on_utc fee net description charge_id charge_created_utc payment_intent_id customer_id "
        "customer_email customer_facing_amount customer_facing_currency payment_method_type is_link "
        "card_brand card_country card_funding dispute_reason invoice_id invoice_number subscription_id "
        "automatic_payout_id automatic_payout_effective_at_utc statement_descriptor regulatory_tag "
        "connected_account_id connected_account_name connected_account_country "
        "connected_account_direct_charge_id created available_on trace_id trace_id_status"
    ),
    read=read,
    aliases={"automatic_payout_effective_at": "automatic_payout_effective_at_utc"},
)
