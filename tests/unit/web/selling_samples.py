"""Contexts for the console's pages of what is sold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from payflux.admin.plan_forms import fields_of, in_words
from payflux.frontdoor.catalogue.content import as_json, compare, entry_content
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.models import CatalogueChange, PlanVersion
from payflux.frontdoor.catalogue.queries import SoldPlan
from payflux.frontdoor.staff.selling.affected import Affected, AffectedAccount
from payflux.frontdoor.staff.selling.overrides import GrantedOverride, OverridePreview
from payflux.frontdoor.staff.selling.plans import PlanPreview

NOW = datetime(2026, 11, 21, 10, 59, tzinfo=UTC)
CATALOGUE = read_catalogue()
SAM = "Sam Support <sam@payflux.example>"
PRO = entry_content(CATALOGUE, "pro")
DEARER = msgspec.structs.replace(PRO, monthly_price_cents=59_900, limits=PRO.limits | {"seats": 5}, is_archived=True)
PLANS = [
    SoldPlan(plan, 2, entry_content(CATALOGUE, plan), f"prod_{plan}", None if plan == "pro" else "price_1A2b3C", None)
    for plan in CATALOGUE.plans
]
FOLLOWERS = [
    AffectedAccount(UUID(int=1), "Alice and Daughters Hardware and Garden Supplies", "trialing", None, 12),
    AffectedAccount(UUID(int=2), "Bob's", "complimentary", None, 1),
]
AFFECTED = Affected(250, FOLLOWERS, 1, [AffectedAccount(UUID(int=3), "Charlie's", "active", 1, 3)])
NOBODY = Affected(0, [], 0, [])
CHANGE = CatalogueChange(
    at=NOW,
    author=SAM,
    action="plan_published",
    subject="pro",
    before={"version": 1, "monthly_price_cents": 49_900},
    after={"version": 2, "monthly_price_cents": 59_900},
)
VERSIONS = [
    (
        PlanVersion(plan="pro", version=2, content=as_json(DEARER), source="staff", published_by=SAM, published_at=NOW),
        in_words(compare(PRO, DEARER)),
    ),
    (
        PlanVersion(plan="pro", version=1, content=as_json(PRO), source="catalogue", published_at=NOW),
        in_words(compare(None, PRO)),
    ),
]
OVERRIDES = [
    GrantedOverride(UUID(int=1), "limit", "seats", None, "Agreed by mail, ticket 4711", SAM, NOW, None, None),
    GrantedOverride(UUID(int=2), "feature", "sso", True, "A trial of it", SAM, NOW, NOW + timedelta(days=30), NOW),
]
ON_ACCOUNT = {"overrides": OVERRIDES, "feature_words": CATALOGUE.features, "limit_words": CATALOGUE.limits}
"""What the page of an account shows of its exceptions."""


def selling_pages(staff: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages of what is sold, for `staff` who are signed in."""
    plans = staff | {"plans": PLANS, "features": CATALOGUE.features | {"fast_lane": "The fast lane"}, "problem": ""}
    plans |= {"built_in": CATALOGUE.features, "changes": [], "affected": dict.fromkeys(CATALOGUE.plans, NOBODY)}
    plan = staff | {"sold": PLANS[2], "fields": fields_of(PRO), "errors": {}, "features": CATALOGUE.features}
    plan |= {"limits": CATALOGUE.limits, "affected": AFFECTED, "versions": VERSIONS}
    wrong = {"errors": {"limits.seats": "Use 1 to 2147483647, or leave it out for unlimited."}}
    seen = PlanPreview("pro", 2, DEARER, compare(PRO, DEARER), AFFECTED)
    preview = staff | {"seen": seen, "differences": in_words(seen.differences), "fields": fields_of(DEARER)}
    override = staff | {
        "seen": OverridePreview(UUID(int=1), FOLLOWERS[0].name, "seats", 10, "plan", 25),
        "before": "10",
        "after": "25",
        "fields": {"key": "seats", "value": "25", "reason": "Agreed by mail, ticket 4711", "expires": "2026-12-31"},
        "ends": NOW,
    }
    return {
        "staff-plans": ("admin/plans.html", plans),
        "staff-plans-changed": (
            "admin/plans.html",
            plans | {"changes": [CHANGE], "problem": "New prices are not at Stripe yet, so nobody can buy them."},
        ),
        "staff-plan": ("admin/plan.html", plan),
        "staff-plan-refused": ("admin/plan.html", plan | wrong),
        "staff-plan-preview": ("admin/plan_preview.html", preview | {"version": "2"}),
        "staff-plan-unchanged": ("admin/plan_preview.html", preview | {"version": "2", "differences": []}),
        "staff-override": ("admin/override_preview.html", override),
        "staff-override-forever": ("admin/override_preview.html", override | {"ends": None}),
    }
