"""Contexts for the page of a processor that posts its events to us."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from payflux.monitor.processors.generic.models import DeliveryState, EventDelivery, HistoryImport
from payflux.monitor.processors.generic.schema import SCHEMA_PATH
from payflux.monitor.processors.live.freshness import Freshness
from payflux.monitor.processors.models import Connection
from payflux.monitor.risk.rules.bands import MINIMUM_PAYMENTS
from payflux.web.freshness import line_of
from payflux.web.pages.sources import KNOWN_PROCESSORS
from tests.unit.web.staff_samples import NOW

FAULT: dict[str, object] = {
    "event": 2,
    "field": "amount",
    "detail": "amount is no whole number.",
    "way_out": "Send minor units.",
}


def delivery(message_id: str, state: DeliveryState, types: str = "", *faults: dict[str, object]) -> EventDelivery:
    return EventDelivery(message_id=message_id, received_at=NOW, state=state, types=types, faults=list(faults))


DELIVERIES = [
    delivery("msg_1763722740", DeliveryState.WAITING, "charge.succeeded ×40"),
    delivery("msg_1763722741", DeliveryState.APPLIED, "charge.succeeded ×998, dispute.closed ×2"),
    delivery("msg_1763722742", DeliveryState.REFUSED, "charge.succeeded", FAULT, FAULT | {"event": None}),
    delivery("(signature)", DeliveryState.REFUSED, "", FAULT | {"event": None, "detail": "The signature is wrong."}),
]


def history(places: int, refused: int) -> HistoryImport:
    files = [
        {"name": name, "title": title, "rows": 12_000, "used": 11_200, "refused": refused, "set_aside": {"payout": 780}}
        for name, title in (
            ("payments-of-all-our-shops-2025-11-21-to-2026-11-21.csv", "Stripe: payments"),
            ("disputes.csv", "Plain payment events"),
        )
    ]
    noted = [{"name": "disputes.csv", "line": line, "message": "occurred_at is no time."} for line in range(2, places)]
    return HistoryImport(
        imported_at=NOW - timedelta(hours=places),
        rows=24_000,
        refused=refused,
        events=22_400,
        changed=22_011,
        report={"files": files, "places": noted, "unusable": refused},
    )


def source_pages(signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages by name."""
    choosing = signed_in | {
        "source": None,
        "secret": "",
        "stood_on": False,
        "beside": False,
        "may_change": True,
        "known_processors": KNOWN_PROCESSORS,
        "schema_path": SCHEMA_PATH,
        "errors": {},
        "form": {},
    }
    posting = choosing | {
        "source": Connection(name="Adyen", event_count=22_411),
        "stood_on": True,
        "url": "https://payflux.example/hooks/events/0123456789abcdef0123456789abcdef",
        "old_secret_until": None,
        "payments": 20_118,
        "needed": MINIMUM_PAYMENTS,
        "deliveries": DELIVERIES,
        "imports": [history(6, 20), history(0, 0)],
        "freshness": line_of(Freshness(NOW - timedelta(minutes=12)), NOW),
    }
    new = {"stood_on": False, "payments": 0, "deliveries": [], "imports": [], "secret": f"whsec_{'A' * 43}="}
    return {
        "source-none": ("sources.html", choosing),
        "source-refused": (
            "sources.html",
            choosing | {"errors": {"processor": "Write its name."}, "form": {"processor": ""}},
        ),
        "source-beside-another": ("sources.html", choosing | {"beside": True}),
        "source-of-a-viewer": ("sources.html", choosing | {"may_change": False}),
        "source": ("sources.html", posting),
        "source-new": (
            "sources.html",
            posting | new | {"source": Connection(name="Adyen", event_count=0), "old_secret_until": NOW},
        ),
        "source-enough": ("sources.html", posting | {"stood_on": False, "errors": {"file": "It is packed."}}),
    }
