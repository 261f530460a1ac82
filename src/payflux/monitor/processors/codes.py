"""The codes of a payment event: what happened, how it stands, and why, as the numbers that stored rows hold."""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """What happened. A charge is one attempt to pay, whether it succeeded or failed."""

    CHARGE = 1
    REFUND = 2
    DISPUTE = 3
    EARLY_FRAUD_WARNING = 4
    PAYOUT = 5
    RESERVE_HOLD = 6
    RESERVE_RELEASE = 7
    REVIEW = 8  # the processor asks for a person to look at a charge
    ACCOUNT_CHANGE = 9  # the processor, or the merchant, changed what the account may do


COUNTED_KINDS = range(Kind.CHARGE, Kind.REVIEW)
"""The kinds that rollups, features and signals are made of. The others are kept to be shown, and change no number."""


class Status(IntEnum):
    """Where the event stands now; which values apply depends on the kind."""

    PENDING = 0
    SUCCEEDED = 1  # charge, refund; payout: paid; reserve hold and release: booked; account change
    FAILED = 2  # charge, refund, payout
    CANCELED = 3  # payout; refund, also one that only lets an authorization go; charge that was never captured
    OPEN = 4  # dispute awaiting an answer or a decision; review
    WON = 5  # dispute
    LOST = 6  # dispute
    PREVENTED = 7  # dispute resolved before it was filed; not counted by the networks
    INQUIRY = 8  # dispute still (or closed as) an unescalated inquiry; not counted by the networks
    ACTIONABLE = 9  # early fraud warning: no dispute yet and not fully refunded
    SETTLED = 10  # early fraud warning that is no longer actionable; review that is closed


class Network(IntEnum):
    UNKNOWN = 0
    VISA = 1
    MASTERCARD = 2
    AMEX = 3
    DISCOVER = 4
    DINERS = 5
    JCB = 6
    UNIONPAY = 7
    OTHER = 8


class Method(IntEnum):
    """How the payer paid; card programmes that look only at card-not-present exclude CARD_PRESENT."""

    UNKNOWN = 0
    CARD = 1
    CARD_PRESENT = 2
    OTHER = 3


class RiskLevel(IntEnum):
    """The processor's own fraud rating of a charge (Stripe Radar's `outcome.risk_level`)."""

    UNKNOWN = 0
    NORMAL = 1
    ELEVATED = 2
    HIGHEST = 3


class Outcome(IntEnum):
    """Who decided a charge (Stripe's `outcome.type`)."""

    UNKNOWN = 0
    AUTHORIZED = 1
    ISSUER_DECLINED = 2
    BLOCKED = 3  # by the processor, never sent to the network
    INVALID = 4
    MANUAL_REVIEW = 5


REASONS: tuple[str, ...] = (
    "other",
    # disputes (Stripe dispute.reason)
    "bank_cannot_process",
    "check_returned",
    "credit_not_processed",
    "customer_initiated",
    "debit_not_authorized",
    "duplicate",
    "fraudulent",
    "general",
    "incorrect_account_details",
    "insufficient_funds",
    "noncompliant",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
    # refunds (Stripe refund.reason)
    "requested_by_customer",
    "expired_uncaptured_charge",
    # declines (Stripe charge.failure_code and outcome.reason)
    "card_declined",
    "expired_card",
    "incorrect_cvc",
    "incorrect_number",
    "processing_error",
    "do_not_honor",
    "generic_decline",
    "lost_card",
    "stolen_card",
    "transaction_not_allowed",
    "highest_risk_level",
    "elevated_risk_level",
    "rule",
    "authentication_required",
    # early fraud warnings (Stripe fraud_type)
    "card_never_received",
    "fraudulent_card_application",
    "made_with_counterfeit_card",
    "made_with_lost_card",
    "made_with_stolen_card",
    "misc",
    "unauthorized_use_of_card",
    # payouts (Stripe payout.failure_code)
    "account_closed",
    "account_frozen",
    "could_not_process",
    "no_account",
    # further declines (docs.stripe.com/declines/codes)
    "low_probability_of_authorization",
    "try_again_later",
    "pickup_card",
    "restricted_card",
    "invalid_account",
    "card_not_supported",
    "card_velocity_exceeded",
    "suspected_fraud",
    "call_issuer",
    "approve_with_id",
    "invalid_cvc",
    "no_action_taken",
    "revocation_of_authorization",
    "security_violation",
    "service_not_allowed",
    "not_permitted",
    "currency_not_supported",
    "withdrawal_count_limit_exceeded",
    # further payouts; a debit takes money from the merchant's bank to fill a negative balance
    "debit",
    "bank_account_restricted",
    "bank_ownership_changed",
    "declined",
    "incorrect_account_holder_address",
    "incorrect_account_holder_name",
    "incorrect_account_holder_tax_id",
    "invalid_account_number",
    "invalid_currency",
    "unsupported_card",
    "reversed",  # a payout that came back
    # reviews (Stripe review.opened_reason and closed_reason; `rule` stands above)
    "manual",
    "approved",
    "refunded",
    "refunded_as_fraud",
    "disputed",
    "redacted",
    "canceled",
    "payment_never_settled",
    "acknowledged",
    # changes of an account
    "charges_disabled",
    "charges_enabled",
    "payouts_disabled",
    "payouts_enabled",
    "payout_delay_raised",
    "payout_delay_lowered",
    "payout_interval_changed",
    "restriction_lifted",
    # restrictions of an account (Stripe requirements.disabled_reason)
    "action_required.requested_capabilities",
    "listed",
    "platform_paused",
    "rejected.fraud",
    "rejected.incomplete_verification",
    "rejected.listed",
    "rejected.other",
    "rejected.platform_fraud",
    "rejected.platform_other",
    "rejected.platform_terms_of_service",
    "rejected.terms_of_service",
    "requirements.past_due",
    "requirements.pending_verification",
    "under_review",
)
"""Reason codes by number. Append only: stored rows hold the index. An unknown reason is 0, its text is kept aside."""

_REASON_CODES = {reason: code for code, reason in enumerate(REASONS)}


def reason_code(reason: str) -> int:
    """The index of `reason` in :data:`REASONS`; 0 (`other`) for an unknown or empty one."""
    return _REASON_CODES.get(reason, 0)
