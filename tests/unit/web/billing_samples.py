"""Contexts for the pages about plans and billing."""

from __future__ import annotations

from typing import Any

from payflux.frontdoor.catalogue.content import entry_content
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.queries import SoldPlan
from payflux.web.plan_table import comparison_rows

CATALOGUE = read_catalogue()
PLANS = [SoldPlan(plan, 1, entry_content(CATALOGUE, plan), None, None, None) for plan in CATALOGUE.plans]


def billing_pages(signed_out: dict[str, Any], signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages of plans, prices and walls, by name."""
    pricing = signed_out | {
        "plans": PLANS,
        "rows": comparison_rows(PLANS, CATALOGUE.features),
        "recommended": "pro",
        "trial_days": 14,
        "own_plan": None,
        "may_choose": False,
        "claims": [],
        "testimonial": "",
        "testimonial_by": "",
        "sales_email": "",
    }
    said = {
        "claims": ["SOC 2 Type II report", "Data processing agreement"],
        "testimonial": "We saw the reserve three weeks before it came.",
        "testimonial_by": "Dora, Dora's Records",
        "sales_email": "sales@example.com",
    }
    return {
        "pricing": ("pricing.html", pricing),
        "pricing-member": (
            "pricing.html",
            pricing | said | {"user": signed_in["user"], "own_plan": "starter", "may_choose": True},
        ),
    }
