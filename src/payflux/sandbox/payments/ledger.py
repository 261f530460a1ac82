"""The money that documents move: balance transactions, when they are available, and the payouts that take them away.

Fees and times are those of the merchants' books. Each currency is a balance of its own.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time
from typing import NamedTuple

import stripe

from payflux.sandbox.clock import Tasks
from payflux.sandbox.errors import StripeError
from payflux.sandbox.merchants.ledger import (
    FEE_FIXED,
    FEE_PER_MILLE,
    PAYOUT_TIME,
    SETTLEMENT_DAYS,
    next_business_day,
)
from payflux.sandbox.objects.movements import bank_account_id, render_balance
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

DAY = 86_400
_UNPAID, _PART = "_unpaid", "_payout_part"


def processing_fee(amount: int) -> int:
    """2.9 % and 30 minor units."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED


def settlement_time(now: int) -> int:
    """When a payment made now is available: midnight, UTC, two days on."""
    return now - now % DAY + SETTLEMENT_DAYS * DAY


class Kind(NamedTuple):
    """What a balance transaction says of itself."""

    type: str
    reporting_category: str
    description: str | None = None
    fee_description: str = "Stripe processing fees"


CHARGE = Kind("charge", "charge")
REFUND = Kind("refund", "refund", "REFUND FOR CHARGE")
REFUND_FAILURE = Kind("refund_failure", "refund_failure", "REFUND FAILURE")
WITHDRAWAL = Kind("adjustment", "dispute", "Chargeback withdrawal", "Dispute fee")
REINSTATEMENT = Kind("adjustment", "dispute_reversal", "Chargeback reversal")
PAYOUT = Kind("payout", "payout", "STRIPE PAYOUT")


def book(
    work: Work,
    kind: Kind,
    *,
    amount: int,
    currency: str,
    source: str,
    fee: int = 0,
    available_on: int | None = None,
    description: str | None = None,
    paid_out: bool = True,
) -> Json:
    """Move `amount`, minor units, into the balance, or out of it where it is negative; `fee` is taken besides.

    It is available at once unless `available_on` says otherwise. The next automatic payout takes it along unless
    `paid_out` is False.
    """
    at = work.now if available_on is None else available_on
    fees = [{"amount": fee, "currency": currency, "description": kind.fee_description, "type": "stripe_fee"}]
    movement = complete(
        stripe.BalanceTransaction,
        {
            "id": new_id("txn"),
            "amount": amount,
            "available_on": at,
            "balance_type": "payments",
            "created": work.now,
            "currency": currency,
            "description": description or kind.description,
            "fee": fee,
            "fee_details": fees if fee else [],
            "net": amount - fee,
            "reporting_category": kind.reporting_category,
            "source": source,
            "status": "available" if at <= work.now else "pending",
            "type": kind.type,
        },
    )
    work.create(movement)
    if at > work.now:
        work.later(at, "settle", str(at))
    if paid_out:
        mark = {"id": f"{_UNPAID}/{movement['id']}", "object": _UNPAID, "created": work.now, "currency": currency}
        work.create(mark | {"movement": movement["id"]})
        payout_at = _payout_time(at)
        work.later(payout_at, "pay_out", f"{currency}/{payout_at}")
    return movement


def _payout_time(available: int) -> int:
    """The first morning of payouts after money is available: ten past midnight, UTC, on business days."""
    day = datetime.fromtimestamp(available, UTC).date()
    same_day = available <= _at_payout(day) and day.weekday() < 5
    return _at_payout(day if same_day else next_business_day(day))


def _at_payout(day: date) -> int:
    midnight = datetime.combine(day, time(), UTC)
    return int(midnight.timestamp()) + PAYOUT_TIME


def settle(work: Work, _moment: str) -> None:
    """What was pending until now is available."""
    moved = [
        entry for entry in work.find("balance_transaction", {"status": "pending"}) if entry["available_on"] <= work.now
    ]
    for entry in moved:
        work.change(entry, {"status": "available"})
    if moved:
        work.tell("balance.available", balance(work))


