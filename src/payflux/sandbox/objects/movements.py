"""Balance transactions, payouts, the balance and its settings."""

from __future__ import annotations

from payflux.sandbox.merchants import tables
from payflux.sandbox.merchants.currencies import MILLION
from payflux.sandbox.merchants.ledger import SETTLEMENT_DAYS
from payflux.sandbox.merchants.tables import MOVEMENTS, Movement, Payout
from payflux.sandbox.objects.ids import print_id
from payflux.sandbox.objects.view import Json, View

DESCRIPTIONS = {
    tables.REFUND: "REFUND FOR CHARGE",
    tables.PAYOUT: "STRIPE PAYOUT",
    tables.WITHDRAWAL: "Chargeback withdrawal",
    tables.REINSTATEMENT: "Chargeback reversal",
    tables.HOLD: "Rolling reserve hold",
    tables.HELD: "Rolling reserve hold",
    tables.RELEASE: "Rolling reserve release",
    tables.RELEASED: "Rolling reserve release",
    tables.RESERVED: "Reserved funds",
    tables.UNRESERVED: "Reserved funds released",
}
FEE_DESCRIPTIONS = {tables.CHARGE: "Stripe processing fees", tables.WITHDRAWAL: "Dispute fee"}


def render_movement(view: View, row: Movement, _index: int) -> Json:
    """A balance transaction. A reserve moves money between two balances: a debit of one, a credit of the other."""
    kind = MOVEMENTS[row.kind]
    fees = []
    if row.fee:
        fees = [
            {
                "amount": row.fee,
                "application": None,
                "currency": view.currency,
                "description": FEE_DESCRIPTIONS[row.kind],
                "type": "stripe_fee",
            }
        ]
    return {
        "id": print_id("movements", view.account_id, row.key),
        "object": "balance_transaction",
        "amount": row.amount,
        "available_on": row.available_on,
        "balance_type": kind.balance_type,
        "created": row.created,
        "currency": view.currency,
        "description": DESCRIPTIONS.get(row.kind),
        "exchange_rate": row.rate / MILLION if row.rate else None,
        "fee": row.fee,
        "fee_details": fees,
        "net": row.net,
        "reporting_category": kind.reporting_category,
        "source": view.id(kind.source, row.source),
        "status": "available" if row.available_on <= view.now else "pending",
        "type": kind.type,
    }


def render_payout(view: View, row: Payout, _index: int) -> Json:
    """An automatic payout, on its way until the morning of its arrival date."""
    arrived = row.arrival <= view.now
    return {
        "id": print_id("payouts", view.account_id, row.key),
        "object": "payout",
        "amount": row.amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": row.arrival,
        "automatic": True,
        "balance_transaction": view.id("movements", row.movement),
        "created": row.created,
        "currency": view.currency,
        "description": "STRIPE PAYOUT",
        "destination": bank_account_id(view.account_id),
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed" if arrived else "in_progress",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "paid" if arrived else "in_transit",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }


def bank_account_id(account_id: str) -> str:
    return f"ba_1{account_id[-8:]}sandbox"


def render_balance(view: View) -> Json:
    """The balance now. As in the stable API, what a risk reserve holds is in no field of it."""
    balance = view.merchant.balance(view.now)

    def money(amount: int) -> list[Json]:
        return [{"amount": amount, "currency": view.currency, "source_types": {"card": amount}}]

    return {
        "object": "balance",
        "available": money(balance["available"]),
        "connect_reserved": [{"amount": 0, "currency": view.currency}],
        "livemode": False,
        "pending": money(balance["pending"]),
        "refund_and_dispute_prefunding": {
            "available": [{"amount": 0, "currency": view.currency}],
            "pending": [{"amount": 0, "currency": view.currency}],
        },
    }


BALANCE_SETTINGS = "balance_settings"  # the id under which changes of the settings are kept


def render_balance_settings(view: View) -> Json:
    """The settings of payouts, with what calls have changed."""
    closed_at = view.merchant.closed_at
    closed = closed_at is not None and closed_at <= view.now
    payments = {
        "debit_negative_balances": True,
        "payouts": {
            "minimum_balance_by_currency": None,
            "schedule": {"interval": "daily"},
            "statement_descriptor": None,
            "status": "disabled" if closed else "enabled",
        },
        "settlement_timing": {"delay_days": SETTLEMENT_DAYS, "delay_days_override": None, "start_of_day": None},
    }
    shown = view.amended({"id": BALANCE_SETTINGS, "object": "balance_settings", "payments": payments})
    return {name: value for name, value in shown.items() if name != "id"}
