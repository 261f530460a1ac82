"""Contexts for the page of how long data is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from payflux.activation.retention.choosing import Outlook, Period
from payflux.activation.retention.rules import NOTICE, Choice, Kept, bounds_of
from payflux.activation.retention.words import NAMES
from tests.unit.web.staff_samples import NOW

COMING = Choice(days=None, coming_days=400, coming_at=NOW + NOTICE)


def retention_pages(signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    usual = [Period(kind, bounds_of(kind, 730).usual, Choice(), bounds_of(kind, 730)) for kind in Kept]
    chosen = [
        Period(Kept.EVIDENCE, None, COMING, bounds_of(Kept.EVIDENCE, None)),
        Period(Kept.PAYMENT_EVENTS, 1200, Choice(days=1200), bounds_of(Kept.PAYMENT_EVENTS, None)),
        Period(Kept.DELIVERIES, 7, Choice(days=7), bounds_of(Kept.DELIVERIES, None)),
    ]
    page = signed_in | {
        "in_plan": True,
        "periods": chosen,
        "names": NAMES,
        "outlook": None,
        "notice_days": NOTICE.days,
        "wrong_kind": "",
        "typed": "",
        "errors": {},
        "now": NOW,
    }
    shorter = Outlook(chosen[0], 400, True, NOW + NOTICE, NOW + NOTICE - timedelta(days=400), 12_408)
    longer = Outlook(chosen[2], None, False, NOW, None, 0)
    wrong = {"wrong_kind": "deliveries", "typed": "365"}
    return {
        "retention": ("retention.html", page),
        "retention-of-the-plan": ("retention.html", page | {"in_plan": False, "periods": usual}),
        "retention-shorter": ("retention.html", page | {"outlook": shorter}),
        "retention-longer": ("retention.html", page | {"outlook": longer}),
        "retention-refused": (
            "retention.html",
            page | wrong | {"errors": {"deliveries-days": "Enter 7 to 90 days, or leave it empty."}},
        ),
    }
