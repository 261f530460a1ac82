"""Payouts that come back from the bank."""

from __future__ import annotations

from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments import ledger
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

PAYOUT_FAILURES = {
    "account_closed": "The bank account has been closed.",
    "account_frozen": "The bank account has been frozen.",
    "could_not_process": "The bank could not process this payout.",
    "debit_not_authorized": "Debit transactions are not approved on the bank account.",
    "insufficient_funds": "The account has insufficient funds to cover the payout.",
    "invalid_account_number": "The routing number seems correct, but the account number is invalid.",
    "no_account": "No bank account could be found.",
}
_PAYOUT_FAILURE = ledger.Kind("payout_failure", "payout_reversal", "STRIPE PAYOUT FAILURE")


def fail_payout(work: Work, payout: Json | None, code: str) -> Json:
    """The bank gives a payout back, for a reason of :data:`PAYOUT_FAILURES`. Raises StripeError 400 for one that has
    not arrived."""
    if payout is None or payout["status"] != "paid":
        raise StripeError(400, "A payout fails after it has arrived. Choose one that is paid.", param="payout")
    back = ledger.book(work, _PAYOUT_FAILURE, amount=payout["amount"], currency=payout["currency"], source=payout["id"])
    failed = {
        "failure_balance_transaction": back["id"],
        "failure_code": code,
        "failure_message": PAYOUT_FAILURES[code],
        "status": "failed",
    }
    return work.change(payout, failed, "payout.failed")
