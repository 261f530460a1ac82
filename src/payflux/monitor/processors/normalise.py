"""Stripe's objects as payment events: pure, one function an object.

A word that Stripe adds later becomes the neutral code of its kind, never an error: it must not stop a reading.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from payflux.monitor.processors import decode, stripe_words
from payflux.monitor.processors.codes import Kind, Method, Network, Outcome, RiskLevel, Status
from payflux.monitor.processors.events import PaymentEvent, moment

RESERVE_TYPES = (
    "reserve_hold",
    "reserve_release",
    "reserved_funds",
    "reserve_transaction",
    "payment_network_reserve_hold",
    "payment_network_reserve_release",
)
"""The types of balance transaction by which money is put aside against risk, or given back.

`payout_minimum_balance_hold` and its release are not among them: the merchant's own setting, no reserve.
"""


def charge_event(charge: decode.Charge) -> PaymentEvent:
    """An attempt to pay, with the amount that was captured.

    An authorization that is not captured has moved no money: it is pending, and canceled once it was let go.
    """
    status = stripe_words.CHARGE.get(charge.status, Status.PENDING)
    if status == Status.SUCCEEDED and not charge.captured:
        status = Status.CANCELED if charge.refunded else Status.PENDING
    amount = _captured(charge)
    settled, settled_currency = _settled(amount, charge.currency, charge.balance_transaction)
    outcome = charge.outcome or decode.ChargeOutcome()
    return PaymentEvent(
        kind=Kind.CHARGE,
        source_id=charge.id,
        occurred_at=moment(charge.created),
        status=status,
        amount=amount,
        currency=charge.currency,
        settled_amount=settled,
        settled_currency=settled_currency,
        reason=(outcome.reason or charge.failure_code or "") if status == Status.FAILED else "",
        **_facts_of(charge),
    )


def refund_event(refund: decode.Refund) -> PaymentEvent:
    """Money given back. What only lets go of an authorization, whole or in part, has moved none and is canceled."""
    status = stripe_words.REFUND.get(refund.status or "", Status.SUCCEEDED)
    unmoved = status == Status.SUCCEEDED and refund.balance_transaction is None
    if unmoved and isinstance(refund.charge, decode.Charge) and not whole_charge(refund.charge):
        status = Status.CANCELED
    settled, settled_currency = _settled(refund.amount, refund.currency, refund.balance_transaction)
    if not isinstance(refund.balance_transaction, decode.BalanceTransaction):
        settled, settled_currency = _at_rate_of(refund.charge, refund.amount, refund.currency)
    return PaymentEvent(
        kind=Kind.REFUND,
        source_id=refund.id,
        occurred_at=moment(refund.created),
        status=status,
        amount=refund.amount,
        currency=refund.currency,
        settled_amount=settled,
        settled_currency=settled_currency,
        reason=refund.reason or "",
        **_facts_of(refund.charge),
    )


def dispute_event(dispute: decode.Dispute) -> PaymentEvent:
    """A dispute. Settled is what was withdrawn; before that, or for an inquiry, the amount at the charge's rate.

    It ends when evidence is due while it is open, and when the money came back once it is won; Stripe's object does not
    tell when it was lost.
    """
    withdrawn = [movement for movement in dispute.balance_transactions if movement.amount < 0]
    if withdrawn:
        settled, settled_currency = -withdrawn[0].amount, withdrawn[0].currency
    else:
        settled, settled_currency = _at_rate_of(dispute.charge, dispute.amount, dispute.currency)
    return PaymentEvent(
        kind=Kind.DISPUTE,
        source_id=dispute.id,
        occurred_at=moment(dispute.created),
        status=stripe_words.DISPUTE.get(dispute.status, Status.OPEN),
        amount=dispute.amount,
        currency=dispute.currency,
        settled_amount=settled,
        settled_currency=settled_currency,
        reason=dispute.reason,
        ends_at=_end_of(dispute),
        **_facts_of(dispute.charge),
    )


def _end_of(dispute: decode.Dispute) -> datetime | None:
    returned = [movement.created for movement in dispute.balance_transactions if movement.amount > 0]
    if dispute.status == "won" and returned:
        return moment(max(returned))
    due = dispute.evidence_details.due_by
    return moment(due) if due and dispute.status not in stripe_words.DECIDED else None


def warning_event(warning: decode.EarlyFraudWarning) -> PaymentEvent | None:
    """An early fraud warning, with the amount of its charge; None when the charge is not there to tell."""
    if not isinstance(warning.charge, decode.Charge):
        return None
    charge = warning.charge
    settled, settled_currency = _at_rate_of(charge, charge.amount, charge.currency)
    return PaymentEvent(
        kind=Kind.EARLY_FRAUD_WARNING,
        source_id=warning.id,
        occurred_at=moment(warning.created),
        status=Status.ACTIONABLE if warning.actionable else Status.SETTLED,
        amount=charge.amount,
        currency=charge.currency,
        settled_amount=settled,
        settled_currency=settled_currency,
        reason=warning.fraud_type,
        **_facts_of(charge),
    )


def payout_event(payout: decode.Payout) -> PaymentEvent:
    """A payout. One that takes money from the merchant's bank, to fill a negative balance, has the reason `debit`; one
    that came back is canceled, with the reason `reversed`."""
    status = stripe_words.PAYOUT.get(payout.status, Status.PENDING)
    came_back = status == Status.SUCCEEDED and payout.reversed_by is not None
    return PaymentEvent(
        kind=Kind.PAYOUT,
        source_id=payout.id,
        occurred_at=moment(payout.created),
        status=Status.CANCELED if came_back else status,
        amount=abs(payout.amount),
        currency=payout.currency,
        settled_amount=abs(payout.amount),
        settled_currency=payout.currency,
        reason=payout.failure_code or ("reversed" if came_back else "debit" if payout.amount < 0 else ""),
        ends_at=moment(payout.arrival_date),
    )


def review_event(review: decode.Review) -> PaymentEvent:
    """A review of a charge, with its amount; nothing and no currency when the charge is not there to tell."""
    charge = review.charge if isinstance(review.charge, decode.Charge) else None
    amount = _captured(charge) if charge else 0
    currency = charge.currency if charge else ""
    settled, settled_currency = _at_rate_of(charge, amount, currency)
    return PaymentEvent(
        kind=Kind.REVIEW,
        source_id=review.id,
        occurred_at=moment(review.created),
        status=Status.OPEN if review.open else Status.SETTLED,
        amount=amount,
        currency=currency,
        settled_amount=settled,
        settled_currency=settled_currency,
        reason=review.opened_reason if review.open else review.closed_reason or "",
        **_facts_of(review.charge),
    )


def reserve_event(movement: decode.BalanceTransaction) -> PaymentEvent | None:
    """Money put aside, or given back. A reserve debits the balance of payments and credits the reserved one, or the
    reverse; the balance of payments must show every movement to add up, so its side tells and the other is None.
    """
    if movement.type not in RESERVE_TYPES or movement.balance_type == "risk_reserved" or not movement.amount:
        return None
    event: dict[str, Any] = {}
    source = movement.source
    if isinstance(source, decode.MovementSource) and source.object == "charge":
        event = {"charge_id": source.id, "charge_occurred_at": moment(source.created)}
    elif isinstance(source, decode.MovementSource) and source.object == "reserve.hold":
        schedule = source.release_schedule or decode.ReleaseSchedule()
        due = schedule.scheduled_release or schedule.release_after
        event = {"charge_id": source.source_charge or "", "ends_at": moment(due) if due else None}
    return PaymentEvent(
        kind=Kind.RESERVE_HOLD if movement.amount < 0 else Kind.RESERVE_RELEASE,
        source_id=movement.id,
        occurred_at=moment(movement.created),
        status=Status.SUCCEEDED,
        amount=abs(movement.amount),
        currency=movement.currency,
        settled_amount=abs(movement.amount),
        settled_currency=movement.currency,
        **event,
    )


def _captured(charge: decode.Charge) -> int:
    return charge.amount_captured if charge.captured and charge.amount_captured else charge.amount


def whole_charge(charge: decode.Charge) -> bool:
    """Whether everything that was authorized was captured; else a part was let go, which Stripe calls refunded."""
    return charge.captured and charge.amount_captured == charge.amount


def _settled(amount: int, currency: str, movement: str | decode.BalanceTransaction | None) -> tuple[int, str]:
    """What reached or left the account's balance; the amount itself where nothing has moved."""
    if isinstance(movement, decode.BalanceTransaction):
        return abs(movement.amount), movement.currency
    return amount, currency


