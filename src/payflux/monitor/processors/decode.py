"""Stripe's JSON as typed structs, API version 2026-10-28.endive: only the fields that are used.

No payer's name, e-mail address or card number is decoded, so none can be stored or logged. A field that Stripe may
leave out or null has a default; anything else missing is an error, because it would silently change a number.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

Item = TypeVar("Item")


class Page(msgspec.Struct, Generic[Item]):
    """One page of a list, newest first."""

    data: list[Item]
    has_more: bool


class ReleaseSchedule(msgspec.Struct):
    release_after: int | None = None
    scheduled_release: int | None = None


class MovementSource(msgspec.Struct):
    """What a balance transaction is about: a charge, a reserve hold, …; `object` says which."""

    id: str
    object: str
    created: int = 0
    source_charge: str | None = None
    release_schedule: ReleaseSchedule | None = None


class BalanceTransaction(msgspec.Struct):
    id: str
    amount: int
    created: int
    currency: str
    type: str
    balance_type: str = "payments"
    source: str | MovementSource | None = None


class NetTransaction(BalanceTransaction, kw_only=True):
    """A balance transaction as it is added up."""

    net: int
    reporting_category: str = ""


class ThreeDSecure(msgspec.Struct):
    result: str | None = None


class Card(msgspec.Struct):
    brand: str | None = None
    country: str | None = None
    fingerprint: str | None = None
    network: str | None = None
    three_d_secure: ThreeDSecure | None = None


class PaymentMethodDetails(msgspec.Struct):
    type: str
    card: Card | None = None
    card_present: Card | None = None
    interac_present: Card | None = None


class ChargeOutcome(msgspec.Struct):
    type: str | None = None
    reason: str | None = None
    risk_level: str | None = None


class Charge(msgspec.Struct):
    id: str
    created: int
    amount: int
    currency: str
    status: str
    captured: bool
    amount_captured: int = 0
    amount_refunded: int = 0
    refunded: bool = False
    balance_transaction: str | BalanceTransaction | None = None
    customer: str | None = None
    failure_code: str | None = None
    outcome: ChargeOutcome | None = None
    payment_method_details: PaymentMethodDetails | None = None


class Refund(msgspec.Struct):
    id: str
    created: int
    amount: int
    currency: str
    status: str | None = None
    reason: str | None = None
    charge: str | Charge | None = None
    balance_transaction: str | BalanceTransaction | None = None


class EvidenceDetails(msgspec.Struct):
    due_by: int | None = None


class Dispute(msgspec.Struct):
    id: str
    created: int
    amount: int
    currency: str
    status: str
    reason: str
    charge: str | Charge
    balance_transactions: list[BalanceTransaction] = []
    evidence_details: EvidenceDetails = msgspec.field(default_factory=EvidenceDetails)


class EarlyFraudWarning(msgspec.Struct):
    id: str
    created: int
    actionable: bool
    fraud_type: str
    charge: str | Charge


class Payout(msgspec.Struct):
    id: str
    created: int
    amount: int
    currency: str
    status: str
    arrival_date: int
    failure_code: str | None = None
    reversed_by: str | None = None
    automatic: bool = False
    reconciliation_status: str | None = None


class ReleaseDetail(msgspec.Struct):
    amount: int


class ReserveHold(msgspec.Struct):
    """A reserve hold of Stripe's preview: `amount` less what its releases gave back is still held."""

    id: str
    created: int
    amount: int
    currency: str
    source_charge: str | None = None
    release_schedule: ReleaseSchedule | None = None
    release_details: list[ReleaseDetail] | None = None


class Review(msgspec.Struct):
    id: str
    created: int
    open: bool
    opened_reason: str
    closed_reason: str | None = None
    charge: str | Charge | None = None


class BusinessProfile(msgspec.Struct):
    name: str | None = None
    mcc: str | None = None
    url: str | None = None


class DashboardSettings(msgspec.Struct):
    display_name: str | None = None


class PayoutSchedule(msgspec.Struct):
    delay_days: int | None = None
    interval: str | None = None


class PayoutSettings(msgspec.Struct):
    schedule: PayoutSchedule = msgspec.field(default_factory=PayoutSchedule)


class AccountSettings(msgspec.Struct):
    dashboard: DashboardSettings = msgspec.field(default_factory=DashboardSettings)
    payouts: PayoutSettings = msgspec.field(default_factory=PayoutSettings)


class Requirements(msgspec.Struct):
    disabled_reason: str | None = None
    currently_due: list[str] | None = None
    past_due: list[str] | None = None


class Account(msgspec.Struct):
    id: str
    charges_enabled: bool
    payouts_enabled: bool
    details_submitted: bool
    country: str | None = None
    created: int | None = None
    default_currency: str | None = None
    business_profile: BusinessProfile | None = None
    settings: AccountSettings | None = None
    requirements: Requirements | None = None


class Money(msgspec.Struct):
    amount: int
    currency: str


class RiskReserved(msgspec.Struct):
    available: list[Money] = []
    pending: list[Money] = []


class Balance(msgspec.Struct):
    available: list[Money]
    pending: list[Money]
    livemode: bool = False
    risk_reserved: RiskReserved | None = None