def pay_out(work: Work, subject: str) -> None:
    """The automatic payout of a currency: all that is available and not paid out yet; a debt waits."""
    currency = subject.partition("/")[0]
    taken = []
    for mark in work.find(_UNPAID, {"currency": currency}, oldest_first=True):
        movement = work.require("balance_transaction", mark["movement"])
        if movement["available_on"] <= work.now:
            taken.append((mark, movement))
    amount = sum(movement["net"] for _, movement in taken)
    if amount <= 0:
        return
    payout = make_payout(work, amount, currency, automatic=True)
    for mark, movement in taken:
        work.remove(mark)
        part = {"id": f"{_PART}/{movement['id']}", "object": _PART, "created": work.now}
        work.create(part | {"payout": payout["id"], "movement": movement["id"]})


def paid_out_by(work: Work, payout_id: str) -> list[str]:
    """The ids of the balance transactions that an automatic payout of documents has paid out."""
    return [part["movement"] for part in work.find(_PART, {"payout": payout_id})]


def make_payout(work: Work, amount: int, currency: str, *, automatic: bool, **values: object) -> Json:
    """Send `amount` to the bank; it arrives the next business day."""
    arrival = _at_payout(next_business_day(datetime.fromtimestamp(work.now, UTC).date())) - PAYOUT_TIME
    payout_id = new_id("po")
    movement = book(work, PAYOUT, amount=-amount, currency=currency, source=payout_id, paid_out=not automatic)
    payout = complete(
        stripe.Payout,
        {
            "description": "STRIPE PAYOUT",
            "metadata": {},
            "method": "standard",
            **values,
            "id": payout_id,
            "amount": amount,
            "arrival_date": arrival,
            "automatic": automatic,
            "balance_transaction": movement["id"],
            "created": work.now,
            "currency": currency,
            "destination": bank_account_id(work.account_id),
            "livemode": False,
            "reconciliation_status": "in_progress" if automatic else "not_applicable",
            "source_type": "card",
            "status": "in_transit",
            "trace_id": {"status": "pending", "value": None},
            "type": "bank_account",
        },
    )
    work.create(payout, "payout.created")
    work.later(arrival, "payout_arrives", payout_id)
    return payout


def payout_arrives(work: Work, payout_id: str) -> None:
    payout = work.require("payout", payout_id)
    reconciled = "completed" if payout["automatic"] else "not_applicable"
    work.change(payout, {"status": "paid", "reconciliation_status": reconciled}, "payout.paid")


def require_available(work: Work, amount: int, currency: str) -> None:
    """Raises a 400 StripeError unless documents have put as much into the available balance."""
    if amount > document_balance(work).get(currency, (0, 0))[0]:
        raise StripeError(
            400,
            "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. You "
            "can use the the /v1/balance endpoint to view your Stripe balance (for more details, see "
            "stripe.com/docs/api#balance).",
            code="balance_insufficient",
            param="amount",
        )


def document_balance(work: Work) -> dict[str, tuple[int, int]]:
    """What documents have left of each currency, minor units: available, pending."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for entry in work.find("balance_transaction", {"balance_type": "payments"}):
        sums[entry["currency"]][entry["status"] == "pending"] += entry["net"]
    return {currency: (available, pending) for currency, (available, pending) in sums.items()}


def balance(work: Work) -> Json:
    """The account's balance: its books' and that of documents."""
    shown = render_balance(work.view)
    for currency, amounts in sorted(document_balance(work).items()):
        for name, amount in zip(("available", "pending"), amounts, strict=True):
            _add(shown[name], currency, amount)
    return shown


def _add(entries: list[Json], currency: str, amount: int) -> None:
    for entry in entries:
        if entry["currency"] == currency:
            entry["amount"] += amount
            entry["source_types"]["card"] += amount
            return
    entries.append({"amount": amount, "currency": currency, "source_types": {"card": amount}})


TASKS: Tasks = {"settle": settle, "pay_out": pay_out, "payout_arrives": payout_arrives}