def _at_rate_of(charge: str | decode.Charge | None, amount: int, currency: str) -> tuple[int, str]:
    """`amount` at the rate its charge was settled at, rounded half up; unchanged where that is not known."""
    if not isinstance(charge, decode.Charge) or charge.currency != currency or not charge.amount:
        return amount, currency
    whole = charge.amount_captured or charge.amount
    settled, settled_currency = _settled(whole, currency, charge.balance_transaction)
    return (2 * amount * settled + whole) // (2 * whole), settled_currency


def _facts_of(charge: str | decode.Charge | None) -> dict[str, Any]:
    """What every event about a charge says of it."""
    if not isinstance(charge, decode.Charge):
        return {"charge_id": charge or ""}
    details = charge.payment_method_details or decode.PaymentMethodDetails(type="")
    card = details.card or details.card_present or details.interac_present
    outcome = charge.outcome or decode.ChargeOutcome()
    facts: dict[str, Any] = {
        "charge_id": charge.id,
        "charge_occurred_at": moment(charge.created),
        "method": stripe_words.METHOD.get(details.type, Method.OTHER if details.type else Method.UNKNOWN),
        "outcome": stripe_words.OUTCOME.get(outcome.type or "", Outcome.UNKNOWN),
        "risk_level": stripe_words.RISK.get(outcome.risk_level or "", RiskLevel.UNKNOWN),
        "customer": charge.customer or "",
    }
    if card is None:
        return facts
    secure = card.three_d_secure.result in stripe_words.AUTHENTICATED if card.three_d_secure else False
    return facts | {
        "network": stripe_words.NETWORK.get(card.network or card.brand or "", Network.OTHER),
        "country": card.country or "",
        "card": card.fingerprint or "",
        "three_d_secure": secure,
    }
