"""Contexts for the pages that everybody may see."""

from __future__ import annotations

from typing import Any

from payflux.frontdoor.sales.models import SalesLead, SalesLeadChange
from payflux.frontdoor.sales.rules import TEAM_SIZES, LeadStatus
from payflux.kit.messages import gettext as _
from payflux.settings import Settings
from payflux.web.installation import cookies, operator, subprocessors
from payflux.web.pages.landing import sample_context
from payflux.web.pages.legal import PAGES as LEGAL
from payflux.web.pages.styleguide import styleguide_context
from tests.unit.web.staff_samples import NOW, ONE, SAM, TWO

CONTACT = {
    "form": dict.fromkeys(("name", "email", "company", "team_size", "message"), "") | {"source": "pricing_page"},
    "errors": {},
    "shown": "1.stamp",
    "team_sizes": TEAM_SIZES,
}
LEAD = SalesLead(
    id=ONE,
    email="dora@a-long-company-name.example",
    name="Dora Diaz",
    company="A Long Company Name of Several Words",
    team_size="51-200",
    message="We sell in four countries.\nHow do several workspaces work?",
    source="pricing_page",
    status="contacted",
    created_at=NOW,
    updated_at=NOW,
)
CHANGE = SalesLeadChange(id=TWO, lead_id=ONE, before="new", after="contacted", changed_by=str(SAM), at=NOW)
LEADS = {
    "staff": SAM,
    "leads": [(LEAD, [CHANGE])],
    "statuses": list(LeadStatus),
    "counts": {"contacted": 1},
    "chosen": "",
    "shown": 200,
}
INSTALLATION = Settings.model_validate(
    {
        "public_url": "https://payflux.example",
        "company_name": "Flux Ltd",
        "company_address": "1 Quiet Harbour, Lantern Bay",
        "company_law": "the laws of England and Wales",
        "privacy_email": "privacy@payflux.example",
        "security_email": "security@payflux.example",
        "posthog_key": "phc_x",
        "hosting": "Example Hosting GmbH, Germany",
        "stripe_secret_key": "sk_live_x",
        "trust_claims": "SOC 2 Type II report; Data processing agreement",
    }
)
UNNAMED = Settings.model_validate({"stripe_secret_key": "sk_test_sandbox"})


def legal_page(page: str, settings: Settings) -> dict[str, Any]:
    """The context of one legal page of an installation with these settings."""
    return {
        "pages": {path: _(title) for path, title in LEGAL.items()},
        "here": page,
        "operator": operator(settings),
        "cookies": cookies(settings),
        "subprocessors": subprocessors(settings),
        "claims": settings.trust_claim_list,
        "https": settings.url.startswith("https://"),
        "trial_days": 14,
        "history_days": 30,
        "scans_days": 30,
        "leads_days": 365,
        "strangers_days": 400,
    }


OPEN = {"self_serve": True, "company": "Flux Ltd", "site_url": "https://payflux.example"}


def public_pages(signed_out: dict[str, Any], signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages by name."""
    legal = {page: (f"legal/{page}.html", signed_out | OPEN | legal_page(page, INSTALLATION)) for page in LEGAL}
    unnamed = {
        f"{page}-unnamed": (f"legal/{page}.html", signed_out | legal_page(page, UNNAMED))
        for page in ("trust", "subprocessors")
    }
    return {
        **legal,
        **unnamed,
        "styleguide": ("styleguide.html", signed_out | styleguide_context()),
        "landing": ("landing.html", signed_out | OPEN | sample_context()),
        "contact-sales": ("contact_sales.html", signed_out | OPEN | CONTACT),
        "contact-sales-refused": (
            "contact_sales.html",
            signed_out
            | CONTACT
            | {"errors": {"email": "Enter an e-mail address.", "team_size": "Choose one.", "message": "Too long."}},
        ),
        "contact-sales-thanks": (
            "contact_sales_thanks.html",
            signed_out | OPEN | {"scheduling_url": "https://cal.example/sales"},
        ),
        "contact-sales-thanks-plain": ("contact_sales_thanks.html", signed_in | {"scheduling_url": ""}),
        "staff-leads": ("admin/leads.html", signed_out | LEADS),
        "staff-leads-none": ("admin/leads.html", signed_out | LEADS | {"leads": [], "counts": {}, "chosen": "new"}),
        "landing-closed": ("landing.html", signed_out | sample_context()),
    }
