"""The account itself, and its customers, of whom the books know their payments alone."""

from __future__ import annotations

from payflux.sandbox.merchants.ledger import SETTLEMENT_DAYS
from payflux.sandbox.objects.view import Json, View

MISSING = ["company.tax_id", "external_account", "tos_acceptance.date"]


def _requirements(view: View, due: list[str]) -> Json:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": due,
        "disabled_reason": "requirements.past_due" if due else None,
        "errors": [],
        "eventually_due": due,
        "past_due": due,
        "pending_verification": [],
    }


def render_account(view: View) -> Json:
    """A Standard account with its own full Dashboard."""
    archetype = view.merchant.archetype
    closed_at = view.merchant.closed_at
    ready = closed_at is None or view.now < closed_at
    return {
        "id": view.account_id,
        "object": "account",
        "business_profile": {
            "annual_revenue": None,
            "estimated_worker_count": None,
            "mcc": archetype.mcc,
            "minority_owned_business_designation": None,
            "name": archetype.business,
            "product_description": None,
            "specified_commercial_transactions_act_url": None,
            "support_address": None,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": archetype.url,
        },
        "business_type": "company",
        "capabilities": {
            "card_payments": "active" if ready else "inactive",
            "transfers": "active" if ready else "inactive",
        },
        "charges_enabled": ready,
        "company": None,
        "controller": {"is_controller": False, "type": "account"},
        "country": archetype.country,
        "created": view.merchant.opened,
        "default_currency": archetype.currency,
        "details_submitted": ready,
        "email": None,
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": False,
            "total_count": 0,
            "url": f"/v1/accounts/{view.account_id}/external_accounts",
        },
        "future_requirements": _requirements(view, []),
        "groups": {"payments_pricing": None},
        "individual": None,
        "metadata": {},
        "payouts_enabled": ready,
        "requirements": _requirements(view, [] if ready else MISSING),
        "settings": {
            "bacs_debit_payments": {"display_name": None, "service_user_number": None},
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
            "card_payments": {
                "decline_on": {"avs_failure": False, "cvc_failure": False},
                "statement_descriptor_prefix": None,
                "statement_descriptor_prefix_kana": None,
                "statement_descriptor_prefix_kanji": None,
            },
            "dashboard": {"display_name": archetype.business, "timezone": "Etc/UTC"},
            "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": "offer"},
            "payments": {
                "statement_descriptor": archetype.business.upper()[:22],
                "statement_descriptor_kana": None,
                "statement_descriptor_kanji": None,
                "statement_descriptor_prefix_kana": None,
                "statement_descriptor_prefix_kanji": None,
            },
            "payouts": {
                "debit_negative_balances": True,
                "schedule": {"delay_days": SETTLEMENT_DAYS, "interval": "daily"},
                "statement_descriptor": None,
            },
            "sepa_debit_payments": {},
        },
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }


def render_customer(view: View, customer: str) -> Json:
    """A customer without a name: the sandbox knows no personal data."""
    return {
        "id": customer,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": view.merchant.opened,
        "currency": view.merchant.archetype.currency,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": customer[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
