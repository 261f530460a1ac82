"""Who calls the sandbox's API: the keys, and what each may do."""

from __future__ import annotations

from dataclasses import dataclass

from payflux.sandbox.errors import StripeError, masked

SECRET_KEY = "sk_test_sandbox"  # noqa: S105 - a made-up key that opens nothing outside of the sandbox
WITHOUT_DISPUTES = "_no_disputes"  # ending of the restricted keys that lack one permission

ALL_READS = frozenset(
    {
        "rak_accounts_kyc_basic_read",
        "rak_balance_read",
        "rak_balance_transaction_source_read",
        "rak_charge_read",
        "rak_checkout_session_read",
        "rak_coupon_read",
        "rak_customer_portal_read",
        "rak_customer_read",
        "rak_dispute_read",
        "rak_event_read",
        "rak_file_read",
        "rak_invoice_read",
        "rak_payment_intent_read",
        "rak_payment_method_read",
        "rak_payout_read",
        "rak_plan_read",
        "rak_product_read",
        "rak_promotion_code_read",
        "rak_report_runs_and_report_types_read",
        "rak_reserve_read",
        "rak_review_read",
        "rak_setup_intent_read",
        "rak_subscription_read",
        "rak_webhook_read",
    }
)
PERMISSIONS = ALL_READS | {"rak_webhook_write", "rak_report_runs_and_report_types_write"}
"""What the merchants' restricted keys may: read everything, have reports made, and say where their events go."""


@dataclass(frozen=True)
class Caller:
    """Who calls: on behalf of which account, with what permissions; None for a secret key, which has them all."""

    key: str
    account_id: str
    permissions: frozenset[str] | None
    header: str | None = None  # the Stripe-Account header
    application: bool = False  # whether it is the Stripe App, by an access token
    read_only: bool = False  # whether the account is connected to the platform with no more than this scope

    def require(self, permission: str) -> None:
        """Raises a 403 StripeError unless the key has `permission`."""
        if self.permissions is None or permission in self.permissions:
            return
        if self.read_only:
            raise StripeError(
                403,
                f"The provided key '{masked(self.key)}' may only read on account '{self.account_id}', which is "
                "connected with the scope read_only. Connect it with the scope read_write to write.",
            )
        if self.application:
            raise StripeError(
                403,
                "This application does not have the required permissions for this endpoint on account "
                f"'{self.account_id}'.",
                code="more_permissions_required_for_application",
            )
        raise StripeError(
            403,
            f"The provided key '{masked(self.key)}' does not have the required permissions for this endpoint on "
            f"account '{self.account_id}'. Having the '{permission}' permission would allow this request to "
            "continue.",
        )


def access_token(account_id: str) -> str:
    """The key of its own that the platform is given with a connected account, beside which Stripe prefers the
    platform's key and Stripe-Account."""
    return f"{SECRET_KEY}_{account_id[-8:]}"


def no_access(key: str, account: str | None) -> StripeError:
    return StripeError(
        403,
        f"The provided key '{masked(key)}' does not have access to account '{account}' (or that account does not "
        "exist). Application access may have been revoked.",
        code="account_invalid",
    )
