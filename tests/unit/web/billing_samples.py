"""Contexts for the pages about plans and billing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from payflux.frontdoor.billing.rules import Standing
from payflux.frontdoor.catalogue.content import entry_content
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.queries import SoldPlan
from payflux.frontdoor.entitlements.state import PlanWords
from payflux.frontdoor.entitlements.usage import LimitReached, Usage
from payflux.kit.phrases import spoken
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.risk.surface import RiskSurface
from payflux.web.charts import tier_chart, trapped_capital_chart
from payflux.web.offers import Offer
from payflux.web.plan_table import comparison_rows, picker_of
from payflux.web.sample import sample_readout
from payflux.web.usage import UsageRow
from tests.unit.web.team_samples import ALICE, BOB, MEMBERS

NOW = datetime(2026, 11, 21, 10, 59, tzinfo=UTC)
LATER = NOW + timedelta(days=12)
CATALOGUE = read_catalogue()
PLANS = [SoldPlan(plan, 1, entry_content(CATALOGUE, plan), None, None, None) for plan in CATALOGUE.plans]
TRIAL_OVER = Standing("pro", None, "trialing", NOW - timedelta(days=15), NOW - timedelta(days=1), ended_at=NOW)
ACTIVE = Standing("pro", 1, "active", NOW, LATER, seat_limit=3, billing_interval="month", stripe_status="active")
FREE = Standing("free", None, "active", NOW, None)
UNPAID = replace(ACTIVE, status="incomplete", stripe_status="unpaid")
USAGE = [
    UsageRow("Seats", "3 seats", 3, 3, None),
    UsageRow("Website scans a month", "100 scans", 100, 12, LATER),
    UsageRow("API calls a day", "Unlimited", None, 4210, LATER),
    UsageRow("Payment processors", "None", 0, 0, None),
    UsageRow("History kept", "730 days", 730, None, None),
]
FORECASTING = Offer("forecasting", "Forecasting mode", "Starter", ("Pro", "Enterprise"), ("pro",))


def billing_pages(
    signed_out: dict[str, Any],
    signed_in: dict[str, Any],
    readout: tuple[RiskSurface, ReserveProjection],
) -> dict[str, tuple[str, dict[str, Any]]]:
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
    owner = signed_in | {
        "user": ALICE,
        "picker": picker_of(PLANS, members=3, wished=["pro"]),
        "payers": MEMBERS[:1],
        "history_until": LATER,
        "sales_email": "sales@example.com",
        "errors": {},
        "live": False,
    }
    viewer = owner | {"user": BOB, "payers": [MEMBERS[0], SimpleNamespace(name="Erin", role="admin")]}
    billing = owner | {
        "plan": PlanWords("Pro", 49900, 499000),
        "usage": USAGE,
        "has_customer": True,
        "notices": [],
        "confirming": False,
        "confirmed": False,
    }
    seats_full = LimitReached(Usage("seats", 2, 2, None))
    more_seats = Offer("seats", "Seats", "Starter", ("Pro", "Enterprise"), ("pro",))
    upgrade = owner | {"offer": FORECASTING, "refusal": None}
    readout_of_sample = spoken(sample_readout())
    sample = {
        "sample": readout_of_sample,
        "tier_scale": tier_chart(readout_of_sample.surface),
        "sample_chart": trapped_capital_chart(readout_of_sample.projection),
        "sample_chart_narrow": trapped_capital_chart(readout_of_sample.projection, width=360, height=240),
    }
    billed = {
        "trial": signed_in["standing"],
        "active": ACTIVE,
        "past-due": replace(ACTIVE, status="past_due", next_payment_attempt_at=LATER),
        "complimentary": Standing("pro", None, "complimentary", NOW, None),
    }
    return {
        f"billing-{name}": ("billing.html", billing | {"standing": standing}) for name, standing in billed.items()
    } | {
        "pricing": ("pricing.html", pricing),
        "pricing-member": (
            "pricing.html",
            pricing | said | {"user": signed_in["user"], "own_plan": "starter", "may_choose": True},
        ),
        "wall": ("wall.html", owner | {"standing": TRIAL_OVER}),
        "wall-unpaid": ("wall.html", owner | {"standing": UNPAID}),
        "wall-viewer": ("wall.html", viewer | {"standing": TRIAL_OVER}),
        "billing-viewer": ("billing.html", billing | viewer | {"standing": billed["past-due"]}),
        "billing-confirming": ("billing.html", billing | {"confirming": True}),
        "billing-confirmed": ("billing.html", billing | {"standing": ACTIVE, "confirmed": True}),
        "select-plan": ("select_plan.html", owner),
        "select-plan-crowded": ("select_plan.html", owner | {"picker": picker_of(PLANS, members=12)}),
        "select-plan-refused": (
            "select_plan.html",
            owner | {"errors": {"seats": "Choose 3 to 10 seats.", "": "Couldn't start checkout. Try again."}},
        ),
        "select-plan-bought": ("select_plan.html", owner | {"standing": ACTIVE}),
        "keep-free": ("keep_free.html", owner),
        "upgrade": ("upgrade.html", upgrade),
        "upgrade-limit": ("upgrade.html", upgrade | {"offer": more_seats, "refusal": seats_full}),
        "upgrade-viewer": ("upgrade.html", upgrade | viewer),
        "history": ("history.html", owner | {"standing": TRIAL_OVER, "readouts": [readout] * 3}),
        "preview": (
            "dashboard_preview.html",
            owner | sample | {"standing": FREE, "readout": readout, "offer": FORECASTING},
        ),
        "preview-empty": (
            "dashboard_preview.html",
            viewer | sample | {"standing": FREE, "readout": None, "offer": FORECASTING},
        ),
    }
